"""The step `litmus_paraphrase`: several wordings of each pair by a model, both twins asked for in the same manner."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, ClassVar

from pydantic import Field

from provkit.builders.litmus.rewrites import SIDES, tables
from provkit.builders.teacher.asking import ask
from provkit.llm import Teacher
from provkit.llm.asking import each_row
from provkit.llm.prompts import prompt
from provkit.registry import builder
from provkit.row import Drop, Row
from provkit.table import Rows


@builder
class LitmusParaphrase:
    """Replaces each pair by rewrites that a model makes: variant P of LITMUS (arXiv 2506.13901).

    Two requests a rewrite, one for each twin, in the same manner (more formally, as said aloud …). A pair of which an
    answer cannot be used is dropped with its reason.

    Args:
        count: rewrites of a pair, one in each manner.
        candidates: answers that are asked for until one can be used.
        prompt: of catalog/prompts, with the slots manner and statement.
    """

    count: Annotated[int, Field(ge=1, le=5)] = 5
    candidates: Annotated[int, Field(ge=1, le=64)] = 2
    prompt: str = "litmus_rewrite"
    asked: ClassVar[bool] = True
    op: ClassVar[str] = "generated"

    def __post_init__(self) -> None:
        prompt(self.prompt)

    @property
    def words(self) -> list[Any]:
        """The prompt that it asks with, and the manners."""
        return [*prompt(self.prompt).words, tables()["manners"]]

    def ask(self, rows: Rows, teacher: Teacher) -> Callable[[Row], Row | list[Row] | Drop]:
        """The rewrites of each pair."""
        return each_row(self.one, rows, teacher)

    async def one(self, row: Row, teacher: Teacher) -> list[Row] | Drop:
        """The same for one pair."""
        if not all(isinstance(row.get(side), str) for side in SIDES):
            return Drop("no pair", "safe and unsafe are expected")
        made = []
        for number, manner in enumerate(tables()["manners"][: self.count], 1):
            texts, keys = {}, {}
            for side in SIDES:
                values = {"manner": manner, "statement": row[side]}
                said = await ask(prompt(self.prompt), values, teacher, self.candidates)
                if isinstance(said, Drop):
                    return Drop(said.reason, f"{side}, {manner}: {said.detail}")
                texts[side], keys[side] = said.fields["text"], said.key
            if texts["safe"] == texts["unsafe"]:
                return Drop("twins alike", f"{manner}: both came back with the same words")
            note = {"request": keys["safe"], "model": teacher.model, "requests": keys, "rewrite": number}
            made.append(row.derive(texts, note={**note, "manner": manner}))
        return made
