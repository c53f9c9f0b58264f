"""The step `context_conflict`: answers under contexts of which an exact share is poisoned."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, ClassVar

import numpy as np
from pydantic import Field

from provkit.builders.teacher.asking import Candidates, Said, ask, slots
from provkit.llm import Teacher
from provkit.llm.asking import each_row
from provkit.llm.prompts import Template, prompt
from provkit.registry import builder
from provkit.row import Drop, Row
from provkit.table import Rows


@builder
class ContextConflict:
    """Has a passage written for the right or the wrong answer to a question, and the question answered under it.

    The setting of context against memory (Sun et al. 2025, arXiv 2506.06485): what a model knows and what it is shown
    disagree. Of the rows that come out exactly round(share x rows) have a poisoned passage, half a row rounded up:
    rows that fail are dropped, and the share is taken anew of those that are left, by their lowest numbers, until none
    fails. The row gets the columns context, poisoned and answer; `prompt` becomes the passage and, behind it, the
    question, and `question` keeps that alone.

    Args:
        share: how much of the rows has a poisoned passage.
        truth: the column of the right answer, which a clean passage supports.
        falsehood: the column of the wrong answer, which a poisoned one supports.
        passage: the prompt that asks for a passage, with the slots prompt and claim.
        reply: the prompt that asks for the answer, with the slots context and prompt.
        candidates: at most so many answers are asked for, each time.
        filter: as for `teach`.
    """

    share: Annotated[float, Field(ge=0, le=1)]
    truth: str = "aligned"
    falsehood: str = "misaligned"
    passage: Template = "context_passage"
    reply: Template = "answer_in_context"
    candidates: Candidates = 1
    filter: bool = True
    asked: ClassVar[bool] = True
    op: ClassVar[str] = "generated"

    def __post_init__(self) -> None:
        if any(prompt(one).schema is not None for one in (self.passage, self.reply)):
            raise ValueError("a prompt asks for JSON; plain text is expected")

    @property
    def words(self) -> list[Any]:
        """The prompts that it asks with."""
        return [prompt(self.passage).words, prompt(self.reply).words]

    def ask(self, rows: Rows, teacher: Teacher) -> Callable[[Row], Row | Drop]:
        """The rows with context and answer."""
        poisoned: set[int] = set()
        failed: dict[int, Drop] = {}

        async def one(row: Row, teacher: Teacher) -> Row | Drop:
            return failed.get(row.at) or await self._answered(row, teacher, row.at in poisoned)

        while True:
            left = np.array([at for at in range(len(rows)) if at not in failed], np.int64)
            poisoned.clear()
            poisoned.update(rows.lowest(self.share, left).tolist())
            act = each_row(one, rows, teacher)
            found = {row.at: act(row) for row in rows.rows() if row.at not in failed}
            drops = {at: answer for at, answer in found.items() if isinstance(answer, Drop)}
            if not drops:
                return act
            failed |= drops

    async def _answered(self, row: Row, teacher: Teacher, poisoned: bool) -> Row | Drop:
        values = dict(slots(row))
        values["claim"] = row.get(self.falsehood if poisoned else self.truth)
        passage = await ask(prompt(self.passage), values, teacher, self.candidates, self.filter)
        if not isinstance(passage, Said):
            return passage
        values["context"] = passage.fields["text"]
        reply = await ask(prompt(self.reply), values, teacher, self.candidates, self.filter)
        if not isinstance(reply, Said):
            return reply
        question = row.prompt
        made = {
            "prompt": f"{values['context']}\n\n{question}",
            "question": question,
            "context": values["context"],
            "poisoned": poisoned,
            "answer": reply.fields["text"],
        }
        written = {"context": passage.key, "prompt": passage.key, "answer": reply.key}
        note = {"request": reply.key, "model": teacher.model, "requests": written, "poisoned": poisoned}
        return row.derive(made, note=note)
