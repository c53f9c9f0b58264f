"""Operation trees: evaluated as sympy evaluates them, and by the four wrong rules as by hand."""

from __future__ import annotations

from fractions import Fraction

import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

from provkit.builders.domains.maths.expression import (
    MalformedError,
    evaluate,
    operators,
    postfix,
    replaced,
)

NUMBERS = st.integers(1, 99)


@st.composite
def expressions(draw: st.DrawFn) -> tuple[str, list[int]]:
    """A structure of two to five numbers, with parentheses around some runs, and its leaves."""
    count = draw(st.integers(2, 5))
    text = "N"
    for _ in range(count - 1):
        operator = draw(st.sampled_from("+-*/"))
        text = f"({text}){operator}N" if draw(st.booleans()) else f"{text}{operator}N"
        if draw(st.booleans()):
            text = f"N{draw(st.sampled_from('+-*'))}({text})"
    return text, draw(st.lists(NUMBERS, min_size=text.count("N"), max_size=text.count("N")))


@given(expressions())
def test_the_value_is_that_of_sympy(case: tuple[str, list[int]]) -> None:
    structure, leaves = case
    filled = structure.replace("N", "Integer({})").format(*leaves)
    expected = sympy.sympify(filled)
    found = evaluate(structure, leaves)
    if expected.is_finite:
        assert found is not None
        assert sympy.Rational(Fraction(found).numerator, Fraction(found).denominator) == expected
    else:
        assert found is None


@pytest.mark.parametrize(
    ("structure", "leaves", "rule", "value"),
    [
        ("N+N*N", [2, 3, 4], "standard", 14),
        ("N+N*N", [2, 3, 4], "left_to_right", 20),  # (2 + 3) * 4
        ("N*N+N", [2, 3, 4], "standard", 10),
        ("N*N+N", [2, 3, 4], "left_to_right", 10),
        ("N*N+N", [2, 3, 4], "add_first", 14),  # 2 * (3 + 4)
        ("N*(N+N)", [2, 3, 4], "no_parentheses", 10),  # 2 * 3 + 4
        ("N-N+N", [9, 3, 2], "standard", 8),
        ("N-N+N", [9, 3, 2], "right_first", 4),  # 9 - (3 + 2)
        ("N-N-N", [9, 3, 2], "right_first", 8),  # 9 - (3 - 2)
        ("N/N*N", [24, 4, 2], "right_first", 3),  # 24 / (4 * 2)
        ("N-N*N", [20, 3, 4], "left_to_right", 68),  # (20 - 3) * 4
        ("N*N%", [80, 15], "standard", 12),
        ("N/N", [1, 3], "standard", Fraction(1, 3)),
    ],
)
def test_rules(structure: str, leaves: list[int], rule: str, value: int) -> None:
    assert evaluate(structure, leaves, rule) == value  # type: ignore[arg-type]


def test_a_division_by_zero_has_no_value() -> None:
    assert evaluate("N/(N-N)", [4, 3, 3]) is None


@pytest.mark.parametrize("structure", ["", "N+", "(N+N", "N+N)", "NN", "N()", "+N", "N**N", "N N", "()"])
def test_what_is_no_expression_is_refused(structure: str) -> None:
    with pytest.raises(MalformedError):
        postfix(structure)


def test_operators_are_replaced_by_their_number() -> None:
    assert operators("N*(N+N)-N") == "*+-"
    assert replaced("N*(N+N)-N", 1, "-") == "N*(N-N)-N"
