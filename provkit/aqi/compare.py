"""Two reports of the same rows, paired draw by draw: what fell, by how much, and whether that is more than chance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from provkit.aqi.measures import divided
from provkit.aqi.model import Change, Report
from provkit.aqi.report import Opened
from provkit.aqi.resampling import interval, recentred
from provkit.errors import InputError

FALL = 0.1  # of separation, from which on it is drift

Key = tuple[str, str | None]


@dataclass(frozen=True, slots=True)
class Side:
    """What a comparison needs of a report: the rows, the draws that were taken, and separation by layer and axiom."""

    name: str
    rows_digest: str
    seed: int
    separation: Mapping[Key, float]
    rows: Mapping[Key, int]
    draws: Mapping[Key, Sequence[float | None]]

    @classmethod
    def of(cls, report: Report) -> Side:
        """Of a report at hand."""
        return cls(
            report.representation,
            report.facts["rows_digest"],
            report.facts["options"]["seed"],
            {(one.layer, one.axiom): one.separation for one in report.figures},
            {(one.layer, one.axiom): one.rows for one in report.figures},
            {(one.layer, one.axiom): one.separation for one in report.draws},
        )

    @classmethod
    def opened(cls, found: Opened) -> Side:
        """Of a report directory."""
        figures: list[dict[str, Any]] = found.rows("figures")
        return cls(
            str(found.facts["representation"]),
            str(found.facts["rows_digest"]),
            int(found.facts["options"]["seed"]),
            {(one["layer"], one["axiom"]): _float(one["separation"]) for one in figures},
            {(one["layer"], one["axiom"]): one["rows"] for one in figures},
            {(one["layer"], one["axiom"]): one["separation"] for one in found.rows("draws")},
        )


def compare(before: Side, after: Side, fall: float = FALL) -> list[Change]:
    """The change of each layer and axiom that both have; the interval is that of the paired draws.

    Raises:
        InputError: when the two measured other rows, drew otherwise, or share no layer.
    """
    if before.rows_digest != after.rows_digest:
        raise InputError("the two reports are of different rows", field="--compare", do="measure both on one set")
    if before.seed != after.seed:
        raise InputError("the two reports have different seeds", field="--compare", do="give both the same --seed")
    shared = [key for key in before.separation if key in after.separation]
    if not shared:
        raise InputError("the two reports share no layer", field="--compare", do="compare representations of one form")
    return [_change(before, after, key, fall) for key in shared]


def _change(before: Side, after: Side, key: Key, fall: float) -> Change:
    one, other = (
        recentred(np.array([_float(draw) for draw in side.draws[key]]), side.separation[key])
        for side in (before, after)
    )
    if len(one) != len(other):
        raise InputError("the two reports have different numbers of draws", field="--compare", do="measure both alike")
    change = float(divided(after.separation[key], before.separation[key])) - 1
    low, high = interval(np.atleast_1d(divided(other, one)) - 1) if len(one) else (float("nan"), float("nan"))
    return Change(
        key[0],
        key[1],
        before.rows[key],
        before.separation[key],
        after.separation[key],
        change,
        (low, high),
        change <= -fall,
        high < 0,
    )


def _float(value: float | None) -> float:
    return float("nan") if value is None else value
