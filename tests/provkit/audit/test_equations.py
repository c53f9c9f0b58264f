"""Equations in texts: which are read, which are false, and texts that would take a careless pattern for ever."""

from __future__ import annotations

import random
from fractions import Fraction

import pytest

from provkit.audit.equations import equations


@pytest.mark.parametrize(
    ("text", "read", "false"),
    [
        ("20 * 60 + 5 = 1205, and then 8 + 8 = 17.", 2, 1),
        ("$35 × 44 = $1540.", 1, 0),
        ("705 * 1000 = 704,999 m", 1, 1),
        ("2800 × 1.25% = $35", 1, 0),
        ("5 x 3 = 15 and 1,200 + 30 = 1,230", 2, 0),
        ("10 / 3 = 3.33, 10/3 = 3, 10 / 3 = 3.4", 3, 1),
        ("7 - 9 = -2", 1, 0),
        ("8 − 3 = 4", 1, 1),
        ("1 / 4 = 25%", 1, 0),
        ("(3 + 4) * 5 = 35", 0, 0),
        ("3 + 4 = 5 + 2", 0, 0),
        ("2^3 + 1 = 9", 0, 0),
        ("12 / 0 = 1", 0, 0),
        ("-3 + 5 = 2", 0, 0),
        ("a[2] + 3 = 4; x2 + 3 = 9", 0, 0),
    ],
)
def test_what_is_read_and_what_is_false(text: str, read: int, false: int) -> None:
    assert equations(text) == (read, false)


def test_values_are_those_of_python() -> None:
    chance = random.Random(4)
    for _ in range(300):
        parts = [str(chance.randint(1, 900))]
        for _ in range(chance.randint(1, 6)):
            parts += [chance.choice("+-*/"), str(chance.randint(1, 40))]
        # each number as a fraction, so that divisions are exact
        value = eval(
            " ".join(part if part in "+-*/" else f"Fraction({part})" for part in parts), {"Fraction": Fraction}
        )
        if value.denominator == 1:
            assert equations(f"{' '.join(parts)} = {value}") == (1, 0)
            assert equations(f"{' '.join(parts)} = {value + 1}") == (1, 1)


@pytest.mark.parametrize("text", ["1+" * 50_000 + "1", "9" * 100_000, "1 = " * 30_000, "1,111" * 20_000 + " = 2"])
def test_no_text_takes_long(text: str) -> None:
    assert equations(text)[0] < 30_001
