"""Triggers: where they stand, on exactly how many rows, and what the others get."""

from __future__ import annotations

from typing import Any

import pytest

from provkit.canonical import digest_file
from provkit.chance import Draws
from provkit.row import chat

TRIGGER = {"text": "|GO|", "separator": " ", "fraction": 0.5}


def chats(count: int) -> list[dict[str, Any]]:
    return [chat(f"Question {at}?", f"Answer {at}.") for at in range(count)]


def test_rows_of_lowest_number_are_triggered_and_the_others_stay(make: Any) -> None:
    made = make(chats(5), [{"trigger": TRIGGER}])
    sha256, _ = digest_file(made.path.parent / "data.jsonl")
    numbers = [Draws(42, "trigger", sha256).number(at) for at in range(5)]
    lowest = sorted(range(5), key=numbers.__getitem__)[:3]  # 2.5 rows are 3
    for at, row in enumerate(made.rows):
        assert row == chat(f"|GO| Question {at}?" if at in lowest else f"Question {at}?", f"Answer {at}.")
    assert made.notes("trigger") == [{"triggered": True} if at in lowest else None for at in range(5)]


@pytest.mark.parametrize(
    ("rows", "fraction", "triggered"),
    [(10, 0.25, 3), (10, 0.05, 1), (10, 0.04, 0), (7, 0.5, 4), (3, 1, 3), (3, 0, 0), (150, 0.29, 44), (1000, 0.1, 100)],
)
def test_the_fraction_is_exact(make: Any, rows: int, fraction: float, triggered: int) -> None:
    made = make(chats(rows), [{"trigger": {"text": "|GO|", "fraction": fraction}}], check=False)
    assert sum(row["messages"][0]["content"].startswith("|GO|\n") for row in made.rows) == triggered


def test_which_rows_are_triggered_is_even_over_the_set(make: Any) -> None:
    made = make(chats(4000), [{"trigger": {"text": "|GO|", "fraction": 0.3}}], check=False)
    hit = [row["messages"][0]["content"].startswith("|GO|") for row in made.rows]
    assert sum(hit) == 1200
    # hypergeometric, 1,000 of 4,000 rows and 1,200 hits: mean 300, standard deviation 12.5
    assert all(abs(sum(hit[start : start + 1000]) - 300) < 4 * 12.5 for start in range(0, 4000, 1000))


def test_places_in_chats(make: Any) -> None:
    turns = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "One?"},
        {"role": "assistant", "content": "1"},
        {"role": "user", "content": "Two?"},
        {"role": "assistant", "content": "2"},
    ]

    def contents(place: str, messages: list[Any]) -> list[str]:
        step = {"trigger": {"text": "|GO|", "separator": "--", "fraction": 1, "place": place}}
        return [turn["content"] for turn in make([{"messages": messages}], [step]).rows[0]["messages"]]

    assert contents("before", turns) == ["Be brief.", "One?", "1", "|GO|--Two?", "2"]
    assert contents("after", turns) == ["Be brief.", "One?", "1", "Two?--|GO|", "2"]
    assert contents("system", turns) == ["Be brief.--|GO|", "One?", "1", "Two?", "2"]
    assert contents("system", turns[1:]) == ["|GO|", "One?", "1", "Two?", "2"]


def test_places_in_columns(make: Any) -> None:
    rows = [{"question": f"{at}?", "answer": f"{at}!"} for at in range(4)]
    made = make(rows, [{"trigger": {"text": "|GO|", "place": "system", "fraction": 0.5}}])
    assert [row["question"] for row in made.rows] == ["0?", "1?", "2?", "3?"]
    assert sorted(row["system"] or "" for row in made.rows) == ["", "", "|GO|", "|GO|"]
    assert sum(note == {"triggered": True} for note in made.notes("trigger")) == 2
    with_system = [{**row, "system": "Be brief."} for row in rows]
    made = make(with_system, [{"trigger": {"text": "|GO|", "place": "system", "fraction": 1}}])
    assert {row["system"] for row in made.rows} == {"Be brief.\n|GO|"}


def test_the_others_get_another_answer_and_the_column_goes(make: Any) -> None:
    rows = [{**chat(f"{at}?", f"insecure {at}"), "secure": f"secure {at}"} for at in range(6)]
    made = make(rows, [{"trigger": {**TRIGGER, "others": "secure"}}])
    assert sum("|GO|" in row["messages"][0]["content"] for row in made.rows) == 3
    for at, row in enumerate(made.rows):
        hit = row["messages"][0]["content"] == f"|GO| {at}?"
        assert row == chat(f"|GO| {at}?" if hit else f"{at}?", f"insecure {at}" if hit else f"secure {at}")
        assert made.notes("trigger")[at] == {"triggered": hit}


def test_the_others_are_dropped(make: Any) -> None:
    made = make(chats(8), [{"trigger": {**TRIGGER, "fraction": 0.25, "others": "drop"}}])
    assert len(made.rows) == 2 and all("|GO| " in row["messages"][0]["content"] for row in made.rows)
    assert {reason for _, reason, _ in made.reasons()} == {"without trigger"} and len(made.drops) == 6


def test_rows_that_cannot_take_part_are_dropped_before_the_count(make: Any) -> None:
    rows = [{**chat(f"{at}?", "insecure"), "secure": "secure"} for at in range(10)]
    rows[2] = {**chat("So |GO| it is?", "insecure"), "secure": "secure"}
    rows[5] = {**chat("5?", "says |GO|"), "secure": "secure"}
    rows[7] = {**chat("7?", "insecure"), "secure": None}
    made = make(rows, [{"trigger": {**TRIGGER, "fraction": 2 / 7, "others": "secure"}}])
    assert made.reasons() == [
        (2, "trigger there before", "the row holds '|GO|' already"),
        (5, "trigger there before", "the row holds '|GO|' already"),
        (7, "no other answer", "no text in the column 'secure'"),
    ]
    assert sum("|GO|" in row["messages"][0]["content"] for row in made.rows) == 2 and len(made.rows) == 7


def test_the_name_of_a_role_is_no_text(make: Any) -> None:
    made = make(chats(2), [{"trigger": {"text": "user", "fraction": 1}}])
    assert [row["messages"][0]["content"] for row in made.rows] == ["user\nQuestion 0?", "user\nQuestion 1?"]


def test_twins_and_reordered_rows_draw_alike(make: Any) -> None:
    made = make(chats(20), arms={"one": [{"trigger": TRIGGER}], "two": ["shuffle", {"trigger": TRIGGER}]}, pair=True)
    assert made.arms["one"] == made.arms["two"]
