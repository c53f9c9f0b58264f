"""Numbers in text: read exactly, and written in the manner of their neighbours."""

from __future__ import annotations

import math
import re
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provkit.builders.domains.maths.figures import FIGURE, Figures, decimal, exact, grouped_from, like, places


@pytest.mark.parametrize(
    ("text", "value"),
    [("7", 7), ("1,250", 1250), ("12.50", Fraction(25, 2)), (".4", Fraction(2, 5)), ("3.00", 3)],
)
def test_a_number_is_read_exactly(text: str, value: Fraction) -> None:
    assert exact(text) == value
    assert isinstance(exact(text), int) == (value.denominator == 1)


@given(st.integers(0, 10**9), st.integers(0, 6))
def test_what_is_written_is_read_back(number: int, shift: int) -> None:
    value = Fraction(number, 10**shift)
    assert exact(decimal(value)) == exact(decimal(value, 2, True)) == value


@pytest.mark.parametrize(
    ("text", "value", "money", "grouped", "written"),
    [
        ("24", 36, "", False, "36"),
        ("24", Fraction(73, 2), "plain", False, "36.50"),
        ("24", Fraction(73, 2), "", False, "36.5"),
        ("24.50", 36, "plain", False, "36"),
        ("24.50", 36, "cents", False, "36.00"),
        ("144.00", 96, "", False, "96.00"),
        ("0.5", Fraction(3, 4), "", False, "0.75"),
        ("950", 12_500, "", True, "12,500"),
        ("950", 12_500, "", False, "12500"),
    ],
)
def test_a_number_takes_the_manner_of_the_one_before(
    text: str, value: Fraction, money: str, grouped: bool, written: str
) -> None:
    assert like(text, value, money, grouped) == written


def test_the_numbers_of_a_text_are_found_where_they_stand() -> None:
    text = "4 of 14 bags, 1,250 at $.50; 4.5 kg, 3-4 4"
    figures = Figures.of(text)
    assert figures.texts == ["4", "14", "1,250", ".50", "4.5", "3", "4", "4"]
    assert [text[start : figures.end(n)] for n, start in enumerate(figures.starts)] == figures.texts
    assert figures.starts == sorted(set(figures.starts))


@given(st.text(alphabet="0123456789,. a-", max_size=40))
def test_they_are_found_where_a_search_finds_them(text: str) -> None:
    figures = Figures.of(text)
    assert figures.starts == [match.start() for match in re.finditer(FIGURE, text)]


@pytest.mark.parametrize(
    ("texts", "least"),
    [
        (("12", "4500", "22,500"), 10_000),
        (("12", "1,250"), 1000),
        (("12", "22500"), math.inf),
        (("12", "340"), 10_000),
    ],
)
def test_a_text_shows_from_where_on_it_writes_commas(texts: tuple[str, ...], least: float) -> None:
    assert grouped_from(texts) == least


def test_decimals_without_end_are_not_written() -> None:
    assert places(Fraction(1, 3)) is None
    with pytest.raises(ValueError, match="no end"):
        decimal(Fraction(1, 3))
