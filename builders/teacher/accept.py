"""The step `accept`: exactly so many rows through steps that ask a model, out of at most so many candidates."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property
from itertools import islice
from typing import Annotated, Any, ClassVar

import orjson
from pydantic import Field

from provkit.errors import InputError
from provkit.llm import Teacher
from provkit.llm.asking import guarded
from provkit.llm.teacher import known
from provkit.recipe import Step
from provkit.registry import builder
from provkit.row import Drop, Row
from provkit.table import Rows


@builder
class Accept:
    """Sends candidates through steps that ask a model until exactly `rows` of them came through.

    The first `rows` candidates go first, then as many as are still missing, and so on: which rows are asked about
    follows from the answers alone, never from which of them came first. Accepted are the first in the order of the
    rows; candidates that were not needed are dropped as "not needed", those that a step stopped for its reason.

    Args:
        rows: how many rows are to come out.
        at_most: how many candidates may be asked about; the build stops with the reasons when they do not do.
        steps: `teach`, `aligned_twin`, `judge` and their like, in order.
    """

    rows: Annotated[int, Field(ge=1)]
    at_most: Annotated[int, Field(ge=1)]
    steps: list[Step]
    asked: ClassVar[bool] = True
    op: ClassVar[str] = "generated"

    def __post_init__(self) -> None:
        if self.at_most < self.rows:
            raise ValueError(f"at_most {self.at_most} is below rows {self.rows}")
        for step in self.steps:
            if not hasattr(step.builder(), "one"):
                raise ValueError(f"{step.name!r} does not ask a model; put it before or behind `accept`")

    @cached_property
    def _inner(self) -> list[tuple[str, Any]]:
        return [(step.name, step.builder()) for step in self.steps]

    def ask(self, rows: Rows, teacher: Teacher) -> Callable[[Row], Row | Drop]:
        """The accepted rows; the others are drops.

        Raises:
            InputError: when too few candidates came through, with the reasons of the others.
        """
        candidates = islice(rows.rows(), self.at_most)
        reasons: dict[str, int] = {}
        accepted = seen = 0
        while accepted < self.rows:
            wave = list(islice(candidates, min(self.rows - accepted, 4096)))
            if not wave:
                raise self._too_few(accepted, seen, reasons)
            for answer in self._asked(wave, teacher):
                if isinstance(answer, Drop):
                    reasons[answer.reason] = reasons.get(answer.reason, 0) + 1
                else:
                    accepted += 1
            seen += len(wave)
            teacher.progress(accepted, self.rows)

        def act(row: Row) -> Row | Drop:
            if row.at >= seen:
                return Drop("not needed", f"{self.rows} rows were accepted before")
            return known(self.one(row, teacher))

        return act

    def _asked(self, wave: list[Row], teacher: Teacher) -> Iterator[Row | Drop]:
        ask = guarded(self.one, teacher)
        if teacher.endpoint is None:
            return (known(self._known(row, teacher)) for row in wave)
        answers: list[Row | Drop] = []
        teacher.over(wave, ask, answers.append)
        return iter(answers)

    async def _known(self, row: Row, teacher: Teacher) -> Row | Drop:
        return await guarded(self.one, teacher)(row)

    async def one(self, row: Row, teacher: Teacher) -> Row | Drop:
        """One candidate through all steps; the note has what each of them noted."""
        note: dict[str, Any] = {"requests": {}}
        for name, step in self._inner:
            answer = await step.one(row, teacher)
            if isinstance(answer, Drop):
                return Drop(answer.reason, f"{name}: {answer.detail}")
            own = orjson.loads(answer.note or "{}")
            note["requests"] |= own.pop("requests", {})
            note |= own
            row = answer
        return row.derive({}, note=note)

    def _too_few(self, accepted: int, seen: int, reasons: dict[str, int]) -> InputError:
        listed = ", ".join(f"{count:,} {reason}" for reason, count in sorted(reasons.items(), key=lambda one: -one[1]))
        said = f"{accepted:,} of {self.rows:,} rows accepted out of {seen:,} candidates; the others: {listed or 'none'}"
        do = "ask for fewer (--rows), or raise `at_most` and the rows of the source; what was answered is in the cache"
        return InputError(said, field="accept", do=do)
