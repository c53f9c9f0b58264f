"""Verdicts are read strictly."""

from __future__ import annotations

import pytest

from provkit.rubrics.verdict import of_pair, parse


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("I prefer the first.\n[[A]]", "A"),
        ("[[B]]", "B"),
        ("**[[C]]**", "C"),
        ("[[A]] if A is better, [[B]] if B is better. My verdict: [[A]]", "A"),
        ("At first [[A]], on second thoughts [[B]]", "B"),
        ("", "unparsed"),
        ("It lists its liabilities: a tie.", "unparsed"),
        ("Assistant A is better.", "unparsed"),
        ("[A]", "unparsed"),
        ("[[a]]", "unparsed"),
        ("[[ A ]]", "unparsed"),
        ("[[D]]", "unparsed"),
        ("[[AB]]", "unparsed"),
        ("[[А]]", "unparsed"),  # a Cyrillic letter
    ],
)
def test_the_last_mark_alone_counts(text: str, verdict: str) -> None:
    assert parse(text) == verdict


def test_a_swapped_verdict_speaks_of_the_other_answer() -> None:
    assert [of_pair(one, True) for one in ("A", "B", "C", "unparsed")] == ["B", "A", "C", "unparsed"]
    assert [of_pair(one, False) for one in ("A", "B", "C", "unparsed")] == ["A", "B", "C", "unparsed"]
