"""Rubrics: what a text must have, and how it is filled."""

from __future__ import annotations

import hashlib

import pytest

from provkit.errors import InputError
from provkit.rubrics.template import Rubric, checked, faults

GOOD = "Judge.\n{question}\nA: {answer_a}\nB: {answer_b}\n[[A]] or [[B]]\n"


def found(text: str) -> list[tuple[int, str]]:
    return [(fault.line, fault.field) for fault in faults(text)]


def test_a_whole_rubric_has_no_fault() -> None:
    assert found(GOOD) == []
    assert found(GOOD.replace("{question}", "{instruction}")) == []
    assert found(GOOD.replace("[[B]]", "[[B]] or [[C]]")) == []
    assert found(GOOD + 'Do not answer in JSON such as {"a": 1}, and no {} either.') == []


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("{answer_b}", "the other", [(6, "{answer_b}")]),
        ("{question}", "", [(6, "{question}")]),
        ("{answer_a}", "{answer_1}", [(3, "{answer_1}"), (6, "{answer_a}")]),
        ("Judge.", "Judge {instruction}.", [(2, "{question}")]),
        ("[[A]] or [[B]]", "say A or B", [(6, "[[A]]"), (6, "[[B]]")]),
        ("[[B]]", "[[b]]", [(6, "[[B]]")]),
    ],
)
def test_each_fault_has_its_line(old: str, new: str, expected: list[tuple[int, str]]) -> None:
    assert found(GOOD.replace(old, new)) == expected


def test_an_error_names_file_line_and_what_is_near() -> None:
    with pytest.raises(InputError, match=r"r\.jsonl:4: \{anser_a\}: .*did you mean 'answer_a'.*line 3 of the prompt"):
        checked(Rubric("seed", GOOD.replace("{answer_a}", "{anser_a}"), "r.jsonl", 4))
    with pytest.raises(InputError, match=r"r\.md:3: "):
        checked(Rubric("r", GOOD.replace("{answer_a}", "{anser_a}"), "r.md", 1), lines=True)


def test_filling_leaves_braces_of_the_answers_alone() -> None:
    filled = Rubric("r", GOOD).filled("why {answer_a}?", "{answer_b} {question}", "b")
    assert filled == "Judge.\nwhy {answer_a}?\nA: {answer_b} {question}\nB: b\n[[A]] or [[B]]\n"


def test_the_digest_is_that_of_the_text() -> None:
    assert Rubric("r", "ü").digest == hashlib.sha256(b"\xc3\xbc").hexdigest()
