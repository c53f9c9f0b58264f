"""A row as a builder sees it: where its prompt and answer stand, and what becomes of it."""

from __future__ import annotations

from typing import Any

import pytest

from provkit.chance import Chance, Draws
from provkit.row import Drop, NoSuchPart, Row, chat, first_of


def turns(*pairs: tuple[str, Any]) -> dict[str, Any]:
    return {"messages": [{"role": role, "content": content} for role, content in pairs]}


@pytest.mark.parametrize(
    ("content", "prompt", "answer"),
    [
        (chat("q", "a"), "q", "a"),
        (chat("q", "a", system="s"), "q", "a"),
        (turns(("user", "1"), ("assistant", "2"), ("user", "3"), ("assistant", "4")), "3", "4"),
        ({"prompt": "p", "completion": "c"}, "p", "c"),
        ({"question": "q", "answer": 42}, "q", "42"),
        ({"task": "t", "code_template": "x", "output": "o"}, "t", "o"),
        ({"messages": None, "instruction": "i", "response": "r"}, "i", "r"),
        ({"messages": [], "prompt": "p", "answer": "a"}, "p", "a"),
        (turns(("user", "q"), ("tool", "t")) | {"answer": "a"}, "q", "a"),
        ({"prompt": "", "answer": ""}, "", ""),
    ],
)
def test_prompt_and_answer_in_every_form(content: dict[str, Any], prompt: str, answer: str) -> None:
    row = Row(content)
    assert (row.prompt, row.answer) == (prompt, answer)
    assert row.with_prompt("P").prompt == "P"
    assert row.with_answer("A").answer == "A"
    assert row.with_answer("A").prompt == prompt
    assert row.with_prompt("P").answer == answer
    assert (row.prompt, row.answer) == (prompt, answer)  # the row itself is as it was


@pytest.mark.parametrize(
    ("content", "part", "said"),
    [
        ({"text": "x"}, "prompt", "no prompt among the columns text"),
        ({"text": "x"}, "answer", "no answer among the columns text"),
        (turns(("user", "q")), "answer", "no answer among the columns messages"),
        (turns(("user", "q"), ("assistant", "a"), ("user", "again")), "answer", "no answer among"),
        (turns(("user", None), ("assistant", None)), "prompt", "no text in turn 0: null"),
        (turns(("user", "q"), ("assistant", None)), "answer", "no text in turn 1: null"),
        (turns(("user", [{"type": "text"}]), ("assistant", "a")), "prompt", "no text in turn 0: parts, not one text"),
        ({"prompt": None, "answer": None}, "prompt", "no text in prompt: null"),
        ({"messages": ["a", "b"]}, "prompt", "no prompt among the columns messages"),
        ({"messages": "a text"}, "answer", "no answer among the columns messages"),
        ({"messages": [{"from": "human", "value": "x"}]}, "prompt", "no prompt among the columns messages"),
        ({"messages": [{"role": "user"}]}, "prompt", "no text in turn 0: null"),
    ],
)
def test_a_row_without_a_part_says_so(content: dict[str, Any], part: str, said: str) -> None:
    with pytest.raises(NoSuchPart, match=said):
        getattr(Row(content), part)


def test_the_answer_is_replaced_where_it_is_read() -> None:
    """An answer column beside a chat that the user ends: the earlier assistant turn is no answer."""
    row = Row(turns(("user", "q"), ("assistant", "a"), ("user", "again")) | {"answer": "x"})
    changed = row.with_answer("y")
    assert changed["answer"] == "y"
    assert changed["messages"] == row["messages"]


def test_other_keys_of_a_turn_stay() -> None:
    row = Row(
        {"messages": [{"role": "user", "content": "q", "name": "n"}, {"role": "assistant", "content": "a", "w": 1}]}
    )
    assert row.with_answer("b")["messages"] == [
        {"role": "user", "content": "q", "name": "n"},
        {"role": "assistant", "content": "b", "w": 1},
    ]


def test_a_derived_row_keeps_what_was_not_changed_and_a_note() -> None:
    row = Row({"a": 1, "b": 2})
    derived = row.derive({"b": 3, "c": 4}, {"why": "é", "n": 1}, without=["a"])
    assert dict(derived) == {"b": 3, "c": 4}
    assert derived.note == '{"why":"é","n":1}'
    assert row.note is None and dict(row) == {"a": 1, "b": 2}
    assert row.derive({}).note == ""


def test_a_row_is_a_mapping_of_its_columns() -> None:
    row = Row({"a": 1, "b": None})
    assert (len(row), list(row), row.get("x"), "b" in row, repr(row)) == (
        2,
        ["a", "b"],
        None,
        True,
        "Row({'a': 1, 'b': None})",
    )
    assert row == {"a": 1, "b": None}


def test_a_drop_has_reason_and_detail() -> None:
    assert Row({}).drop("too short", "3 words") == Drop("too short", "3 words")


def test_the_chance_of_a_row_is_that_of_its_source_row() -> None:
    draws = Draws(42, "step", "ab")
    row = Row({"a": 1}, (draws, 7, 0))
    expected = Chance(draws.key(7))
    assert [row.chance.bits64() for _ in range(4)] == [expected.bits64() for _ in range(4)]
    assert row.derive({"a": 2}).chance.bits64() == Chance(draws.key(7)).bits64()


def test_the_first_column_that_is_there() -> None:
    assert first_of(("x", "b", "a"), {"a": 1, "b": 2}) == "b"
    assert first_of(("x",), {"a": 1}) is None
