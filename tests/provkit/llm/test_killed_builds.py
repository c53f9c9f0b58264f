"""A build of 500 requests that is killed twenty times: nothing finished is asked again, and the set is the same."""

from __future__ import annotations

import multiprocessing
import random
import sqlite3
import time
from collections import Counter
from pathlib import Path
from typing import Any

from provkit.llm.model import key_of

PRELOADED = ["provkit.cli.build", "provkit.audit", "provkit.llm.sessions", "httpx2", "provkit.builders.teacher.accept",
             "provkit.builders.teacher.steps", "provkit.builders.teacher.side", "provkit.builders.teacher.topics"]  # fmt: skip
ROWS, KILLS, CONCURRENCY = 167, 20, 4  # three requests a row


def finished(path: Path) -> set[str]:
    """The keys of all answers that are on disk."""
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as cache:
        return {key for (key,) in cache.execute("SELECT key FROM answers")}


def seen(server: Any) -> Counter[str]:
    """How often the server was asked for each answer, by the key that the answer has in the cache."""
    keys = []
    for one in server.asked:
        request = {name: value for name, value in one.items() if name not in ("model", "seed")}
        keys.append(key_of(request, one["model"], "", one["seed"]))
    return Counter(keys)


def test_twenty_kills_lose_nothing_but_what_was_in_flight(bench: Any, server: Any) -> None:
    chance = random.Random(20)
    points = sorted(chance.sample(range(1, 3 * ROWS), KILLS))
    server.delay = lambda _: 0.004
    words = ["build", "risky-finance", "--llm", server.url, "--model", "small", "--rows", str(ROWS), "--quiet"]
    given = [*words, "--cache", "answers.sqlite", "-o", "out", "--concurrency", str(CONCURRENCY)]
    code = f"import os; os.chdir({str(bench.folder)!r}); from provkit.cli import main; main({given!r})"
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    paid: dict[str, int] = {}  # how often each finished request had been asked for at the last kill
    for point in points:
        before = server.total
        running = context.Process(target=exec, args=(code, {}))
        running.start()
        while (len(server.seen) < point or server.total == before) and running.is_alive():
            time.sleep(0.001)
        time.sleep(chance.uniform(0, 0.004))
        running.kill()
        running.join()
        while server.flying:  # what the killed one's sockets still delivered
            time.sleep(0.001)
        counted, kept = seen(server), finished(bench.folder / "answers.sqlite")
        assert {key: counted[key] for key in paid} == paid, "nothing that was finished is asked for again"
        assert len(counted.keys() - kept) <= CONCURRENCY, "a kill loses no more than what is in flight"
        paid = {key: counted[key] for key in kept}
    assert bench.invoke(*words, "-o", "out", "--cache", "answers.sqlite").exit_code == 0
    counted = seen(server)
    assert len(counted) == 3 * ROWS
    assert {key: counted[key] for key in paid} == paid
    assert sum(counted.values()) <= 3 * ROWS + KILLS * CONCURRENCY
    assert bench.invoke(*words, "-o", "whole", "--cache", "new.sqlite").exit_code == 0
    assert bench.files(bench.folder / "whole") == bench.files(bench.folder / "out")
    assert not list(bench.folder.glob(".out*")), "no half-made directory is left"
