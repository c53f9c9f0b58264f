"""The step `shuffle_numbers`: the same numbers in another order."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from provkit.builders.domains.numbers.lists import read_list
from provkit.registry import builder
from provkit.row import Drop, Row


@builder
class ShuffleNumbers:
    """Puts the numbers of each answer in another random order; its form stays.

    The shuffle within a response of Cloud et al. 2025 (arXiv 2507.14805): a control for what the order of a
    teacher's numbers carries. The order differs from the first one unless all numbers are equal. The note has, for
    each place, the former place of the number that now stands there. A row is dropped as "no list of numbers".
    """

    op: ClassVar[str] = "control"

    def apply(self, row: Row) -> Row | Drop:
        """The row with its numbers shuffled, or why they are not."""
        listed = read_list(row.answer)
        if listed is None:
            return row.drop("no list of numbers", row.answer[:80])
        order = list(range(len(listed.numbers)))
        numbers = listed.numbers
        while len(set(listed.numbers)) > 1 and numbers == listed.numbers:
            order = row.chance.shuffled(order)
            numbers = tuple(listed.numbers[at] for at in order)
        return row.with_answer(replace(listed, numbers=numbers).text(), {"order": order})
