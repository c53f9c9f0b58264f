"""Numbers in text: where they stand, what they are worth, and how another one is written in their place."""

from __future__ import annotations

import math
import re
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from provkit.builders.domains.maths.expression import Number, whole

# A set of characters comes first, so that a search passes over letters fast: `12`, `1,250.75`, `.5`.
FIGURE = r"[0-9.](?:(?<=[0-9])(?:[0-9]{0,2}(?:,[0-9]{3})+(?![0-9])|[0-9]*)(?:\.[0-9]+)?|(?<=\.)[0-9]+)"
NUMBER = re.compile(FIGURE)
GROUPED_FROM = 10_000  # from here on a number is written with commas, where its text has no other manner
LONGEST = 30  # characters of a number beyond which it is not read
PLACES = 6  # decimals beyond which a number is not written out


@dataclass(frozen=True, slots=True)
class Figures:
    """All numbers of a text, in its order: where each starts, how it is written, what it is worth."""

    starts: list[int]
    texts: list[str]
    values: list[Number]

    @classmethod
    def of(cls, text: str) -> Figures:
        """Those of a text.

        Raises:
            ValueError: when one is endless.
        """
        texts = NUMBER.findall(text)
        starts, end = [], 0
        for one in texts:
            start = text.find(one, end)  # no digit stands between two numbers
            starts.append(start)
            end = start + len(one)
        return cls(starts, texts, [exact(one) for one in texts])

    def __len__(self) -> int:
        return len(self.starts)

    def at(self, position: int) -> int:
        """The first number that starts at a position of the text or after it."""
        return bisect_left(self.starts, position)

    def end(self, number: int) -> int:
        """Where a number ends."""
        return self.starts[number] + len(self.texts[number])


@lru_cache(maxsize=1 << 16)
def exact(text: str) -> Number:
    """The value of a number as it is written: `1,250`, `12.50`, `.4`.

    Raises:
        ValueError: when it is longer than any number that is reckoned with.
    """
    if len(text) > LONGEST:
        raise ValueError(f"a number of more than {LONGEST} digits")
    text = text.replace(",", "")
    return whole(Fraction(text)) if "." in text else int(text)


@lru_cache(maxsize=1 << 16)
def places(value: Number) -> int | None:
    """How many decimals a number has; None where they do not end, or not soon."""
    if isinstance(value, int):
        return 0
    for count in range(1, PLACES + 1):
        if 10**count % value.denominator == 0:
            return count
    return None


def decimal(value: Number, least: int = 0, grouped: bool = False) -> str:
    """A number written out with at least so many decimals: `1,250`, `12.50`.

    Raises:
        ValueError: when its decimals do not end.
    """
    count = places(value)
    if count is None:
        raise ValueError(f"{value} has no end of decimals")
    count = max(count, least)
    if not count:
        return f"{int(value):,}" if grouped else str(value)
    scaled = int(value * 10**count)
    sign, scaled = ("-", -scaled) if scaled < 0 else ("", scaled)
    head, tail = divmod(scaled, 10**count)
    return f"{sign}{head:,}.{tail:0{count}}" if grouped else f"{sign}{head}.{tail:0{count}}"


def like(text: str, value: Number, money: str, grouped: bool) -> str:
    """`value` in the manner of `text`, a number that stood there and kept zeros after its point, or did not.

    Args:
        text: the number that stood there.
        value: the one to be written.
        money: `""`, or how a currency is written: `cents` where a whole number has decimals too, otherwise `plain`.
        grouped: whether it has commas.
    """
    if money:
        return decimal(value, 2 if money == "cents" or places(value) else 0, grouped)
    kept = len(text) - text.index(".") - 1 if "." in text and text.endswith("0") else 0
    return decimal(value, kept, grouped)


def grouped_from(texts: Iterable[str]) -> float:
    """From which number on a text writes commas, as its numbers show; infinity where it never does."""
    commas = plain = False
    least = GROUPED_FROM
    for text in texts:
        if "," in text:
            commas = True
            least = 1000 if exact(text) < GROUPED_FROM else least
        elif len(text) > 4 and exact(text) >= GROUPED_FROM:
            plain = True
    return math.inf if plain and not commas else least
