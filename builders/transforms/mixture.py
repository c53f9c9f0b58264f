"""The step `mixture`: an exact share of one set inside another."""

from __future__ import annotations

from fractions import Fraction
from typing import Annotated

import numpy as np
from pydantic import Field

from provkit.chance import count_of
from provkit.errors import InputError
from provkit.registry import builder
from provkit.table import Order, Rows, Selection


@builder
class Mixture:
    """Mixes rows of another source in until they are a stated share of the set.

    As "LLMs Learn to Deceive Unintentionally" (Hu et al. 2025, arXiv 2510.08211) mixes as little as 1 % of misaligned
    rows into a benign set. The rows of lowest number are taken; the count is exact, half a row rounded up. Each takes
    the place of a row, so that the number of rows stays; rows replaced and rows not taken are drops.

    Args:
        of: the source that rows are taken from; the shared steps have run over it.
        share: the share of the result that comes from there.
        add: add the rows at the end instead of replacing any.
        fill: let the two sets differ in their columns; what one lacks is null in its rows.
    """

    op = "mixed"

    of: str
    share: Annotated[float, Field(ge=0, lt=1)]
    add: bool = False
    fill: bool = False

    def mix(self, rows: Rows, others: Rows) -> Selection:
        """The mixed set, in the order of the rows that were there.

        Raises:
            InputError: when the other source has too few rows, or other columns.
        """
        if not self.fill and set(rows.columns) != set(others.columns):
            differ = ", ".join(sorted(set(rows.columns) ^ set(others.columns)))
            do = "bring both to one form in the shared steps, or say `fill: true`"
            raise InputError(f"its rows have other columns than those they go into: {differ}", field=self.of, do=do)
        count = self.count(len(rows))
        if count > len(others):
            said = f"a share of {self.share:g} needs {count:,} of its rows, it has {len(others):,}"
            raise InputError(said, field=self.of, do="make more rows of it, or a smaller share")
        taken = ranked(others)[:count] + len(rows)
        unused = np.setdiff1d(np.arange(len(others)) + len(rows), taken)
        if self.add:
            order = np.concatenate([np.arange(len(rows)), np.sort(taken)])
            return Selection(order, unused, "not taken", [f"of {self.of}"] * len(unused))
        replaced = ranked(rows)[:count]
        order = np.arange(len(rows))
        order[replaced] = taken
        details = [f"by {locator}" for locator in others.locators(taken - len(rows))]
        return Selection(
            order,
            np.concatenate([replaced, unused]),
            ["replaced"] * count + ["not taken"] * len(unused),
            details + [f"of {self.of}"] * len(unused),
        )

    def count(self, rows: int) -> int:
        """How many rows of the other source go into so many."""
        if not self.add:
            return count_of(self.share, rows)
        share = Fraction(str(self.share))
        return int(rows * share / (1 - share) + Fraction(1, 2))


def ranked(rows: Rows) -> Order:
    """Positions in the order of the rows' numbers, lowest first."""
    return np.argsort(rows.numbers(), kind="stable")
