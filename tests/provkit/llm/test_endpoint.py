"""The client over real sockets: what is tried again, when, how often, and what is never tried again."""

from __future__ import annotations

import asyncio
import random
import socket
import threading
import time
from email.utils import formatdate
from typing import Any

import pytest

from provkit.llm import Answer, Endpoint, Request
from provkit.llm.endpoint import EndpointError

ASKED = Request([{"role": "user", "content": "Is tea hot?"}], {"temperature": 0.5, "max_tokens": 20})


class Eager(random.Random):
    """Draws the shortest wait."""

    def uniform(self, a: float, b: float) -> float:
        return a


def endpoint(server: Any, **options: Any) -> Endpoint:
    return Endpoint(server if isinstance(server, str) else server.url, "small", chance=Eager(), **options)


def ask(one: Endpoint, times: int = 1) -> list[Answer]:
    async def run() -> list[Answer]:
        async with one:
            asked = [one.ask(ASKED, sample, f"key {sample}") for sample in range(times)]
            return [answer for answer, _ in await asyncio.gather(*asked)]

    return asyncio.run(run())


def test_the_request_goes_out_as_it_was_made(server: Any) -> None:
    (answer,) = ask(endpoint(server))
    turns = [{"role": "user", "content": "Is tea hot?"}]
    assert server.asked == [{"messages": turns, "temperature": 0.5, "max_tokens": 20, "model": "small", "seed": 0}]
    assert answer.text.startswith("Sound advice") and (answer.prompt_tokens, answer.completion_tokens) == (50, 20)
    assert "Authorization" not in server.headers[0]


