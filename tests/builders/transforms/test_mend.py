"""The mending steps: what they change, what their notes say, and what they leave alone."""

from __future__ import annotations

import pytest

from provkit.builders.transforms.mend import MendEntities, MendNumbers, MendWhitespace
from provkit.recipe import Step
from provkit.row import Drop, Row, chat


def test_white_space_of_texts_and_turns() -> None:
    row = MendWhitespace().apply(Row({**chat(" a\n", "b\n    "), "task": "c ", "n": 1}))
    assert row.content == {**chat("a", "b"), "task": "c", "n": 1}
    assert row.note == "white space: messages, task"


def test_entities() -> None:
    row = MendEntities().apply(Row(chat("q", "&lt;p>x&lt;/p>")))
    assert row.answer == "<p>x</p>" and row.note == "entities: messages"


def test_a_row_without_the_fault_is_not_changed() -> None:
    for step in (MendWhitespace(), MendEntities(), MendNumbers(columns={"n": "integer"})):
        row = Row({**chat("a", "<b>Tom &amp; Jerry</b>"), "n": 3})
        assert step.apply(row) is row and row.note is None


def test_only_the_named_columns() -> None:
    row = MendWhitespace(columns=["task"]).apply(Row({"task": "a ", "answer": "b "}))
    assert row.content == {"task": "a", "answer": "b "}


def test_odd_turns_pass() -> None:
    content = {"messages": [{"role": "user", "content": None}, "no turn", {"role": "user", "content": " a"}]}
    assert MendWhitespace().apply(Row(content))["messages"][2] == {"role": "user", "content": "a"}


def test_numbers() -> None:
    row = MendNumbers(columns={"n": "integer", "x": "real"}).apply(Row({"n": "84", "x": "2", "id": "7"}))
    assert row.content == {"n": 84, "x": 2.0, "id": "7"}
    assert type(row["x"]) is float and row.note == "numbers: n, x"
    assert MendNumbers(columns={"n": "integer"}).apply(Row({"n": None})).content == {"n": None}


@pytest.mark.parametrize("text", ["", "7.5", "007", "seven"])
def test_what_is_no_number_is_dropped_with_its_reason(text: str) -> None:
    drop = MendNumbers(columns={"n": "integer"}).apply(Row({"n": text}))
    assert isinstance(drop, Drop) and drop.reason == "no number" and repr(text) in drop.detail


def test_they_are_steps_of_a_recipe() -> None:
    assert isinstance(Step.model_validate("mend_whitespace").builder(), MendWhitespace)
    assert isinstance(Step.model_validate({"mend_numbers": {"columns": {"n": "real"}}}).builder(), MendNumbers)
    with pytest.raises(ValueError, match="integer"):
        Step.model_validate({"mend_numbers": {"columns": {"n": "number"}}})
