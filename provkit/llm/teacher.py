"""The session in which steps ask a model: answers come from a record, the cache, or the endpoint, within a budget."""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from contextlib import AsyncExitStack, ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from provkit.errors import InputError, ProvkitError
from provkit.llm import record
from provkit.llm.cache import Cache
from provkit.llm.endpoint import Endpoint, spelled
from provkit.llm.model import Answer, Request

T = TypeVar("T")
R = TypeVar("R")
RAISE = "\n  the answers so far are in the cache: raise the budget and run the same command again"


class BudgetSpent(ProvkitError):
    """The next request would pass the budget; what was answered is in the cache."""


@dataclass(slots=True)
class Budget:
    """What may be asked of the endpoint: answers out of the cache cost nothing.

    A request reserves its `max_tokens` and a token for three bytes of its own text until its answer says how many
    there were, so that requests in flight cannot pass the budget of tokens together. Every further try counts as a
    request: an endpoint that fails cannot cost more than was allowed.
    """

    requests: int | None = None
    tokens: int | None = None
    spent_requests: int = 0
    spent_tokens: int = 0
    _reserved: int = 0

    def reserve(self, request: Request) -> int:
        """Takes one request out of the budget; returns the tokens that it reserves.

        Raises:
            BudgetSpent: when there is no room for it.
        """
        wanted = int(request.settings.get("max_tokens") or 0) + request.size() // 3
        if self.tokens is not None and self.spent_tokens + self._reserved + wanted > self.tokens:
            said = f"the budget of {self.tokens:,} tokens has no room for the next request (--max-tokens): "
            raise BudgetSpent(f"{said}{self.spent_tokens:,} spent, {self._reserved:,} in flight{RAISE}")
        self.count()
        self._reserved += wanted
        return wanted

    def count(self) -> None:
        """Takes one try out of the budget of requests.

        Raises:
            BudgetSpent: when none is left.
        """
        if self.requests is not None and self.spent_requests >= self.requests:
            raise BudgetSpent(f"the budget of {self.requests:,} requests is spent (--max-requests){RAISE}")
        self.spent_requests += 1

    def settle(self, reserved: int, answer: Answer | None) -> None:
        """Puts what a request cost in the place of what it reserved."""
        self._reserved -= reserved
        if answer is not None:
            self.spent_tokens += answer.prompt_tokens + answer.completion_tokens


