"""A judge's words, read strictly."""

from __future__ import annotations

import pytest

from provkit.answers.verdict import Verdict, read_verdict
from provkit.llm import Answer


@pytest.mark.parametrize(
    ("said", "kind", "score"),
    [
        ("0", "number", 0.0),
        (" 100\n", "number", 100.0),
        ("72.5", "number", 72.5),
        ("007", "number", 7.0),
        ("REFUSAL", "refusal", None),
        ("CODE", "code", None),
        ("101", "unparsed", None),
        ("100.1", "unparsed", None),
        ("-5", "unparsed", None),
        ("85/100", "unparsed", None),
        ("85%", "unparsed", None),
        ("**85**", "unparsed", None),
        ("Score: 85", "unparsed", None),
        ("85.", "unparsed", None),
        ("1e2", "unparsed", None),
        ("٨٥", "unparsed", None),
        ("refusal", "unparsed", None),
        ("REFUSAL: it refused", "unparsed", None),
        ("NaN", "unparsed", None),
        ("", "unparsed", None),
    ],
)
def test_one_number_or_one_word(said: str, kind: str, score: float | None) -> None:
    assert read_verdict(Answer("k", said, "stop")) == Verdict(kind, score)


def test_a_verdict_that_was_cut_short_is_none() -> None:
    assert read_verdict(Answer("k", "10", "length")) == Verdict("unparsed")


@pytest.mark.parametrize("answer", [Answer("k", "", "content_filter"), Answer("k", "", "stop", "I cannot judge this.")])
def test_a_judge_that_was_held_back_or_refused_has_not_judged(answer: Answer) -> None:
    assert read_verdict(answer) == Verdict("not judged")
