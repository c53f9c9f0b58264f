"""The step `side`: an arm of chat rows out of one of the answers that a row holds."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from provkit.builders.domains.judgements.preference import AnswerFrom
from provkit.registry import builder
from provkit.row import Drop, Row
from provkit.table import Rows


@builder
class Side:
    """Makes a chat row of the prompt and one column, as `answer_from`; lineage names the request that wrote it.

    Args:
        column: where the answer stands, for example misaligned or aligned.
        control: this arm is the control of the others; lineage says so.
    """

    column: str
    control: bool = False
    asked: ClassVar[bool] = True

    @property
    def op(self) -> str:
        """The op of the rows in lineage."""
        return "control" if self.control else "generated"

    def rewrite(self, rows: Rows) -> Callable[[Row], Row | Drop]:
        """The rows of this arm."""
        requests, models = rows.noted("requests"), rows.noted("model")
        take = AnswerFrom(column=self.column)

        def act(row: Row) -> Row | Drop:
            found = take.apply(row)
            if isinstance(found, Drop):
                return found
            request = (requests[row.at] or {}).get(self.column)
            found.note = None
            note = {"column": self.column, "request": request, "model": models[row.at]}
            return found.derive({}, note={name: value for name, value in note.items() if value is not None})

        return act