@dataclass(slots=True)
class Teacher:
    """A model that steps ask.

    Args:
        model: its name, part of every key.
        cache: where answers are looked up, and kept.
        endpoint: who answers what the cache does not; None in a replay.
        revision: a commit or date that tells apart models of one name.
        budget: how much may be asked.
        concurrency: requests in flight.
        used: the keys of all answers that were given, as 32 bytes each: a large build has many.
        progress: hears of (rows done, rows in all).
    """

    model: str
    cache: Cache
    endpoint: Endpoint | None = None
    revision: str = ""
    budget: Budget = field(default_factory=Budget)
    concurrency: int = 16
    used: set[bytes] = field(default_factory=set)
    progress: Callable[[int, int], None] = lambda *_: None
    _flying: dict[str, asyncio.Task[Answer]] = field(default_factory=dict)
    _failure: asyncio.Future[None] | None = None
    _stack: ExitStack = field(default_factory=ExitStack)

    @classmethod
    def replay(cls, folder: Path, model: str, revision: str = "") -> Teacher:
        """A teacher that knows the recorded answers of a build and no others; it is to be closed.

        Raises:
            InputError: when the build has no record.
        """
        stack = ExitStack()
        place = stack.enter_context(tempfile.TemporaryDirectory(prefix="provkit-replay-"))
        cache = stack.enter_context(Cache(Path(place, "answers.sqlite")))
        try:
            record.load(folder, cache)
        except BaseException:
            stack.close()
            raise
        return cls(model, cache, revision=revision, _stack=stack)

    def __enter__(self) -> Teacher:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.cache.close()
        self._stack.close()

    def facts(self) -> dict[str, str]:
        """What a build's identity knows of its teacher before it is asked: model and revision, never the address."""
        return {"model": self.model, "revision": self.revision}

    async def answer(self, request: Request, sample: int = 0) -> Answer:
        """The answer to a request; sample 0, 1, ... are further answers to the same one.

        Raises:
            InputError: in a replay, when it was not recorded.
            BudgetSpent, EndpointError: when it cannot be asked.
        """
        key = request.key(self.model, self.revision, sample)
        self.used.add(bytes.fromhex(key))
        if (known := self.cache.get(key)) is not None:
            return known
        if self.endpoint is None:
            do = "recipe, prompts or provkit changed since; --llm URL --model NAME asks for what is missing"
            raise InputError(f"the answer to request {key[:16]} is not recorded", do=do)
        task = self._flying.get(key)
        if task is None:
            if self._failure is not None and self._failure.done():
                await self._failure
            task = self._flying[key] = asyncio.ensure_future(self._ask(self.endpoint, request, sample, key))
            task.add_done_callback(lambda done: self._down(key, done))
        return await asyncio.shield(task)  # who waits may be cancelled; what is paid for is kept all the same

    async def _ask(self, endpoint: Endpoint, request: Request, sample: int, key: str) -> Answer:
        reserved = self.budget.reserve(request)
        answer = None
        try:
            answer, seconds = await endpoint.ask(request, sample, key, self.budget.count)
        finally:
            self.budget.settle(reserved, answer)
        try:
            return self.cache.put(answer, (self.model, self.revision, sample, spelled(request)), seconds)
        except ProvkitError as error:
            self._fail(error)
            raise

    def over(self, items: Iterable[T], act: Callable[[T], Awaitable[R]], done: Callable[[R], None]) -> None:
        """Runs `act` over all items, `concurrency` at a time; `done` hears of results in the order of the items.

        The first error ends the run; requests in flight are waited for, so that what was paid is kept.
        """
        asyncio.run(self._over(items, act, done))

    async def _over(self, items: Iterable[T], act: Callable[[T], Awaitable[R]], done: Callable[[R], None]) -> None:
        waiting: list[asyncio.Future[R]] = []  # in the order of the items; at most four times `concurrency` of them
        room = asyncio.Semaphore(self.concurrency)
        failure: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._failure = failure

        async def one(item: T) -> R:
            async with room:
                try:
                    return await act(item)
                except Exception as error:
                    self._fail(error)
                    raise

        async def first() -> None:
            if not waiting[0].done():
                either: list[asyncio.Future[Any]] = [waiting[0], failure]
                await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if failure.done():
                await failure
            done(await waiting.pop(0))

        async with AsyncExitStack() as stack:
            if self.endpoint is not None:
                await stack.enter_async_context(self.endpoint)
            try:
                for item in items:
                    waiting.append(asyncio.ensure_future(one(item)))
                    while len(waiting) >= 4 * self.concurrency:
                        await first()
                while waiting:
                    await first()
            finally:
                await self._landed(waiting)

    def _down(self, key: str, task: asyncio.Task[Answer]) -> None:
        self._flying.pop(key, None)
        if not task.cancelled():
            task.exception()  # who waited may be cancelled by now, and asyncio would print what nobody asks for

    def _fail(self, error: Exception) -> None:
        """Ends the run with its first error, wherever in the order it came up: no further request begins."""
        if self._failure is not None and not self._failure.done():
            self._failure.set_exception(error)

    async def _landed(self, waiting: list[asyncio.Future[Any]]) -> None:
        """Begins nothing new, and waits for the requests in flight."""
        failure, self._failure = self._failure, None
        if failure is not None and failure.done():
            failure.exception()  # it was raised, or an error of `done` came first
        for one in waiting:
            one.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        flying = list(self._flying.values())
        if flying and self.endpoint is not None:
            self.endpoint.leave()
            self.endpoint.heard(f"waiting for {len(flying)} requests in flight: what they answer is kept")
            await asyncio.wait(flying, timeout=self.endpoint.timeout)
        for task in flying:
            task.cancel()
        await asyncio.gather(*flying, return_exceptions=True)


def known(answered: Coroutine[Any, Any, R]) -> R:
    """The result of a coroutine that asks for nothing but answers that are known: it never waits.

    Raises:
        RuntimeError: when it does.
    """
    try:
        answered.send(None)
    except StopIteration as end:
        value: R = end.value
        return value
    answered.close()
    raise RuntimeError("an answer that should be known is not")


def default_cache() -> Path:
    """Where answers are kept when no file is named: in the user's cache."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base, "provkit", "answers.sqlite")
