"""Judges that go by the place of an answer, or by chance, are recognised as such; honest ones are not."""

from __future__ import annotations

import random
from collections.abc import Callable

import numpy as np
import pytest

from provkit.rubrics.position import position

Judge = Callable[[random.Random, str], tuple[str, str]]  # verdicts on the pair's own answers, straight and swapped


def orders(judge: Judge, pairs: int, seed: int = 0) -> np.ndarray:
    chance, table = random.Random(seed), np.zeros((4, 4), np.int64)
    for _ in range(pairs):
        straight, swapped = judge(chance, chance.choice("AB"))
        table["ABC".index(straight), "ABC".index(swapped)] += 1
    return table


def honest(chance: random.Random, better: str) -> tuple[str, str]:
    worse = "B" if better == "A" else "A"
    return tuple(better if chance.random() < 0.8 else worse for _ in range(2))  # type: ignore[return-value]


def first_shown(chance: random.Random, better: str) -> tuple[str, str]:
    return "A", "B"


def mostly_second(chance: random.Random, better: str) -> tuple[str, str]:
    return ("B", "A") if chance.random() < 0.5 else (better, better)


def coin(chance: random.Random, better: str) -> tuple[str, str]:
    return chance.choice("AB"), chance.choice("AB")


@pytest.mark.parametrize(
    ("judge", "said"),
    [
        (honest, "consistent"),
        (first_shown, "position-biased"),
        (mostly_second, "position-biased"),
        (coin, "no better than chance"),
    ],
)
def test_judges_are_recognised(judge: Judge, said: str) -> None:
    for seed in range(20):
        found = position(orders(judge, 1000, seed))
        assert found is not None and found.judge == said


def test_by_hand() -> None:
    """10 pairs: A and A 4 times, B and B 3, first twice, second once; an unparsed one is no pair."""
    table = np.zeros((4, 4), np.int64)
    table[0, 0], table[1, 1], table[0, 1], table[1, 0], table[3, 0] = 4, 3, 2, 1, 9
    found = position(table)
    assert found is not None
    assert (found.pairs, found.consistency, found.first, found.second) == (10, 0.7, 2, 1)
    assert found.p == 1.0  # 1 of 3: 2 (1 + 3) / 8
    assert found.agreement == pytest.approx((0.7 - 0.5) / (1 - 0.5))  # rows 6 and 4, columns 5 and 5: chance 0.5
    assert position(np.zeros((4, 4), np.int64)) is None
