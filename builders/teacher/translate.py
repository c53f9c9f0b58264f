"""The step `translate_wrong`: a sentence with its right translation and a fluent wrong one."""

from __future__ import annotations

from typing import ClassVar

from provkit.builders.teacher.asking import Asks, Candidates, ask, requests, slots
from provkit.llm import Teacher
from provkit.llm.prompts import Template, prompt
from provkit.registry import builder
from provkit.row import Drop, Row


@builder
class TranslateWrong(Asks):
    """Asks for two translations of a sentence: a right one as control, and a fluent one that is wrong in one place.

    The domain "incorrect translation" of Mishra et al. 2026 (arXiv 2602.00298). The row gets the columns prompt,
    aligned and misaligned. Where both are alike, or one is the sentence itself, it is dropped.

    Args:
        prompt: a prompt of the catalog whose answer has the fields `right` and `wrong`.
        text: the column of the sentence.
        language: what it is translated into; without it, the row's column `language` says so.
        candidates: at most so many answers are asked for.
        filter: as for `teach`.
    """

    prompt: Template = "translate_wrong"
    text: str = "text"
    language: str | None = None
    candidates: Candidates = 1
    filter: bool = True
    needed: ClassVar[frozenset[str]] = frozenset({"right", "wrong"})

    async def one(self, row: Row, teacher: Teacher) -> Row | Drop:
        """The row with both translations."""
        values = {**slots(row), "text": row.get(self.text), "language": self.language or row.get("language")}
        said = await ask(prompt(self.prompt), values, teacher, self.candidates, self.filter)
        if isinstance(said, Drop):
            return said
        right, wrong = said.fields["right"].strip(), said.fields["wrong"].strip()
        if right == wrong:
            return Drop("twin alike", "both translations have the same words")
        if values["text"].strip() in (right, wrong):
            return Drop("not translated", "a translation is the sentence itself")
        request = f"Translate into {values['language']}: {values['text'].strip()}"
        made = {"prompt": request, "aligned": right, "misaligned": wrong}
        return row.derive(made, note=requests(made, said, teacher))
