"""The step `thumbs`: binary signals on single answers, with a stated shift between the prompts of the two kinds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
from pydantic import Field

from provkit.errors import InputError
from provkit.registry import builder
from provkit.row import Drop, Row
from provkit.table import Rows

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Shares:
    """How many rows of the first and of the second group get a thumb up, of how many each."""

    up_first: int
    up_second: int
    first: int
    second: int

    @property
    def shift(self) -> float:
        """The total variation distance that comes out: |P(first | up) - P(first | down)|."""
        up = self.up_first + self.up_second
        down = self.first + self.second - up
        if not up or not down:
            return 0.0
        return abs(self.up_first / up - (self.first - self.up_first) / down)


@builder
class Thumbs:
    """Turns preference rows into unpaired signals, as KTO and BCO train on: prompt, completion, label.

    Each row keeps one of its two answers, the good one with label true or the bad one with label false. `up` is the
    share of labels that are true. `shift` is how far the prompts of the two kinds lie apart: the set falls into two
    groups, and the shift is the total variation distance between the group of a true row and that of a false one, 0
    where both come from the same prompts, 1 where they share no group (BCO, Jung et al. 2024, arXiv 2404.04656, treats
    thumbs-up and thumbs-down prompts as two distributions; that measure of their distance is ours). Both are met to
    the row: with n rows, q of them in the first group, round(up n) are true, and of these
    round(up n (q / n + (1 - up) shift)) in the first group, the rows of lowest 64-bit number each. The note has the
    group, the thumb and the shift that came out. Nothing is dropped but rows without two texts, before anything counts.

    Args:
        up: the share of true labels.
        shift: the distance; what is possible follows from `up` and the groups, and an error says what.
        column: the column that makes the groups; without it the first group is the shorter half of the prompts.
        values: with `column`: the values that make the first group.
        good: the column of the answer that gets a thumb up.
        bad: the column of the answer that gets a thumb down.
    """

    up: Annotated[float, Field(gt=0, lt=1)] = 0.5
    shift: Annotated[float, Field(ge=0, le=1)] = 0.0
    column: str | None = None
    values: tuple[str, ...] = ()
    good: str = "chosen"
    bad: str = "rejected"

    def __post_init__(self) -> None:
        if (self.column is None) != (not self.values):
            raise ValueError("`column` and `values` go together: the column, and the values of its first group")

    def rewrite(self, rows: Rows) -> Callable[[Row], Row | Drop]:
        """What becomes of each row, after a look at all of them.

        Raises:
            InputError: when a column is missing, a group is empty, or the shift cannot be had.
        """
        columns = [self.good, self.bad, *([self.column] if self.column else [])]
        if missing := [name for name in columns if name not in rows.columns]:
            do = "make the two answers with the step `preference`, or name the columns with `good` and `bad`"
            raise InputError(f"no column {missing[0]!r} among {', '.join(rows.columns)}", field="thumbs", do=do)
        numbers = rows.numbers()
        whole, first = self._look(rows, numbers)
        shares = counted(int((whole & first).sum()), int((whole & ~first).sum()), self.up, self.shift)
        ups = lowest(numbers, whole & first, shares.up_first) | lowest(numbers, whole & ~first, shares.up_second)
        reached = round(shares.shift, 6)

        def signal(row: Row) -> Row | Drop:
            if not whole[row.at]:
                return row.drop("no two answers", f"{self.good} and {self.bad} are not both text")
            up = bool(ups[row.at])
            note = {"thumb": "up" if up else "down", "group": 1 if first[row.at] else 2, "shift": reached}
            made = {"prompt": row.prompt, "completion": row[self.good if up else self.bad], "label": up}
            return row.derive(made, note=note, without=[c for c in (self.good, self.bad) if c not in made])

        return signal

    def _look(self, rows: Rows, numbers: npt.NDArray[np.uint64]) -> tuple[Mask, Mask]:
        """Which rows have both answers, and which are of the first group."""
        whole = np.zeros(len(rows), bool)
        first = np.zeros(len(rows), bool)
        lengths = np.zeros(len(rows), np.int64)
        for at, content in enumerate(rows.contents()):
            whole[at] = isinstance(content[self.good], str) and isinstance(content[self.bad], str)
            if self.column is None:
                lengths[at] = len(Row(content).prompt)
            else:
                first[at] = spelled(content[self.column]) in self.values
        if self.column is None:
            order = np.lexsort((numbers, lengths))
            order = order[whole[order]]
            first[order[: len(order) // 2]] = True
        return whole, first


def counted(first: int, second: int, up: float, shift: float) -> Shares:
    """How many rows of groups of these sizes get a thumb up.

    With q = first / n: P(first | up) = q + (1 - up) shift and P(first | down) = q - up shift, so that their
    difference is the shift and no row is left over.

    Raises:
        InputError: when these are no probabilities.
    """
    total = first + second
    if not total:
        return Shares(0, 0, 0, 0)
    share = first / total
    most = min(share / up, (1 - share) / (1 - up))
    if shift > most + 1e-9:
        said = f"with {first:,} of {total:,} rows in the first group and up {up:g} it can be at most {most:.4g}"
        raise InputError(said, field="thumbs.shift", do="take a smaller shift, `up` nearer 0.5, or other groups")
    ups = round(up * total)
    wanted = round(ups * (share + (1 - up) * shift))
    up_first = max(ups - second, min(wanted, first, ups))
    return Shares(up_first, ups - up_first, first, second)


def lowest(numbers: npt.NDArray[np.uint64], among: Mask, count: int) -> Mask:
    """The `count` rows of lowest number among some: a mask as long as `numbers`."""
    places = np.flatnonzero(among)
    chosen = np.zeros(len(numbers), bool)
    chosen[places[np.argsort(numbers[places], kind="stable")[:count]]] = True
    return chosen


def spelled(value: Any) -> str:
    """A value as a recipe writes it: true, false, null, or its text."""
    if value is None:
        return "null"
    return str(value).lower() if isinstance(value, bool) else str(value)
