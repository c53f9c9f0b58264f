"""Chance that depends on what a row is, never on order, workers or library versions."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from fractions import Fraction
from typing import TypeVar

import orjson

T = TypeVar("T")


class Draws:
    """The draws of one step for the rows of one source, keyed by (seed, step label, source digest).

    Two steps with the same label draw alike for the same source row, so the twins of a matched pair do too.
    """

    __slots__ = ("_base",)

    def __init__(self, seed: int, label: str, source: str) -> None:
        self._base = hashlib.sha256(orjson.dumps([seed, label, source]))

    def key(self, index: int, sibling: int = 0) -> bytes:
        """32 uniform bytes for a source row; `sibling` tells apart rows that a step made out of one."""
        state = self._base.copy()
        state.update(index.to_bytes(8, "little"))
        if sibling:
            state.update(sibling.to_bytes(8, "little"))
        return state.digest()

    def number(self, index: int, sibling: int = 0) -> int:
        """A uniform integer in [0, 2**64): the order in which exact fractions and shuffles take rows."""
        return int.from_bytes(self.key(index, sibling)[:8], "little")


class Chance:
    """A stream of draws out of a 32-byte key: SHA-256 in counter mode, the same in every Python version."""

    __slots__ = ("_block", "_counter", "_key")

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._counter = 0
        self._block = b""

    @classmethod
    def of(cls, *parts: str | int) -> Chance:
        """The stream that these parts name."""
        return cls(hashlib.sha256(orjson.dumps(parts)).digest())

    def child(self, *parts: str | int) -> Chance:
        """An independent stream: draws from it leave this one where it is."""
        return Chance(hashlib.sha256(self._key + orjson.dumps(parts)).digest())

    def bits64(self) -> int:
        """A uniform integer in [0, 2**64)."""
        if not self._block:
            self._block = hashlib.sha256(self._key + self._counter.to_bytes(8, "little")).digest()
            self._counter += 1
        word, self._block = self._block[:8], self._block[8:]
        return int.from_bytes(word, "little")

    def uniform(self) -> float:
        """A uniform number in [0, 1), 53 bits."""
        return (self.bits64() >> 11) * 2.0**-53

    def integer(self, low: int, high: int) -> int:
        """A uniform integer in [low, high], both ends included.

        Raises:
            ValueError: when `high` is below `low`, or more than 2**64 integers lie between them.
        """
        span = high - low + 1
        if not 0 < span <= 1 << 64:
            raise ValueError(f"no integer lies in [{low}, {high}]" if span <= 0 else "more than 2**64 integers")
        limit = (1 << 64) - (1 << 64) % span
        while (word := self.bits64()) >= limit:  # an even share for every value
            pass
        return low + word % span

    def choice(self, items: Sequence[T]) -> T:
        """One of `items`, each alike probable."""
        return items[self.integer(0, len(items) - 1)]

    def sample(self, items: Sequence[T], count: int) -> list[T]:
        """`count` different positions of `items`, in random order.

        Raises:
            ValueError: when there are fewer than `count` items, or `count` is negative.
        """
        if not 0 <= count <= len(items):
            raise ValueError(f"{count} asked for out of {len(items)}")
        pool = list(items)
        for i in range(count):
            j = self.integer(i, len(pool) - 1)
            pool[i], pool[j] = pool[j], pool[i]
        return pool[:count]

    def shuffled(self, items: Sequence[T]) -> list[T]:
        """All of `items` in random order (Fisher-Yates)."""
        return self.sample(items, len(items))


def count_of(share: float, total: int) -> int:
    """How many of `total` a share is: the decimal number that was written, exactly, with half a row rounded up."""
    return int(Fraction(str(float(share))) * total + Fraction(1, 2))
