"""An axis: round ticks that hold the values, and places in proportion."""

from __future__ import annotations

import random

import pytest

from provkit.report.intervals import axis


@pytest.mark.parametrize(
    ("values", "ticks"),
    [
        ([0.0, 1.0], (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)),
        ([0.013, 0.087], (0.0, 0.02, 0.04, 0.06, 0.08, 0.1)),
        ([-3.0, 42.0], (-10.0, 0.0, 10.0, 20.0, 30.0, 40.0, 50.0)),
        ([], (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)),
        ([0.5, None, float("nan")], (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)),
    ],
)
def test_ticks_by_hand(values: list[float | None], ticks: tuple[float, ...]) -> None:
    assert axis(values).ticks == pytest.approx(ticks)


def test_ticks_hold_whatever_values_there_are() -> None:
    draw = random.Random(1)
    for _ in range(500):
        values = [draw.gauss(0, 10 ** draw.uniform(-6, 6)) for _ in range(3)]
        scale = axis(values)
        slack = 1e-8 * (scale.high - scale.low)
        assert scale.low - slack <= min(values) and max(values) <= scale.high + slack
        assert 3 <= len(scale.ticks) <= 9


def test_places_are_in_proportion() -> None:
    scale = axis([0.0, 1.0], width=120.0, edge=10.0)
    assert [scale.at(one) for one in (0.0, 0.25, 1.0)] == [10.0, 35.0, 110.0]
    assert scale.at(None) is None and scale.at(float("nan")) is None
    up = axis([0.0, 1.0], width=120.0, edge=10.0, vertical=True)
    assert [up.at(one) for one in (0.0, 0.25, 1.0)] == [110.0, 85.0, 10.0]
    one = scale.interval(0.5, 0.25, None)
    assert (one.x, one.x_low, one.x_high) == (60.0, 35.0, None)
