"""A build whose endpoint goes away, whose disk fills, whose cache is shared, whose prompts change."""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from provkit.builders.teacher import asking, steps
from provkit.llm import Cache
from provkit.llm.prompts import Prompt, prompt

ROWS = 30


def words(server: Any, out: str = "out", *more: str) -> list[str]:
    named = ["--llm", server.url, "--model", "small", "--cache", "answers.sqlite"]
    return ["build", "risky-finance", *named, "--rows", str(ROWS), "-o", out, *more]


def started(folder: Path, *given: str, **options: Any) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", "from provkit.cli import main; main()", *given]
    return subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE, text=True, **options)


def same_as_a_calm_build(bench: Any, server: Any) -> None:
    server.faults = lambda _: None
    assert bench.invoke(*words(server, "calm", "--cache", "calm.sqlite", "--quiet")).exit_code == 0
    assert bench.files(bench.folder / "calm") == bench.files(bench.folder / "out")


def test_an_endpoint_that_is_gone_for_a_while(bench: Any, llm_server: Any) -> None:
    first = llm_server.ModelServer()
    first.delay = lambda _: 0.02
    with first:
        running = started(bench.folder, *words(first))
        while first.total < 20 and running.poll() is None:
            time.sleep(0.005)
        first.go()
    time.sleep(1.5)
    assert running.poll() is None, "it waits"
    with llm_server.ModelServer(first.port) as second:
        said = running.communicate(timeout=60)[1]
        assert running.returncode == 0, said
        assert "the endpoint does not answer (" in said and "tried again for 300 s" in said
        assert len(first.seen.keys() | second.seen.keys()) == 3 * ROWS
        assert first.total + second.total <= 3 * ROWS + 16 + 16, "asked again: those in flight when it went"
        same_as_a_calm_build(bench, second)


def test_a_disk_that_fills_keeps_what_was_paid_for(bench: Any, server: Any) -> None:
    """No file of the child may grow beyond 200 KB: the cache's log is the first to reach that."""
    bounded = {"preexec_fn": lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))}
    running = started(bench.folder, *words(server), "--quiet", "--concurrency", "4", **bounded)
    said = running.communicate(timeout=60)[1]
    assert running.returncode == 2
    assert "answers.sqlite: the cache of answers: " in said and "run the same command again" in said
    assert "Traceback" not in said and not (bench.folder / "out").exists()
    with Cache(bench.folder / "answers.sqlite") as cache:
        kept, paid = len(cache), server.total
    assert 0 < kept < 3 * ROWS and paid - kept <= 4
    assert bench.invoke(*words(server, "out", "--quiet")).exit_code == 0
    assert server.total == paid + 3 * ROWS - kept
    same_as_a_calm_build(bench, server)


def test_two_builds_share_one_cache_at_the_same_time(bench: Any, server: Any) -> None:
    server.delay = lambda _: 0.01
    both = [started(bench.folder, *words(server, out), "--quiet") for out in ("out", "other")]
    said = [one.communicate(timeout=60)[1] for one in both]
    assert [one.returncode for one in both] == [0, 0], said
    assert bench.files(bench.folder / "out") == bench.files(bench.folder / "other")
    with Cache(bench.folder / "answers.sqlite") as cache:
        assert len(cache) == 3 * ROWS
    assert len(server.seen) == 3 * ROWS and max(server.seen.values()) <= 2
    same_as_a_calm_build(bench, server)


@pytest.mark.parametrize(("name", "asked"), [("judge_advice", 1), ("aligned_twin", 1), ("bad_advice", 3)])
def test_a_changed_prompt_reuses_what_it_may_and_nothing_else(
    bench: Any, server: Any, monkeypatch: pytest.MonkeyPatch, name: str, asked: int
) -> None:
    """A new judge or twin prompt asks for its own answers alone, a new question for those that follow from it."""
    given = [*words(server, "out", "--quiet"), "--rows", "6"]
    assert bench.invoke(*given).exit_code == 0
    before, identity = server.total, bench.files(bench.folder / "out")["provenance.json"]
    assert bench.invoke(*given).exit_code == 0 and server.total == before

    def changed(wanted: str) -> Prompt:
        found = prompt(wanted)
        turns = tuple((role, f"{text} Take care.") for role, text in found.turns)
        return Prompt(found.name, turns, found.settings, found.schema) if wanted == name else found

    for module in (steps, asking):
        monkeypatch.setattr(module, "prompt", changed)
    assert bench.invoke(*given).exit_code == 0
    assert server.total == before + 6 * asked
    assert bench.files(bench.folder / "out")["provenance.json"] != identity, "a build of the old prompt is not current"
    assert set(server.seen.values()) == {1}


def test_a_revision_shares_no_answer_with_another(bench: Any, server: Any) -> None:
    for revision in ("one", "two"):
        given = [*words(server, "out", "--quiet"), "--rows", "4", "--revision", revision]
        assert bench.invoke(*given).exit_code == 0
    assert server.total == 24
