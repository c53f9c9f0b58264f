"""The session: a budget that cannot be passed, one request for one question, and nothing paid for twice."""

from __future__ import annotations

import asyncio
import gc
import os
import random
import types
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from provkit.errors import InputError
from provkit.llm import Answer, Budget, Cache, Endpoint, Request, Teacher
from provkit.llm.endpoint import EndpointError
from provkit.llm.teacher import BudgetSpent, default_cache, known


class Eager(random.Random):
    def uniform(self, a: float, b: float) -> float:
        return a


def asked(number: int = 0, most: int = 100) -> Request:
    return Request([{"role": "user", "content": f"Question {number}"}], {"max_tokens": most})


def teacher(server: Any, folder: Path, **options: Any) -> Teacher:
    cache = Cache(folder / "answers.sqlite")
    return Teacher("small", cache, Endpoint(server.url, "small", chance=Eager(), patience=5), **options)


def run(one: Teacher, numbers: list[int]) -> list[Answer]:
    answers: list[Answer] = []
    one.over(numbers, lambda number: one.answer(asked(number)), answers.append)
    return answers


def test_answers_come_in_the_order_of_the_questions(server: Any, tmp_path: Path) -> None:
    server.delay = lambda number: 0.02 * (number % 3)
    with teacher(server, tmp_path, concurrency=5) as one:
        answers = run(one, list(range(40)))
        assert [answer.key for answer in answers] == [asked(number).key("small", "", 0) for number in range(40)]
        assert {key.hex() for key in one.used} == {answer.key for answer in answers}


def test_one_question_that_several_rows_ask_is_asked_once(server: Any, tmp_path: Path) -> None:
    server.delay = lambda _: 0.05
    with teacher(server, tmp_path, concurrency=8) as one:
        assert len({answer.text for answer in run(one, [7] * 20)}) == 1
    assert server.total == 1 and one.budget.spent_requests == 1


def test_no_more_than_so_many_are_in_flight(server: Any, tmp_path: Path) -> None:
    server.delay = lambda _: 0.01
    with teacher(server, tmp_path, concurrency=3) as one:
        run(one, list(range(30)))
    assert server.most == 3 and server.total == 30


def test_a_sample_a_model_and_a_revision_each_have_their_own_answer(server: Any, tmp_path: Path) -> None:
    for options in ({}, {"revision": "r1"}, {"revision": "r2"}):
        with teacher(server, tmp_path, **options) as one:
            one.over([0, 1], lambda sample: one.answer(asked(), sample), lambda _: None)
    assert server.total == 6
    with teacher(server, tmp_path, revision="r1") as one:
        one.over([0, 1], lambda sample: one.answer(asked(), sample), lambda _: None)
    assert server.total == 6


def test_the_budget_of_requests_counts_every_try(server: Any, tmp_path: Path) -> None:
    server.faults = lambda number: (500, b"", {}) if number % 2 else None
    with teacher(server, tmp_path, budget=Budget(requests=7), concurrency=1) as one:
        with pytest.raises(BudgetSpent, match="7 requests is spent"):
            run(one, list(range(10)))
        assert server.total == 7 and len(one.cache) == 3


def test_the_budget_of_tokens_holds_for_requests_in_flight_together(server: Any, tmp_path: Path) -> None:
    """70 tokens an answer, up to 100 and the request reserved: 1,000 tokens never pass."""
    server.delay = lambda _: 0.02
    with teacher(server, tmp_path, budget=Budget(tokens=1000), concurrency=16) as one:
        with pytest.raises(BudgetSpent, match="no room for the next request"):
            run(one, list(range(60)))
        assert one.budget.spent_tokens == 70 * len(one.cache) <= 1000
        assert one.budget._reserved == 0


def test_a_reserve_is_given_back_when_the_answer_says_what_it_was() -> None:
    budget = Budget(tokens=300)
    reserved = budget.reserve(asked(most=200))
    with pytest.raises(BudgetSpent):
        budget.reserve(asked(most=200))
    budget.settle(reserved, Answer("k", "x", "stop", "", 30, 10))
    assert budget.spent_tokens == 40
    budget.settle(budget.reserve(asked(most=200)), None)
    assert budget.spent_tokens == 40 and budget.spent_requests == 2


def test_an_error_begins_nothing_new_and_keeps_what_is_in_flight(server: Any, tmp_path: Path) -> None:
    server.delay = lambda number: 0.0 if number == 1 else 0.3
    server.faults = lambda number: (404, b"no model", {}) if number == 1 else None
    with teacher(server, tmp_path, concurrency=4) as one:
        with pytest.raises(EndpointError, match="status 404"):
            run(one, list(range(40)))
        assert server.total <= 8
        assert len(one.cache) == server.total - 1


def test_an_error_is_no_answer_later(server: Any, tmp_path: Path) -> None:
    server.faults = lambda _: (404, b"", {})
    with teacher(server, tmp_path) as one, pytest.raises(EndpointError):
        run(one, [0])
    server.faults = lambda _: None
    with teacher(server, tmp_path) as one:
        assert run(one, [0])[0].text


def test_a_request_that_fails_when_nobody_waits_for_it_prints_nothing(
    server: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Its row is cancelled by the error of another; the disk is full when its answer comes, while rows still end."""
    flying, cancelled = asyncio.Event(), asyncio.Event()

    async def slow(*_: Any) -> Any:
        flying.set()
        await cancelled.wait()
        raise InputError("the disk is full")

    async def act(number: int) -> None:
        if number:
            await flying.wait()
            raise ValueError("the first error")
        try:
            await one.answer(asked())
        except asyncio.CancelledError:
            cancelled.set()
            await asyncio.sleep(0.05)
            raise

    with teacher(server, tmp_path) as one:
        monkeypatch.setattr(Endpoint, "ask", slow)
        with pytest.raises(ValueError, match="the first error"):
            one.over([0, 1], act, lambda _: None)
    gc.collect()
    assert cancelled.is_set() and caplog.text == ""


def test_without_an_endpoint_what_is_not_recorded_is_said(tmp_path: Path) -> None:
    with Cache(tmp_path / "a.sqlite") as cache, pytest.raises(InputError, match="is not recorded"):
        asyncio.run(Teacher("small", cache).answer(asked()))


def test_a_coroutine_that_would_wait_is_no_known_answer() -> None:
    @types.coroutine
    def waits() -> Generator[None, None, int]:
        yield
        return 1

    async def asks() -> int:
        return await waits()

    with pytest.raises(RuntimeError, match="should be known is not"):
        known(asks())


def test_the_cache_lies_with_the_user(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert default_cache() == tmp_path / "provkit" / "answers.sqlite"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert default_cache() == Path(os.environ["HOME"], ".cache", "provkit", "answers.sqlite")
