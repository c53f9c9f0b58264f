"""The client of an OpenAI-compatible endpoint: tries again where that helps, and says plainly where it does not."""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections.abc import Callable
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from typing import Any

from provkit.canonical import canonical
from provkit.errors import ProvkitError, plain
from provkit.llm import keys
from provkit.llm.bodies import NoAnswer, moderated, read_answer, retry_after
from provkit.llm.model import MODERATED, Answer, Request

AGAIN = {408, 409, 425, 429, 500, 502, 503, 504, 529}
BASE, CAP = 0.5, 30.0  # seconds: the range of a wait doubles from the one to the other
SILENCE = 10.0  # seconds between two words about an endpoint that does not answer


class EndpointError(ProvkitError):
    """The endpoint does not answer, or refuses the request itself; what was answered before is in the cache."""


@dataclass(frozen=True, slots=True)
class Failed:
    """A try that gave no answer: what was seen, and the seconds that the endpoint asked to wait."""

    said: str
    after: float | None = None


@dataclass(slots=True)
class Endpoint:
    """An endpoint and a model behind it.

    Args:
        url: the base, as `http://127.0.0.1:8000/v1`.
        model: the model's name there.
        timeout: seconds for one try, from the first byte sent to the last byte read.
        patience: seconds after its first try for which a request is tried again before the run ends.
        per_second: at most so many tries begin in a second; None for no limit.
        heard: hears, now and then, that the endpoint does not answer.
        chance: draws the waits between tries; no row depends on it.
    """

    url: str
    model: str
    timeout: float = 120.0
    patience: float = 300.0
    per_second: float | None = None
    heard: Callable[[str], None] = lambda _: None
    chance: random.Random = field(default_factory=random.Random)
    tries: int = 0
    _stack: AsyncExitStack | None = None
    _settings: dict[str, Any] = field(default_factory=dict)
    _idle: list[Any] = field(
        default_factory=list
    )  # clients of one connection each: a pool looks at all it has, each time
    _leaving: asyncio.Event = field(default_factory=asyncio.Event)
    _next: float = 0.0
    _until: float = 0.0  # no try begins before: what a Retry-After asked of all of them
    _spoke: float = 0.0

    async def __aenter__(self) -> Endpoint:
        import httpx2  # huggingface_hub's own client would rewrite `response_format` for its own servers

        key = keys.key_from(os.environ)
        headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {key}"} if key else {})
        secure = httpx2.create_ssl_context() if self.url.startswith("https:") else False
        limits = httpx2.Limits(max_connections=1, max_keepalive_connections=1)
        self._settings = {"headers": headers, "timeout": self.timeout, "limits": limits, "verify": secure}
        self._stack, self._idle, self._leaving = AsyncExitStack(), [], asyncio.Event()
        return self

    async def __aexit__(self, *error: object) -> None:
        assert self._stack is not None
        await self._stack.aclose()

    def leave(self) -> None:
        """Lets no further try begin: requests in flight are answered, those that wait for a try end in an error."""
        self._leaving.set()

    async def ask(
        self, request: Request, sample: int, key: str, again: Callable[[], None] = lambda: None
    ) -> tuple[Answer, float]:
        """The answer, and the seconds that its last try took.

        Args:
            request: what is asked.
            sample: which of several answers to it; sent as `seed`.
            key: the key of the answer.
            again: called before every try but the first; an error of it ends the request.

        Raises:
            EndpointError: when the endpoint refuses the request, or does not answer within `patience`.
        """
        body = canonical({**request.plain(), "model": self.model, "seed": sample})
        tries, end = 0, float("inf")
        while True:
            await self._turn()
            start = time.monotonic()
            end = min(end, start + self.patience)
            self.tries += 1
            answer = await self._once(body, key)
            if isinstance(answer, Answer):
                return answer, time.monotonic() - start
            wait = self.wait(tries)
            if answer.after is not None:
                wait += answer.after
                self._until = max(self._until, time.monotonic() + answer.after)
            tries += 1
            if time.monotonic() + wait > end:
                asked = f", and asks to wait {answer.after:,.0f} s" if answer.after else ""
                said = f"the endpoint did not answer in {tries} tries and {self.patience:g} s (--patience)"
                more = "\n  the answers so far are in the cache: run the same command again"
                raise EndpointError(f"{said}: {answer.said}{asked}{more}")
            self._say(answer.said)
            await self._rest(wait)
            again()

    def wait(self, tries: int) -> float:
        """Seconds to wait after so many tries, with full jitter: anything from 0 to BASE, doubled each time up to CAP.

        Source: Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog 2015.
        """
        return self.chance.uniform(0, min(CAP, BASE * 2 ** min(tries, 16)))

    async def _once(self, body: bytes, key: str) -> Answer | Failed:
        """One try.

        Raises:
            EndpointError: where trying again is of no use.
        """
        import httpx2

        assert self._stack is not None
        if not self._idle:
            self._idle.append(await self._stack.enter_async_context(httpx2.AsyncClient(**self._settings)))
        client = self._idle.pop()
        try:
            async with asyncio.timeout(self.timeout):
                response = await client.post(self.url.rstrip("/") + "/chat/completions", content=body)
        except (httpx2.UnsupportedProtocol, httpx2.LocalProtocolError, httpx2.InvalidURL) as error:
            raise EndpointError(f"this endpoint cannot be asked: {_shown(str(error))}") from None
        except (httpx2.TransportError, httpx2.DecodingError, TimeoutError) as error:
            return Failed(f"{type(error).__name__} {_shown(str(error), 80)}".strip())
        finally:
            self._idle.append(client)
        if response.status_code == 200:
            try:
                return read_answer(response.content, key)
            except NoAnswer as error:
                return Failed(_shown(str(error), 120))
        if moderated(response.status_code, response.content):
            return Answer(key, "", MODERATED, _shown(response.content.decode(errors="replace"), 500))
        if response.status_code in AGAIN:
            return Failed(f"status {response.status_code}", retry_after(response.headers.get("retry-after")))
        said = f"status {response.status_code}: {_shown(response.content.decode(errors='replace'), 300)}"
        hint = f"\n  set one of {', '.join(keys.NAMES)}" if response.status_code in (401, 403) else ""
        raise EndpointError(f"the endpoint refuses the request: {said}{hint}")

    async def _turn(self) -> None:
        """Waits until a try may begin."""
        if self.per_second is not None:
            at = max(self._next, time.monotonic())
            self._next = at + 1 / self.per_second
            await self._rest(at - time.monotonic())
        while (now := time.monotonic()) < self._until:
            await self._rest(self._until - now)

    async def _rest(self, seconds: float) -> None:
        """Sleeps before a try.

        Raises:
            EndpointError: when the run ends meanwhile.
        """
        if seconds > 0:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._leaving.wait(), seconds)
        if self._leaving.is_set():
            raise EndpointError("the run ended before this request was answered")

    def _say(self, said: str) -> None:
        now = time.monotonic()
        if now - self._spoke >= SILENCE:
            self._spoke = now
            self.heard(f"the endpoint does not answer ({said}); a request is tried again for {self.patience:g} s")


def spelled(request: Request) -> str:
    """A request as canonical JSON."""
    return canonical(request.plain()).decode()


def _shown(text: str, limit: int = 300) -> str:
    """Text of the endpoint, safe to print and without a key; hidden first, as a cut key would not be found."""
    return plain(keys.hidden(text), limit)
