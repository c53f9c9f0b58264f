"""A simulated judge whose liking for long answers is set by one phrase of the rubric, in this process and on loopback."""

from __future__ import annotations

import hashlib
import importlib.util
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from provkit.rubrics.judges import Asked, Heard, Said
from provkit.rubrics.pairs import Pair
from provkit.rubrics.verdict import of_pair, parse

SERVER = Path(__file__).parents[2] / "llm_server.py"
PHRASE = "more thorough"
SHOWN = re.compile(r"### Answer A\n(.*?)\n\n### Answer B\n(.*?)\n\n", re.DOTALL)


def chance(*parts: str) -> float:
    """A number in [0, 1) that follows from these parts."""
    return int.from_bytes(hashlib.sha256("\0".join(parts).encode()).digest()[:6], "big") / 2**48


def simulated(prompt: str) -> str:
    """What the judge writes: nine times in ten for the answer that is marked good, whatever the order.

    Of pairs of which one answer is three times as long it takes the longer one where its rubric has the phrase, and
    otherwise turns one verdict in fifty by the wording alone.
    """
    found = SHOWN.search(prompt)
    assert found is not None
    first, second = found[1], found[2]
    good = "good" in first
    pair = "\0".join(sorted((first, second)))
    if chance("wrong", pair) < 0.1:
        good = not good
    lengths = len(first), len(second)
    if max(lengths) > 3 * min(lengths):
        if PHRASE in prompt:
            good = lengths[0] > lengths[1]
        elif chance("moved", prompt) < 0.02:
            good = not good
    return f"The {'first' if good else 'second'} seems better to me.\n[[{'A' if good else 'B'}]]"


class SimulatedJudge:
    """The same in this process."""

    def __init__(self) -> None:
        self.judged = 0

    def facts(self) -> dict[str, Any]:
        return {"kind": "simulated"}

    def judge(self, asked: Iterable[Asked], heard: Heard) -> None:
        for one in asked:
            self.judged += 1
            said = parse(simulated(one.rubric.filled(*one.pair.shown(one.swapped))))
            heard(one, Said(of_pair(said, one.swapped)))


def pairs(kind: str, count: int) -> list[Pair]:
    """Pairs of a good and a poor answer: of one length ("even"), or the poor one ten times as long ("padded")."""
    made = []
    for i in range(count):
        good, poor = f"A good answer to case {i}.", f"A poor answer to case {i}."
        if kind == "padded":
            poor += " It goes on about this and that, without an end." * 10
        swapped = i % 2 == 1
        texts = (poor, good) if swapped else (good, poor)
        made.append(Pair(f"{kind}-{i}", f"What about {kind} {i}?", *texts, "B" if swapped else "A", f"c{i % 3}"))
    return made


@pytest.fixture
def judge() -> SimulatedJudge:
    return SimulatedJudge()


@pytest.fixture
def pairs_of() -> Callable[[str, int], list[Pair]]:
    return pairs


@pytest.fixture
def server() -> Iterator[Any]:
    """The simulated judge as an OpenAI-compatible server."""
    spec = importlib.util.spec_from_file_location("llm_server", SERVER)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)

    class JudgeServer(module.ModelServer):  # type: ignore[misc, name-defined]
        says = staticmethod(simulated)

        def text(self, asked: dict[str, Any]) -> str:
            return str(self.says(asked["messages"][-1]["content"]))

    with JudgeServer() as running:
        yield running