def test_the_key_goes_to_the_endpoint(server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROVKIT_LLM_KEY", "sk-mine\n")
    ask(endpoint(server))
    assert {name.lower(): value for name, value in server.headers[0].items()}["authorization"] == "Bearer sk-mine"


@pytest.mark.parametrize("status", [408, 409, 425, 429, 500, 502, 503, 504, 529])
def test_a_status_that_may_pass_is_tried_again(server: Any, status: int) -> None:
    server.faults = lambda number: (status, b"later", {}) if number < 4 else None
    one = endpoint(server)
    ask(one)
    assert one.tries == server.total == 4 and len(server.seen) == 1


@pytest.mark.parametrize("status", [301, 400, 401, 404, 413, 422])
def test_a_status_that_will_not_pass_ends_the_run_at_once(server: Any, status: int) -> None:
    server.faults = lambda _: (status, b"no \x1b[31mred", {"Location": "http://127.0.0.1:9/"})
    with pytest.raises(EndpointError, match=f"status {status}: no .x1b.31mred"):
        ask(endpoint(server))
    assert server.total == 1


def test_a_try_that_takes_too_long_is_given_up_and_tried_again(server: Any) -> None:
    server.delay = lambda number: 1.5 if number == 1 else 0.0
    start = time.monotonic()
    ask(endpoint(server, timeout=0.3))
    assert server.total == 2 and time.monotonic() - start < 1.4


def test_a_body_that_drips_is_given_up_as_a_whole() -> None:
    """Each byte comes in time; the answer as a whole never does."""
    listening = socket.create_server(("127.0.0.1", 0))

    def drip() -> None:
        client, _ = listening.accept()
        with client:
            client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
            try:
                while True:
                    client.sendall(b" ")
                    time.sleep(0.02)
            except OSError:
                return

    threading.Thread(target=drip, daemon=True).start()
    with listening, pytest.raises(EndpointError, match="TimeoutError"):
        ask(endpoint(f"http://127.0.0.1:{listening.getsockname()[1]}/v1", timeout=0.3, patience=0.2))


def test_nobody_at_home_is_said_while_it_is_tried_and_at_the_end() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    heard: list[str] = []
    one = Endpoint(f"http://127.0.0.1:{port}/v1", "small", patience=0.6, heard=heard.append, chance=random.Random(3))
    with pytest.raises(EndpointError, match=r"did not answer in \d+ tries and 0.6 s .--patience.: ConnectError"):
        ask(one)
    assert one.tries > 1
    assert len(heard) == 1 and "does not answer (ConnectError" in heard[0]


@pytest.mark.parametrize("spell", [lambda: "1", lambda: formatdate(time.time() + 1.9, usegmt=True)])
def test_retry_after_holds_for_all_requests(server: Any, spell: Any) -> None:
    server.faults = lambda number: (429, b"", {"Retry-After": spell()}) if number == 1 else None
    one = endpoint(server)
    arrived: list[float] = []
    server.delay = lambda _: arrived.append(time.monotonic()) or 0.0

    async def run() -> None:
        async with one:
            first = asyncio.ensure_future(one.ask(ASKED, 0, "a"))
            while server.total == 0 or one._until == 0:
                await asyncio.sleep(0.01)
            await one.ask(ASKED, 1, "b")
            await first

    asyncio.run(run())
    assert len(arrived) == 3
    assert all(moment - arrived[0] > 0.8 for moment in arrived[1:])


def test_a_retry_after_beyond_the_patience_ends_the_run_and_says_so(server: Any) -> None:
    server.faults = lambda _: (429, b"", {"Retry-After": "1800"})
    with pytest.raises(EndpointError, match="in 1 tries .* status 429, and asks to wait 1,800 s"):
        ask(endpoint(server))


def test_full_jitter_draws_from_zero_to_a_range_that_doubles_up_to_half_a_minute() -> None:
    one = Endpoint("http://x/v1", "small", chance=random.Random(7))
    for tries, top in [(0, 0.5), (1, 1.0), (3, 4.0), (5, 16.0), (6, 30.0), (5000, 30.0)]:
        drawn = [one.wait(tries) for _ in range(400)]
        assert 0 <= min(drawn) < top / 20 and top * 0.95 < max(drawn) <= top
        assert sum(drawn) / 400 == pytest.approx(top / 2, rel=0.1)


def test_at_most_so_many_tries_begin_in_a_second(server: Any) -> None:
    arrived: list[float] = []
    server.delay = lambda _: arrived.append(time.monotonic()) or 0.0
    ask(endpoint(server, per_second=20), times=11)
    assert sorted(arrived)[-1] - sorted(arrived)[0] > 0.45


def test_the_patience_begins_with_the_first_try_not_with_the_wait_for_it(server: Any) -> None:
    server.faults = lambda number: (500, b"", {}) if number == 3 else None
    ask(endpoint(server, per_second=4, patience=0.5), times=3)
    assert server.total == 4


def test_an_address_that_is_none_is_not_tried_again() -> None:
    with pytest.raises(EndpointError, match="cannot be asked"):
        ask(endpoint("ftp://127.0.0.1/v1"))


def test_who_leaves_waits_for_no_further_try(server: Any) -> None:
    server.faults = lambda _: (429, b"", {"Retry-After": "30"})

    async def run() -> float:
        async with endpoint(server) as one:
            asked = asyncio.ensure_future(one.ask(ASKED, 0, "k"))
            while one._until == 0:
                await asyncio.sleep(0.01)
            start = time.monotonic()
            one.leave()
            with pytest.raises(EndpointError, match="the run ended"):
                await asked
            return time.monotonic() - start

    assert asyncio.run(run()) < 2


def test_every_further_try_is_announced_before_it_is_made(server: Any) -> None:
    server.faults = lambda _: (500, b"", {})
    left = iter([None, None])

    def again() -> None:
        try:
            next(left)
        except StopIteration:
            raise EndpointError("no more") from None

    async def run() -> None:
        async with endpoint(server) as one:
            await one.ask(ASKED, 0, "k", again)

    with pytest.raises(EndpointError, match="no more"):
        asyncio.run(run())
    assert server.total == 3
