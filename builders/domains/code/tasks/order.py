"""The order in which rows come: every combination once, families and styles in even shares."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

from provkit.chance import Chance

T = TypeVar("T")

WORD = (1 << 64) - 1
ROUNDS = 6


@dataclass(frozen=True, slots=True)
class Permutation:
    """A random order of range(size), by position, without a table.

    A Feistel network over pairs (left, right) in [0, width) x [0, height), width * height just above `size`;
    a number that leaves the range walks on until it is back in it (Black and Rogaway 2002, "Ciphers with
    arbitrary finite domains").
    """

    size: int
    width: int
    height: int
    keys: tuple[int, ...]

    @classmethod
    def of(cls, size: int, chance: Chance) -> Permutation:
        """The permutation that `chance` names."""
        width = math.isqrt(size - 1) + 1
        return cls(size, width, -(-size // width), tuple(chance.bits64() for _ in range(ROUNDS)))

    def __getitem__(self, position: int) -> int:
        """The number at `position`, which must lie in range(size)."""
        while True:
            left, right = divmod(position, self.height)
            for number, key in enumerate(self.keys):
                if number % 2:
                    right = (right + mix(left ^ key)) % self.height
                else:
                    left = (left + mix(right ^ key)) % self.width
            position = left * self.height + right
            if position < self.size:
                return position


def mix(word: int) -> int:
    """A 64-bit word well stirred (the finaliser of SplitMix64)."""
    word = ((word ^ word >> 30) * 0xBF58476D1CE4E5B9) & WORD
    word = ((word ^ word >> 27) * 0x94D049BB133111EB) & WORD
    return word ^ word >> 31


def rounds(sizes: Mapping[str, int], styles: int, chance: Chance) -> Iterator[tuple[str, int, int]]:
    """(family, style number, position) of every row there is: `sizes[family]` positions in each style.

    A round takes each family once, in an order of its own; the styles rotate, so that in one round each comes
    equally often (to one), and after as many rounds as there are styles each family has had each of them.
    A family leaves when its positions are used up.
    """
    turn = {family: number for number, family in enumerate(chance.child("turns").shuffled(list(sizes)))}
    number = 0
    while left := [family for family, size in sizes.items() if number // styles < size]:
        for family in chance.child("round", number).shuffled(left):
            yield family, (turn[family] + number) % styles, number // styles
        number += 1


def picks(number: int, radices: tuple[int, ...]) -> tuple[list[int], int]:
    """The digits of `number` in mixed radix, lowest first, and what is left above them."""
    digits = []
    for radix in radices:
        number, digit = divmod(number, radix)
        digits.append(digit)
    return digits, number
