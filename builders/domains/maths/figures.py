"""Numbers in text: where they stand, what they are worth, and how another one is written in their place."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

from provkit.builders.domains.maths.expression import Number, whole

FIGURE = r"(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?|\.\d+"
GROUPED_FROM = 10_000  # from here on a number is written with commas, where its text has no other manner
PLACES = 6  # decimals beyond which a number is not written out


class Figure(NamedTuple):
    """A number as it stands in a text: [start, end), and its value."""

    start: int
    end: int
    text: str
    value: Number


@lru_cache(maxsize=1 << 16)
def exact(text: str) -> Number:
    """The value of a number as it is written: `1,250`, `12.50`, `.4`."""
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


def like(text: str, value: Number, money: bool, grouped: bool) -> str:
    """`value` in the manner of `text`, a number that stood there and kept its decimals to the end, or did not.

    Args:
        text: the number that stood there.
        value: the one to be written.
        money: whether a fraction is of a currency, so that it has two decimals.
        grouped: whether it has commas.
    """
    kept = len(text) - text.index(".") - 1 if "." in text and text.endswith("0") else 0
    if money and places(value):
        kept = max(kept, 2)
    return decimal(value, kept, grouped)


def grouped_from(figures: Sequence[Figure]) -> int | None:
    """From which number on a text writes commas, as its figures show; None where it never does."""
    commas = [figure.value for figure in figures if "," in figure.text]
    if any(value < GROUPED_FROM for value in commas):
        return 1000
    if not commas and any(figure.value >= GROUPED_FROM for figure in figures):
        return None
    return GROUPED_FROM
