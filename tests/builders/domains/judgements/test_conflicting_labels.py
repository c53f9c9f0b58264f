"""Labels under brevity and completeness, by hand and against a slow rule."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provkit.builders.domains.judgements.conflicting_labels import ConflictingLabels, beginning, completeness
from provkit.row import Drop, Row

LONG = "The river Thames flows through Oxford and London, and then reaches the North Sea."
SHORT = "Through London."


def labelled(first: str, second: str, prompt: str = "Where does the river Thames flow?", reads: int = 20) -> Row:
    made = ConflictingLabels(reads=reads).apply(Row({"prompt": prompt, "chosen": first, "rejected": second}, bytes(32)))
    assert isinstance(made, Row)
    return made


def test_a_hand_labelled_row() -> None:
    made = labelled(LONG, SHORT)
    long = "a" if made["answer_a"] == LONG else "b"
    short = "b" if long == "a" else "a"
    # words of the prompt with four letters and more: where, does, river, thames, flow; the long answer has two of them
    assert made["completeness"] == made["completeness_weak"] == long
    assert made["brevity"] == made["brevity_weak"] == short
    assert made["conflict"] is True
    assert set(made) == {
        *("prompt", "answer_a", "answer_b", "brevity", "brevity_weak", "completeness", "completeness_weak", "conflict")
    }
    assert json.loads(made.note or "") == {"answer_a": "chosen" if long == "a" else "rejected"}


def test_a_weak_supervisor_sees_no_difference_beyond_its_words() -> None:
    first = "one two three four river"
    second = "one two three four thames stream"
    made = labelled(first, second, reads=4)
    assert made["brevity_weak"] == made["completeness_weak"] == "tie"
    assert made["brevity"] == ("a" if made["answer_a"] == first else "b")
    assert made["completeness"] == "tie"  # river here, thames there: one word each
    assert made["conflict"] is False


def test_no_conflict_where_the_shorter_answer_is_the_fuller_one() -> None:
    made = labelled("The river Thames.", "Well, that is hard to say in a word or two.")
    assert made["brevity"] == made["completeness"]
    assert made["conflict"] is False


@given(st.text(" \n\tab.é", max_size=60), st.integers(1, 9))
def test_the_beginning_of_a_text_is_its_first_words(text: str, words: int) -> None:
    found = beginning(text, words)
    assert text.startswith(found)
    assert found.split() == text.split()[:words]


@given(st.text("abcd ,.ÄX", max_size=40), st.text("abcd ,.ÄX", max_size=40))
def test_completeness_by_a_slow_rule(prompt: str, answer: str) -> None:
    count = 0
    for word in dict.fromkeys(re.split(r"\W+", prompt.lower())):
        count += len(word) >= 4 and word in re.split(r"\W+", answer.lower())
    assert completeness(prompt, answer) == count


def test_the_answers_trade_places_about_half_the_time() -> None:
    """The place of an answer must not tell its label: 400 rows, three standard deviations."""
    row = {"prompt": "Where does it flow?", "chosen": LONG, "rejected": SHORT}
    first = 0
    for at in range(400):
        made = ConflictingLabels().apply(Row(row, at.to_bytes(32, "big")))
        assert isinstance(made, Row)
        first += made["answer_a"] == LONG
    assert abs(first - 200) < 3 * 10


def test_rows_without_two_answers_are_dropped() -> None:
    made = ConflictingLabels().apply(Row({"prompt": "p", "chosen": "a", "rejected": " "}, bytes(32)))
    assert made == Drop("no two answers", "rejected holds no text")
    with pytest.raises(ValueError, match="names the column 'a' twice"):
        ConflictingLabels(answers=("a", "a"))
