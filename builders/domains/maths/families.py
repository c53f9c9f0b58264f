"""What a family of word problems is: numbers that vary, an operation tree over them, and texts to tell it in."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from provkit.builders.domains.maths.expression import Number, evaluate
from provkit.builders.domains.maths.figures import places
from provkit.builders.domains.maths.known import ALWAYS, ratio
from provkit.builders.domains.maths.story import Text
from provkit.builders.domains.maths.units import units

STYLES: tuple[dict[str, str], ...] = ({"*": "×", "/": "÷"}, {})
"""The ways to write operators; the last one is that of a calculator."""


@dataclass(frozen=True, slots=True)
class Step:
    """An expression over the row's values, where its own value goes, and its spelling in each style."""

    structure: str
    leaves: tuple[int, ...]  # places of its numbers in the list of values
    target: int
    spelled: tuple[str, ...]  # a %-format for each style, of the leaves and the result
    take: Any  # the leaves and the result, out of a list


@dataclass(frozen=True, slots=True)
class Family:
    """A kind of word problem. A row's values are its literals, then numbers, givens and steps."""

    id: str
    literals: tuple[Number, ...]
    slots: tuple[tuple[tuple[Number, ...], ...], ...]  # what makes rows distinct: for each slot its values
    sizes: tuple[int, ...]  # of the slots
    given: tuple[Step, ...]
    steps: tuple[Step, ...]
    money: tuple[bool, ...]  # for each value
    shown: tuple[int, ...]  # the values that the prompt shows, in order
    ratios: tuple[tuple[int, int | None], ...]  # places of per cents, and of numerator and denominator
    words: tuple[tuple[int, tuple[str, ...]], ...]  # for each reference to a word its slot, and its strings
    parts: tuple[tuple[Text, ...], ...]  # alternatives of each sentence of the story, then of the question
    lines: tuple[tuple[Text, ...], ...]  # alternatives of the line of each step
    free: tuple[int, ...]  # how many choices there are for each word slot, each part and each line

    @property
    def size(self) -> int:
        """How many combinations of numbers there are, before those are left out that make no good problem."""
        return math.prod(self.sizes)

    def solved(self, digits: Sequence[int]) -> list[Number] | None:
        """All values of a combination; None where it makes no good problem.

        Every step must come to more than one and, but for money, to a whole number; and to a number that neither
        the prompt nor another step nor common knowledge has, so that it is certain what each number rests on.
        """
        values, never = list(self.literals), reserved()
        for slot, digit in zip(self.slots, digits, strict=True):
            values += slot[digit]
        for step in self.given:
            values.append(evaluate(step.structure, [values[at] for at in step.leaves]) or 0)
        taken = {values[at] for at in self.shown}
        for top, bottom in self.ratios:
            taken |= ratio(values[top], "%" if bottom is None else f"/{values[bottom]}")
        for step in self.steps:
            value = evaluate(step.structure, [values[at] for at in step.leaves])
            if value is None or value <= 1 or value in taken or value in never:
                return None
            if not isinstance(value, int) and not (self.money[step.target] and (places(value) or 9) <= 2):
                return None
            taken.add(value)
            values.append(value)
        return values


@cache
def reserved() -> frozenset[Number]:
    """What no step may come to: factors between units, and numbers that need no source."""
    return ALWAYS.union(one.factor for one in units().conversions)
