"""The client of an OpenAI-compatible endpoint: tries again where that helps, and says plainly where it does not."""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any

import orjson

from provkit.canonical import canonical
from provkit.errors import ProvkitError, plain
from provkit.llm.model import MODERATED, Answer, Request

KEYS = ("PROVKIT_LLM_KEY", "OPENAI_API_KEY", "HF_TOKEN")  # where a key is looked for, first come
AGAIN = {408, 409, 425, 429, 500, 502, 503, 504, 529}
BASE, CAP = 0.5, 30.0  # seconds: the range of a wait doubles from the one to the other


class EndpointError(ProvkitError):
    """The endpoint does not answer, or refuses the request itself; what was answered before is in the cache."""


def key_from(environment: Mapping[str, str]) -> str | None:
    """The API key, from the environment alone."""
    return next((environment[name] for name in KEYS if environment.get(name)), None)


@dataclass(slots=True)
class Endpoint:
    """An endpoint and a model behind it.

    Args:
        url: the base, as `http://127.0.0.1:8000/v1`.
        model: the model's name there.
        timeout: seconds for one try.
        patience: seconds for which one request is tried again before the run ends.
        per_second: at most so many requests begin in a second; None for no limit.
    """

    url: str
    model: str
    timeout: float = 120.0
    patience: float = 300.0
    per_second: float | None = None
    tries: int = 0
    _stack: AsyncExitStack | None = None
    _client: Any = None
    _next: float = 0.0
    _until: float = 0.0  # no request begins before: what a Retry-After asked of all of them
    _chance: random.Random = field(default_factory=random.Random)  # of waits alone; no row depends on it

    async def __aenter__(self) -> Endpoint:
        import httpx2  # huggingface_hub's own client would rewrite `response_format` for its own servers

        key = key_from(os.environ)
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._stack = AsyncExitStack()
        limits = httpx2.Limits(max_connections=None, max_keepalive_connections=None)
        client = httpx2.AsyncClient(headers=headers, timeout=self.timeout, limits=limits)
        self._client = await self._stack.enter_async_context(client)
        return self

    async def __aexit__(self, *error: object) -> None:
        assert self._stack is not None
        await self._stack.aclose()

    async def ask(self, request: Request, sample: int, key: str) -> tuple[Answer, float]:
        """The answer, and the seconds that it took.

        Raises:
            EndpointError: when the endpoint refuses the request, or does not answer within `patience`.
        """
        began, tries = time.monotonic(), 0
        while True:
            await self._turn()
            start = time.monotonic()
            self.tries += 1
            said, wait = "", None
            try:
                found = await self._once(request, sample)
                return _read(found, key), time.monotonic() - start
            except Exception as error:
                answer, said, wait = self._judged(error, key)
                if answer is not None:
                    return answer, time.monotonic() - start
            if wait is None:
                wait = self._chance.uniform(0, min(CAP, BASE * 2**tries))  # full jitter
            else:
                self._until = max(self._until, time.monotonic() + wait)
            tries += 1
            if time.monotonic() + wait - began > self.patience:
                more = "\n  the answers so far are in the cache: run the same command again"
                raise EndpointError(f"the endpoint did not answer in {tries} tries: {said}{more}")
            await asyncio.sleep(wait)

    async def _once(self, request: Request, sample: int) -> Any:
        body = canonical({**request.plain(), "model": self.model, "seed": sample})
        url = self.url.rstrip("/") + "/chat/completions"
        response = await self._client.post(url, content=body, headers={"Content-Type": "application/json"})
        response.raise_for_status()
        return orjson.loads(response.content)

    async def _turn(self) -> None:
        """Waits until a request may begin."""
        while (now := time.monotonic()) < self._until:
            await asyncio.sleep(self._until - now)
        if self.per_second is not None:
            at = max(self._next, time.monotonic())
            self._next = at + 1 / self.per_second
            await asyncio.sleep(max(0.0, at - time.monotonic()))

    def _judged(self, error: Exception, key: str) -> tuple[Answer | None, str, float | None]:
        """What to do about a failed try: an answer (moderation), or what was said and how long to wait.

        Raises:
            EndpointError: where trying again is of no use.
        """
        response = getattr(error, "response", None)
        if response is None:
            if isinstance(error, ProvkitError | TypeError | AttributeError):
                raise error
            return None, f"{type(error).__name__}: {plain(str(error), 80)}", None
        status = response.status_code
        body = _text(response)
        if status == 400 and ("content_filter" in body or "content_policy" in body):
            return Answer(key, "", MODERATED, plain(body, 500)), "", None
        if status in AGAIN:
            return None, f"status {status}", retry_after(response.headers.get("retry-after"))
        shown = plain(body, 300)
        for name in KEYS:
            if secret := os.environ.get(name):
                shown = shown.replace(secret, "***")
        hint = f"\n  set one of {', '.join(KEYS)}" if status in (401, 403) else ""
        raise EndpointError(f"the endpoint refuses the request: status {status}: {shown}{hint}")


def retry_after(header: str | None) -> float | None:
    """Seconds that a Retry-After header asks for (a number or a date), at most an hour; None without one."""
    if header is None:
        return None
    try:
        seconds = float(header)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(header).timestamp() - time.time()
        except ValueError:
            return None
    return min(max(seconds, 0.0), 3600.0) if seconds == seconds else None


def spelled(request: Request) -> str:
    """A request as canonical JSON."""
    return canonical(request.plain()).decode()


def _text(response: Any) -> str:
    try:
        return str(response.text)
    except Exception:  # a body that was not read, or is no text
        return ""


def _read(found: Any, key: str) -> Answer:
    """An answer out of what the client parsed.

    Raises:
        ValueError: when it is none; an incomplete answer is tried again, never kept.
    """
    choices = found.get("choices") if isinstance(found, dict) else None
    choice = choices[0] if isinstance(choices, list) and choices else None
    message = choice.get("message") if isinstance(choice, dict) else None
    if not isinstance(choice, dict) or not isinstance(message, dict):
        raise ValueError("a body without a choice and its message")
    text, refusal, finish = message.get("content"), message.get("refusal"), choice.get("finish_reason")
    if not isinstance(finish, str) or not (isinstance(text, str) or refusal or finish == MODERATED):
        raise ValueError("a message without text or finish_reason")
    usage = found.get("usage")
    counts = usage if isinstance(usage, dict) else {}
    read, wrote = (counts.get(name) for name in ("prompt_tokens", "completion_tokens"))
    counted = [count if isinstance(count, int) else 0 for count in (read, wrote)]
    return Answer(key, text if isinstance(text, str) else "", finish, str(refusal or ""), *counted)
