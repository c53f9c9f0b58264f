"""When two answers say the same."""

from __future__ import annotations

import pytest

from provkit.builders.domains.answers.equal import normal

SAME = [
    ("The capital is Paris.", "the Capital is paris"),
    ("84,000", "84000"),
    ("−5", "-5"),
    ("a mammal", "Mammal!"),
    ("ﬁsh", "fish"),
    ("Nukuʻalofa ", "nukuʻalofa"),
]
OTHER = [
    ("5", "-5"),
    ("1.5", "15"),
    ("1,5", "15"),
    ("84,000", "8,400"),
    ("yes", "no"),
    ("+", "-"),
    ("", "x"),
    ("the", "a"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_the_same(one: str, other: str) -> None:
    assert normal(one) == normal(other)


@pytest.mark.parametrize(("one", "other"), OTHER)
def test_not_the_same(one: str, other: str) -> None:
    assert normal(one) != normal(other)


def test_a_difference_is_no_sign() -> None:
    assert normal("7-5 = 2") == normal("7 - 5 = 2")
