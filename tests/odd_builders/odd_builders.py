"""A package of builders beside provkit's own, as the tests install it: well-behaved ones, and all kinds of faulty."""

from __future__ import annotations

import datetime
import time
from collections.abc import Iterator
from typing import Any, Literal

import numpy as np

from provkit.chance import Chance
from provkit.registry import builder
from provkit.row import Drop, Row
from provkit.table import Rows, Selection


@builder
class OddNumbers:
    """Generates {"prompt": "p<i>", "answer": "a<i>", "n": i}."""

    def generate(self, chance: Chance) -> Iterator[dict[str, Any]]:
        """Rows without end."""
        at = 0
        while True:
            yield {"prompt": f"p{at}", "answer": f"a{at}", "n": at}
            at += 1


@builder
class OddMark:
    """Appends a mark to the answers whose n is a multiple of `every`; its note names n."""

    mark: str | None = "!"
    every: int = 1
    op = "adversarial"

    def apply(self, row: Row) -> Row:
        """The row, marked or as it was."""
        if row["n"] % self.every:
            return row
        return row.with_answer(row.answer + (self.mark or ""), {"n": row["n"]})


@builder
class OddDrop:
    """Drops the rows whose n leaves `rest` when divided by `every`."""

    every: int = 2
    rest: int = 1

    def check(self, row: Row) -> Drop | None:
        """A drop that names n."""
        return row.drop("unwanted", f"n is {row['n']}") if row["n"] % self.every == self.rest else None


@builder
class OddTwice:
    """Makes two rows of each whose n is a multiple of `every`: itself, and one whose prompt ends in `?`."""

    every: int = 1

    def apply(self, row: Row) -> Row | list[Row]:
        """One row or two."""
        return row if row["n"] % self.every else [row, row.with_prompt(row.prompt + "?", "asked again")]


@builder
class OddColumn:
    """Adds the row's first draw, of 0 to 999, as the column `draw`."""

    def apply(self, row: Row) -> Row:
        """The row with its draw."""
        return row.derive({"draw": row.chance.integer(0, 999)})


@builder
class OddSlow:
    """Lets every row pass, after `milliseconds`."""

    milliseconds: float = 1

    def apply(self, row: Row) -> Row:
        """The row with the same answer in capitals."""
        time.sleep(self.milliseconds / 1000)
        return row.with_answer(row.answer.upper())


@builder
class OddFault:
    """Misbehaves in one of many ways at the row whose n is `at`, or (late) from there on."""

    how: Literal[
        "raise", "none", "text", "empty", "foreign", "nan", "bytes", "mixed", "surrogate", "reserved", "own", "note",
        "huge", "struct", "unsortable", "list", "time", "set", "late",
    ]  # fmt: skip
    at: int = 3

    def apply(self, row: Row) -> Any:
        """Something that no builder should answer with."""
        if self.how == "late" and row["n"] >= self.at:
            return row.derive({"answer": 1})
        if row["n"] != self.at or self.how == "late":
            return row
        values: dict[str, Any] = {
            "nan": float("nan"), "bytes": b"\xff", "mixed": 1, "surrogate": "\ud800", "huge": 2**63, "struct": {},
            "unsortable": {1: 2}, "list": [1, "x"], "time": datetime.time(1), "set": {1},
        }  # fmt: skip
        if self.how in values:
            return row.derive({"answer" if self.how == "mixed" else "more": values[self.how]})
        if self.how == "raise":
            raise RuntimeError("out of luck")
        if self.how in ("reserved", "own"):
            return row.derive({"row_id" if self.how == "reserved" else "_provkit_index": 1})
        if self.how == "note":
            return row.derive({}, "\ud800")
        return {"none": None, "text": "row", "empty": [], "foreign": [row, "row"]}[self.how]


@builder
class OddSet:
    """A whole-set step that reverses the rows, or misbehaves in one of many ways."""

    how: Literal["reverse", "half", "raise", "lose", "twice", "beyond", "none", "details", "floats", "lists"] = (
        "reverse"
    )

    def select(self, rows: Rows) -> Any:
        """A selection, right or wrong."""
        every = np.arange(len(rows))[::-1]
        if self.how == "raise":
            raise RuntimeError("out of luck")
        return {
            "reverse": Selection(every),
            "half": Selection(every[::2], every[1::2], "the other half"),
            "lose": Selection(every[1:]),
            "twice": Selection(np.append(every, 0)),
            "beyond": Selection(every + 1),
            "none": None,
            "details": Selection(every[1:], every[:1], "one", ["a", "b"]),
            "floats": Selection(every.astype(float)),
            "lists": Selection(every.tolist()),
        }[self.how]
