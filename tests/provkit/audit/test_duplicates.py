"""Duplicates by their fixed definitions, against counts made by hand and by brute force."""

from __future__ import annotations

import random

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from provkit.audit.scan import content_digest, grouped
from provkit.row import chat
from provkit.table import groups


def test_the_three_definitions(write, found) -> None:
    rows = [
        {"prompt": "a", "answer": "one"},
        {"prompt": "a", "answer": "one"},  # a duplicate row, and so a duplicate prompt
        {"prompt": "a", "answer": "two"},  # a duplicate prompt, and conflicting
        {"prompt": "b", "answer": "one"},
        {"answer": "one", "prompt": "b"},  # key order is no content
        {"prompt": "c", "answer": "one"},
    ]
    told = found(write(rows), select=["D001", "D002", "D003"])
    assert {id: (one[0].count, one[0].total) for id, one in told.items()} == {
        "D001": (2, 6),
        "D002": (3, 6),
        "D003": (1, 3),
    }
    assert [one.locator.rsplit(":")[-1] for one in told["D001"][0].examples] == ["2", "5"]
    assert told["D003"][0].examples[0].text.endswith("rows.jsonl:1")
    assert found(write([rows[0], rows[3], rows[5]], "clean.jsonl"), select=["D"]) == {}


def test_a_prompt_is_every_turn_before_the_last_answer(write, found) -> None:
    one, other = chat("a", "x"), chat("a", "y")
    system = chat("a", "y", system="be kind")
    longer = {
        "messages": [*one["messages"], {"role": "user", "content": "more"}, {"role": "assistant", "content": "z"}]
    }
    told = found(write([one, other, system, longer]), select=["D002", "D003"])
    assert (told["D002"][0].count, told["D003"][0].count) == (1, 1)
    asked = {"messages": one["messages"][:1]}  # the same prompt, not answered yet
    assert found(write([asked, other], "open.jsonl"), select=["D002"])["D002"][0].count == 1


def test_one_odd_row_does_not_change_what_prompts_are_equal(write, found) -> None:
    rows = [chat("a", "x"), chat("b", "x")]
    odd = {"messages": [{"role": "user", "content": None}, {"role": "assistant", "content": "x"}]}
    first = [*rows * 3_000, odd]
    assert found(write(first), select=["D002"])["D002"][0].count == 5_998


def test_counts_equal_brute_force_over_many_batches(write, found) -> None:
    chance = random.Random(7)
    rows = [{"prompt": f"p{chance.randrange(9_000)}", "answer": f"a{chance.randrange(3)}"} for _ in range(20_000)]
    told = found(write(rows), select=["D001", "D002", "D003"])
    answers: dict[str, set[str]] = {}
    for row in rows:
        answers.setdefault(row["prompt"], set()).add(row["answer"])
    assert told["D001"][0].count == len(rows) - len({(row["prompt"], row["answer"]) for row in rows})
    assert told["D002"][0].count == len(rows) - len(answers)
    assert told["D003"][0].count == sum(len(several) > 1 for several in answers.values())


def test_rows_without_answers_conflict_with_nothing(write, found) -> None:
    assert found(write([{"task": "a", "score": 1}, {"task": "a", "score": 2}]), select=["D003"]) == {}


def test_the_same_content_under_other_bytes(write, found) -> None:
    rows = [{"prompt": "café", "answer": "one"}, {"prompt": "thé", "answer": "two"}]
    raw = write(rows)
    escaped = write(
        b'{"answer": "two", "prompt": "th\\u00e9"}\n{"prompt": "caf\\u00e9", "answer": "one"}\n', "other.jsonl"
    )
    array = write(b'[{"prompt":"caf\xc3\xa9","answer":"one"},{"prompt":"th\xc3\xa9","answer":"two"}]', "third.json")
    copy = write(rows, "copy.jsonl")
    told = found(raw, escaped, array, copy, select=["D005"])["D005"]
    how = {one.subject.rsplit("/")[-1]: one.said.rsplit(", ", 1)[1] for one in told}
    assert how["copy.jsonl"] == "byte for byte"
    assert len(told) == 3 and "third.json" in how and "other.jsonl" in how
    assert found(raw, write(rows[:1], "part.jsonl"), select=["D005"]) == {}


@given(st.lists(st.integers(0, 5), max_size=60), st.integers(0, 2))
@settings(max_examples=60, deadline=None)
def test_grouping_is_that_of_a_build(numbers: list[int], collide: int) -> None:
    digests = np.array([[one % (collide + 1), one] for one in numbers], np.uint64).reshape(-1, 2)
    mine, first = grouped(digests)
    its, its_first = groups(digests)
    assert sorted(first.tolist()) == sorted(its_first.tolist())
    assert (first[mine] == its_first[its]).all()


def test_content_has_no_order() -> None:
    digests = np.arange(20, dtype=np.uint64).reshape(-1, 2)
    assert content_digest(digests) == content_digest(digests[::-1]) != content_digest(digests[1:])
