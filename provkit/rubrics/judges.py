"""Judges behind one interface: a language model behind an endpoint, and a stand-in that needs none."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from provkit.embed import Embedder
from provkit.llm import Request, Teacher
from provkit.rubrics.pairs import Pair
from provkit.rubrics.pieces import split
from provkit.rubrics.template import Rubric
from provkit.rubrics.verdict import UNPARSED, Verdict, of_pair, parse

SETTINGS = {"temperature": 0.0, "max_tokens": 2048}
TAIL = 200  # characters of an output without a verdict that are kept
STANDS_IN = (
    "the verdicts are those of a stand-in (similarity of each answer to the rubric's sentences, by embeddings), not of "
    "a language model: they show that a pipeline runs, not how a model judges"
)


@dataclass(frozen=True, slots=True)
class Asked:
    """One judgement that is wanted: a pair under a rubric, its second answer shown first where `swapped`."""

    rubric: Rubric
    dataset: str
    pair: Pair
    swapped: bool


@dataclass(frozen=True, slots=True)
class Said:
    """A verdict on the pair's own answers, the key of its request, and what was written where it is unparsed."""

    verdict: Verdict
    request: str | None = None
    output: str = ""


Heard = Callable[[Asked, Said], None]


class Judge(Protocol):
    """Who judges pairs under rubrics."""

    def facts(self) -> dict[str, Any]:
        """Who it is: what makes two verdicts those of one judge, and `stands_in` where it stands in for a model."""

    def judge(self, asked: Iterable[Asked], heard: Heard) -> None:
        """Judges; `heard` gets the verdicts in the order in which they were asked for."""


class EndpointJudge:
    """A model behind an OpenAI-compatible endpoint: the filled rubric is the only turn, temperature 0.

    Answers come through the cache, whose keys hold model, revision and the whole request, so that a judge never gets
    another one's verdict. An answer that is refused, moderated, cut short or empty is unparsed.
    """

    def __init__(self, teacher: Teacher) -> None:
        self.teacher = teacher

    def facts(self) -> dict[str, Any]:
        """Model, revision and settings; never the address."""
        return {"kind": "endpoint", **self.teacher.facts(), "settings": dict(SETTINGS)}

    def judge(self, asked: Iterable[Asked], heard: Heard) -> None:
        """As `Judge.judge`."""

        def done(one: tuple[Asked, Said]) -> None:
            heard(*one)

        self.teacher.over(asked, self._one, done)

    async def _one(self, asked: Asked) -> tuple[Asked, Said]:
        return asked, await self.verdict(asked.rubric, asked.pair, asked.swapped)

    async def verdict(self, rubric: Rubric, pair: Pair, swapped: bool) -> Said:
        """The verdict on one pair in one order."""
        answer = await self.teacher.answer(request(rubric, pair, swapped))
        said = UNPARSED if answer.fault is not None else parse(answer.text)
        if said == UNPARSED:
            why = f"{answer.fault}: " if answer.fault is not None else ""
            return Said(said, answer.key, why + (answer.text or answer.refusal)[-TAIL:])
        return Said(of_pair(said, swapped), answer.key)


def request(rubric: Rubric, pair: Pair, swapped: bool) -> Request:
    """What a model is asked."""
    return Request([{"role": "user", "content": rubric.filled(*pair.shown(swapped))}], SETTINGS)


class StandIn:
    """A judge without an endpoint. It stands in for a language model and is none.

    It reads the rubric's list items and sentences as criteria and takes the answer whose embedding (with its question)
    is nearer to them on average, by cosine. What it says moves when the rubric's wording moves, so that a pipeline can
    be tried without a model; nothing follows from it about any model. The order of the answers plays no part. Every
    report of its verdicts says so.
    """

    def __init__(self, embedder: Embedder | None = None) -> None:
        self._embedder = embedder or Embedder()
        self._criteria: dict[str, NDArray[np.float32]] = {}

    def facts(self) -> dict[str, Any]:
        """The embedding model, and that it stands in for a judge."""
        return {"kind": "stand-in", "model": self._embedder.model, "revision": "", "stands_in": STANDS_IN}

    def judge(self, asked: Iterable[Asked], heard: Heard) -> None:
        """As `Judge.judge`, some hundred pairs at a time."""
        some: list[Asked] = []
        for one in asked:
            some.append(one)
            if len(some) == 512:
                self._judge(some, heard)
                some = []
        self._judge(some, heard)

    def _judge(self, some: list[Asked], heard: Heard) -> None:
        texts = [f"{one.pair.question}\n{text}" for one in some for text in (one.pair.answer_a, one.pair.answer_b)]
        vectors = self._embedder.encode(texts)
        for at, one in enumerate(some):
            scores = (vectors[2 * at : 2 * at + 2] @ self._of(one.rubric).T).mean(axis=1)
            difference = float(scores[0] - scores[1])
            heard(one, Said("C" if abs(difference) < 1e-6 else "A" if difference > 0 else "B"))

    def _of(self, rubric: Rubric) -> NDArray[np.float32]:
        """The embeddings of a rubric's criteria: shape (criteria, dimensions)."""
        if rubric.digest not in self._criteria:
            pieces = split(rubric.text)
            told = [one.words for one in pieces if one.kind != "fixed"] or [rubric.text]
            self._criteria[rubric.digest] = self._embedder.encode(told)
        return self._criteria[rubric.digest]
