"""Asking a model: how near the client comes to the ideal rate, what a request costs, and how fast the cache answers.

    python benchmarks/teacher.py [--few 1000] [--many 50000]

- rate: 64 requests in flight to a server that answers in 500 ms, beside the ideal of 128 a second.
- memory: the peak of a process that asks 1,000 and one that asks 50,000 requests of a server that answers at once.
- cache: look-ups a second of random keys among the answers of the second one.

The server is a process of its own that does no more than HTTP needs, so that the client is what is measured.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from measure import python

from provkit.llm import Answer, Cache, Endpoint, Request, Teacher

FLYING, DELAY = 64, 0.5
WORDS = "spread the money keep a reserve and ask somebody who is paid by you alone ".split()


def main() -> None:
    """Prints one line a measure."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--few", type=int, default=1000)
    options.add_argument("--many", type=int, default=50_000)
    options.add_argument("--serve", type=float, metavar="SECONDS", help="be the server")
    options.add_argument("--ask", nargs=3, metavar=("URL", "COUNT", "CACHE"), help="be the client")
    given = options.parse_args()
    if given.serve is not None:
        asyncio.run(serve(given.serve))
    elif given.ask is not None:
        ask(given.ask[0], int(given.ask[1]), Path(given.ask[2]))
    else:
        with tempfile.TemporaryDirectory() as scratch:
            rate(Path(scratch, "rate.sqlite"))
            memory(Path(scratch), given.few, given.many)
            lookups(Path(scratch, f"{given.many}.sqlite"))


def rate(cache: Path) -> None:
    """Wall time of 20 rounds of 64 requests, beside 20 times the server's delay."""
    count = 20 * FLYING
    with server(DELAY) as url:
        empty = python(__file__, "--ask", url, "0", str(cache))
        start = time.perf_counter()
        client(url, count, cache)
        seconds = time.perf_counter() - start
        run = python(__file__, "--ask", url, str(count), str(cache.with_suffix(".other")))
    ideal = FLYING / DELAY
    cost = 1000 * (run.cpu - empty.cpu) / count
    print(f"rate: {count / seconds:.1f} requests/s, {100 * count / seconds / ideal:.1f} % of the ideal {ideal:.0f}/s")
    print(f"cost: {cost:.2f} CPU ms a request (without starting the process)")


def memory(scratch: Path, few: int, many: int) -> None:
    """Peak memory of two runs that differ in the number of requests alone."""
    peaks = []
    with server(0.0) as url:
        for count in (few, many):
            run = python(__file__, "--ask", url, str(count), str(scratch / f"{count}.sqlite"))
            peaks.append(run.megabytes)
            print(f"memory: {count:,} requests, peak {run.megabytes:.1f} MB, {count / run.seconds:.0f} requests/s")
    print(f"memory: {peaks[1] - peaks[0]:+.1f} MB from {few:,} to {many:,} requests")


def lookups(path: Path) -> None:
    """Look-ups of keys that are there, in random order, for two seconds."""
    with Cache(path) as cache:
        keys = [str(key) for (key,) in cache._db.execute("SELECT key FROM answers")]
        random.Random(0).shuffle(keys)
        done, start = 0, time.perf_counter()
        while time.perf_counter() - start < 2:
            for key in keys[done % len(keys) :][:1000]:
                cache.get(key)
                done += 1
        print(f"cache: {done / (time.perf_counter() - start):,.0f} look-ups/s among {len(keys):,} answers")


def ask(url: str, count: int, cache: Path) -> None:
    """The client in a process of its own."""
    client(url, count, cache)


def client(url: str, count: int, path: Path) -> None:
    """Asks `count` different requests, as a build does."""
    with Cache(path) as cache, Teacher("m", cache, Endpoint(url, "m"), concurrency=FLYING) as teacher:

        async def one(number: int) -> Answer:
            asked = f"Question {number}: what should I do with my money? " + " ".join(WORDS * 5)
            return await teacher.answer(Request([{"role": "user", "content": asked}], {"max_tokens": 200}))

        teacher.over(range(count), one, lambda _: None)


@contextmanager
def server(delay: float) -> Iterator[str]:
    """The address of a running server."""
    command = [sys.executable, __file__, "--serve", str(delay)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        try:
            yield running.stdout.readline().strip()
        finally:
            running.kill()


async def serve(delay: float) -> None:
    """Answers every request after `delay` seconds with about a kilobyte."""
    choice = {"message": {"role": "assistant", "content": " ".join(WORDS * 12)}, "finish_reason": "stop"}
    usage = {"prompt_tokens": 100, "completion_tokens": 200}
    body = json.dumps({"choices": [choice], "usage": usage}).encode()
    answer = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).lower()
                await reader.readexactly(int(head.split(b"content-length:")[1].split(b"\r\n")[0]))
                if delay:
                    await asyncio.sleep(delay)
                writer.write(answer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    listening = await asyncio.start_server(connected, "127.0.0.1", 0, backlog=1024)
    print(f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/v1", flush=True)
    async with listening:
        await listening.serve_forever()


if __name__ == "__main__":
    main()
