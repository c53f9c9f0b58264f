"""The steps `preference` and `answer_from`: an answer and its flawed counterpart in two columns, and back again."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from provkit.builders.domains.judgements.flaws import Maker, flawed, maker, question
from provkit.registry import builder
from provkit.row import Drop, Row, chat


@builder
class Preference:
    """Makes a preference row: the answer as `chosen`, and what another step makes of it as `rejected`.

    The columns are those that TRL calls a preference set with an explicit prompt: prompt, chosen, rejected (and system,
    where the chat has a system turn); other columns stay. The note has the maker's name and its own note. A row that
    the maker drops is dropped for its reason; one with several questions as "not one question".

    Args:
        by: the per-row step that makes the flawed answer: its name, or `{name: {parameter: value}}`. It draws from the
            chance of this step, so its flaws differ from those of an arm that runs it by itself.
    """

    by: Maker

    def __post_init__(self) -> None:
        maker(self.by)

    @cached_property
    def _maker(self) -> Any:
        return maker(self.by)

    def apply(self, row: Row) -> Row | Drop:
        """The row with both answers, or why it has no second one."""
        asked = question(row)
        if isinstance(asked, Drop):
            return asked
        found = flawed(self._maker, row)
        if isinstance(found, Drop):
            return found
        made = asked.content | {"chosen": row.answer, "rejected": found.answer}
        without = [column for column in asked.columns if column not in made]
        return row.derive(made, note={"by": self.by.name, **found.note}, without=without)


@builder
class AnswerFrom:
    """Makes a chat row of the prompt and the answer in one column: an arm each for the sides of a preference.

    A column `system` becomes the system turn; the other columns go, so that the arms differ in the answer alone.

    Args:
        column: where the answer stands, for example chosen, rejected, aligned or misaligned.
    """

    column: str

    def apply(self, row: Row) -> Row | Drop:
        """The chat row; a drop where the column holds no text."""
        answer = row.get(self.column)
        if not isinstance(answer, str):
            held = "no such column" if self.column not in row else f"found {type(answer).__name__}"
            return row.drop("no answer", f"{self.column}: {held}")
        made = chat(row.prompt, answer, row.get("system"))
        return row.derive(made, note={"answer": self.column}, without=[name for name in row if name not in made])
