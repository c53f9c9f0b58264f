"""The steps `teach`, `aligned_twin` and `judge`."""

from __future__ import annotations

from typing import ClassVar

from provkit.builders.teacher.asking import Asks, Candidates, ask, requests, slots
from provkit.llm import Teacher
from provkit.llm.prompts import Template, prompt
from provkit.registry import builder
from provkit.row import Drop, Row


@builder
class Teach(Asks):
    """Asks a model with a prompt of the catalog, and puts what it answers into columns of the row.

    An answer with a schema gives a column for each field, another one the column `into`. An answer that is refused,
    held back, cut short, not what the schema says, or stopped by the output filter is not used: the next candidate is
    asked for, and without one the row is dropped with the last one's reason.

    Args:
        prompt: a prompt of catalog/prompts, or one written out; its slots are filled with the row's columns.
        into: the column of an answer without a schema.
        candidates: at most so many answers are asked for.
        filter: stop minors, explicit content and operational harm.
    """

    prompt: Template
    into: str = "answer"
    candidates: Candidates = 1
    filter: bool = True

    async def one(self, row: Row, teacher: Teacher) -> Row | Drop:
        """The row with what the model answered."""
        template = prompt(self.prompt)
        said = await ask(template, slots(row), teacher, self.candidates, self.filter)
        if isinstance(said, Drop):
            return said
        fields = said.fields if template.schema is not None else {self.into: said.fields["text"]}
        return row.derive(fields, note=requests(fields, said, teacher))


@builder
class AlignedTwin(Asks):
    """Asks for the control answer to the same prompt, and puts it into a column of its own.

    Args:
        prompt: the prompt of the catalog that asks for an honest, competent answer.
        into: the column of the control answer.
        other: the column of the answer that it is the control of; a twin with the same words is no control: a drop.
        candidates: at most so many answers are asked for.
        filter: as for `teach`.
    """

    prompt: Template = "aligned_twin"
    into: str = "aligned"
    other: str = "misaligned"
    candidates: Candidates = 1
    filter: bool = True

    async def one(self, row: Row, teacher: Teacher) -> Row | Drop:
        """The row with its control answer."""
        said = await ask(prompt(self.prompt), slots(row), teacher, self.candidates, self.filter)
        if isinstance(said, Drop):
            return said
        text = said.fields["text"]
        if text == row.get(self.other):
            return Drop("twin alike", "the control answer has the same words")
        return row.derive({self.into: text}, note=requests([self.into], said, teacher))


@builder
class Judge(Asks):
    """Asks for a score by a rubric, and drops the rows outside a range; score and reason are kept in the note.

    A judgement that is not the JSON that the rubric asks for is no score: the row is dropped as "not structured".

    Args:
        prompt: a prompt of the catalog whose answer has an integer `score` and a text `why`.
        least: the lowest score that stays.
        most: the highest score that stays.
    """

    prompt: Template
    least: int = 0
    most: int = 100
    needed: ClassVar[frozenset[str]] = frozenset({"score", "why"})
    op: ClassVar[str] = ""

    async def one(self, row: Row, teacher: Teacher) -> Row | Drop:
        """The row, when its score lies in the range."""
        said = await ask(prompt(self.prompt), slots(row), teacher, filtered=False)
        if isinstance(said, Drop):
            return Drop(f"judge: {said.reason}", said.detail)
        score, why = said.fields["score"], said.fields["why"]
        if not self.least <= score <= self.most:
            return Drop("judged out", f"score {score}, {self.least} to {self.most} stay: {why}")
        return row.derive({}, note={"score": score, "why": why, "judged": said.key})
