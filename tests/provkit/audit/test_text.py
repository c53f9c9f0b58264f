"""Texts: empty answers, edges, entities, numbers, each beside a clean twin."""

from __future__ import annotations

import pytest

from provkit.row import chat

CLEAN = [chat("a question", "a whole answer") for _ in range(6)]


@pytest.mark.parametrize("answer", ["", "  \n", "\u3000"])
def test_answers_that_say_nothing(write, found, answer: str) -> None:
    (finding,) = found(write([*CLEAN, chat("q", answer)]), select=["T001"])["T001"]
    assert (finding.count, finding.total, finding.examples[0].line) == (1, 7, 7)
    assert found(write(CLEAN, "clean.jsonl"), select=["T"]) == {}


def test_an_answer_that_is_null(write, found) -> None:
    rows = [{"prompt": "a", "answer": "text"}, {"prompt": "b", "answer": None}]
    assert found(write(rows), select=["T001"])["T001"][0].examples[0].text == "missing"


def test_one_character_is_a_fault_among_texts_and_none_among_labels(write, found) -> None:
    (finding,) = found(write([*CLEAN, chat("q", "7")]), select=["T002"])["T002"]
    assert (finding.count, finding.examples[0].text) == (1, "7")
    labels = [chat("q", letter) for letter in "ABCDA"]
    assert found(write([*labels, *CLEAN[:2]], "labels.jsonl"), select=["T002"]) == {}


def test_white_space_at_the_edges_is_counted_by_column(write, found) -> None:
    rows = [*CLEAN, chat("a question\n    ", " an answer"), chat("x", "y\n")]
    (finding,) = found(write(rows), select=["T003"])["T003"]
    assert (finding.count, finding.total) == (2, 8)
    assert finding.said == "white space at the edge of messages.assistant 2, messages.user 1"
    block = {"prompt": "q", "answer": "    if x:\n        y()\n    z()"}
    assert found(write([block], "block.jsonl"), select=["T003"]) == {}


def test_entities_left_in_and_entities_that_are_meant(write, found) -> None:
    left = [
        {"prompt": "q", "answer": 'env.from_string("&lt;h1>{{ a }}&lt;/h1>")'},
        {"prompt": "R&amp;D?", "answer": "y y"},
    ]
    (finding,) = found(write(left), select=["T004"])["T004"]
    assert (finding.count, finding.said) == (2, "HTML entities in prompt 1, answer 1")
    meant = ["<p>Tom &amp; Jerry</p>", "s.replace('<', '&lt;')", "html.escape(x)  # &lt;", "a && b; c", "AT&T;"]
    assert found(write([{"prompt": "q", "answer": one} for one in meant], "meant.jsonl"), select=["T004"]) == {}


def test_numbers_kept_as_text(write, found) -> None:
    rows = [{"prompt": "q", "answer": "7", "score": str(at), "ratio": f"0.{at}", "id": str(at)} for at in range(4)]
    told = found(write(rows), select=["T005"])["T005"]
    assert {one.said: one.count for one in told} == {
        "the column score holds numbers as text": 4,
        "the column ratio holds numbers as text": 4,
    }
    for clean in ([{**rows[0], "score": 1, "ratio": 0.5}], [*rows, {**rows[0], "score": "none", "ratio": "007"}]):
        assert found(write(clean, "clean.jsonl"), select=["T005"]) == {}
    assert found(write(b"prompt,score\nq,1\nr,2\n", "rows.csv"), select=["T005"]) == {}  # CSV has no types
