"""The step `fold`: k-fold parts by category, so that whole categories are held out."""

from __future__ import annotations

import hashlib
from typing import Annotated, Any, Literal

import numpy as np
import orjson
from pydantic import Field

from provkit.registry import builder
from provkit.table import Rows, Selection


@builder
class Fold:
    """Keeps one of k folds of the categories, or all but that one: an arm to train on, and one of unseen categories.

    Held-out categories are the test of a probe that "Detection Is Cheap, Routing Is Learned" asks for, since one can
    fit every category it has seen. The categories are dealt to the folds in an order that follows from the seed, so
    that folds differ by one category at most; a category never stands in two. Two arms with the same fields but for
    `keep` part the set, as long as both hold the same categories.

    Args:
        column: the column with the category; give this or `note`.
        note: the field of an earlier step's note that has the category, such as `family` of `insecure_rewrite`.
        of: how many folds.
        number: which fold, from 1.
        keep: `fold` for the rows of that fold, `rest` for the others.
    """

    column: str | None = None
    note: str | None = None
    of: Annotated[int, Field(ge=2)]
    number: Annotated[int, Field(ge=1)]
    keep: Literal["fold", "rest"]

    def __post_init__(self) -> None:
        if (self.column is None) == (self.note is None):
            raise ValueError("needs either `column` or `note`: where the category stands")
        if self.number > self.of:
            raise ValueError(f"there is no fold {self.number} of {self.of}")

    def select(self, rows: Rows) -> Selection:
        """The rows of the fold, or of the others; rows without a category are dropped."""
        names = [None if value is None else spelled(value) for value in self.categories(rows)]
        folds = self.dealt({name for name in names if name is not None}, *rows.draws)
        mine = np.array(
            [name is not None and (folds[name] == self.number) == (self.keep == "fold") for name in names], bool
        )
        dropped = np.flatnonzero(~mine)
        at = [names[position] for position in dropped.tolist()]
        reasons = ["no category" if name is None else "other fold" for name in at]
        details = ["" if name is None else f"{name} is in fold {folds[name]} of {self.of}" for name in at]
        return Selection(np.flatnonzero(mine), dropped, reasons, details)

    def categories(self, rows: Rows) -> list[Any]:
        """The category of each row, None where it has none."""
        if self.column is None:
            return rows.noted(self.note or "")
        return [content.get(self.column) for content in rows.contents()]

    def dealt(self, names: set[str], seed: int, label: str) -> dict[str, int]:
        """The fold of each category, from 1."""

        def draw(name: str) -> bytes:
            return hashlib.sha256(orjson.dumps([seed, label, name])).digest()

        return {name: 1 + at % self.of for at, name in enumerate(sorted(names, key=draw))}


def spelled(value: Any) -> str:
    """A category as text: itself, or its JSON."""
    return value if isinstance(value, str) else orjson.dumps(value).decode()
