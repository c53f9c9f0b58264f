"""Where values and intervals stand on a picture: an axis with ticks, and places on it."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

WIDTH, EDGE = 320.0, 20.0  # of a picture that stands in a table: its units, and what is left free at each side


@dataclass(frozen=True, slots=True)
class Interval:
    """A value with its interval, and where they stand on an axis; None where they are not defined."""

    value: float | None
    low: float | None
    high: float | None
    x: float | None
    x_low: float | None
    x_high: float | None


@dataclass(frozen=True, slots=True)
class Axis:
    """A straight scale from `low` to `high` over so many units, its ticks at round values; `vertical` ones go up."""

    low: float
    high: float
    ticks: tuple[float, ...]
    width: float = WIDTH
    edge: float = EDGE
    vertical: bool = False

    def at(self, value: float | None) -> float | None:
        """Where a value stands; None where it is none."""
        if value is None or not math.isfinite(value):
            return None
        share = min(max((value - self.low) / (self.high - self.low), 0.0), 1.0)
        if self.vertical:
            share = 1.0 - share
        return round(self.edge + share * (self.width - 2 * self.edge), 2)

    def interval(self, value: float | None, low: float | None, high: float | None) -> Interval:
        """A value and the ends of its interval."""
        return Interval(value, low, high, self.at(value), self.at(low), self.at(high))

    @property
    def marks(self) -> list[tuple[float, str]]:
        """Where the ticks stand, and what they say."""
        return [(self.at(tick) or 0.0, f"{tick:g}") for tick in self.ticks]


def axis(
    values: Iterable[float | None],
    least: float | None = None,
    width: float = WIDTH,
    edge: float = EDGE,
    vertical: bool = False,
) -> Axis:
    """The scale that holds all values, and `least` with them: three to nine ticks at multiples of 1, 2 or 5."""
    known = [value for value in values if value is not None and math.isfinite(value)]
    known += [] if least is None else [least]
    low, high = (min(known), max(known)) if known else (0.0, 1.0)
    if high - low < 1e-12 * max(1.0, abs(low), abs(high)):
        low, high = low - 0.5, high + 0.5
    most = (high - low) / 6 * (1 - 1e-9)
    power = 10.0 ** math.floor(math.log10(most))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= most)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    ticks = tuple(round(number * step, 12) for number in range(first, last + 1))
    return Axis(ticks[0], ticks[-1], ticks, width, edge, vertical)
