"""Rows out of Arrow columns, against pyarrow's own."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from provkit.audit.columns import rows_of

CHATS: list[Any] = [
    [{"role": "user", "content": "é 🦊"}, {"role": "assistant", "content": None}],
    [],
    [{"role": "user", "content": "b"}],
]
COLUMNS: dict[str, list[Any]] = {
    "chats": CHATS,
    "no chat": [CHATS[0], None, CHATS[2]],
    "no turn": [[None, CHATS[0][0]], [], CHATS[0]],
    "texts": ["a", None, ""],
    "numbers": [1, None, 3],
    "lists": [["a"], None, []],
    "objects": [{"a": 1}, None, {"a": None}],
    "nested": [[{"a": [{"b": "x"}]}], [], [{"a": []}]],
}


@pytest.mark.parametrize("name", COLUMNS)
def test_rows_are_those_of_pyarrow_whole_and_sliced(name: str) -> None:
    batch = pa.RecordBatch.from_pydict({"at": [0, 1, 2], name: COLUMNS[name]})
    for part in (batch, batch.slice(1), batch.slice(0, 2), batch.slice(2), batch.slice(3)):
        assert rows_of(part) == part.to_pylist()


def test_large_texts_and_columns_without_any_value() -> None:
    batch = pa.RecordBatch.from_arrays([pa.array(["a", None], pa.large_string()), pa.nulls(2)], ["a", "b"])
    assert rows_of(batch) == [{"a": "a", "b": None}, {"a": None, "b": None}]
