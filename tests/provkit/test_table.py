"""Rows on disk: identities against their definition, prompts, groups, types that widen, and where a row came from."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provkit.errors import InputError
from provkit.table import (
    INDEX,
    INPUT,
    LINE,
    ROW_ID,
    SIBLING,
    Input,
    Parts,
    Rows,
    groups,
    is_plain,
    locator,
    prompt_key,
    read_parts,
)

INPUTS = [Input("data", "a" * 64, 1, "data.jsonl"), Input("made", "b" * 64, 0, kind="generator")]


def rows(contents: list[dict[str, Any]], order: list[int] | None = None) -> Rows:
    table = pa.Table.from_pylist(contents)
    size = len(contents)
    for name, values in {
        INPUT: pa.array([0] * size, pa.int32()),
        INDEX: pa.array(range(size), pa.int64()),
        LINE: pa.array(range(1, size + 1), pa.int64()),
        ROW_ID: pa.nulls(size, pa.string()),
        SIBLING: pa.array([0] * size, pa.uint64()),
    }.items():
        table = table.append_column(name, values)
    return Rows(table, None if order is None else np.array(order, np.int64), INPUTS, (42, "step"))


def spelled(digests: np.ndarray[Any, Any]) -> list[str]:
    return [f"{high:016x}{low:016x}" for high, low in digests.tolist()]


def test_an_identity_is_the_sha256_of_sorted_json_without_nulls_in_structs() -> None:
    several: list[dict[str, Any]] = [
        {"b": "é", "a": {"y": None, "x": 1}, "c": [1, 2]},
        {"b": None, "a": {"y": 2, "x": None}, "c": []},
    ]
    expected = ['{"a":{"x":1},"b":"é","c":[1,2]}', '{"a":{"y":2},"b":null,"c":[]}']
    digests = rows(several).digests("row")
    assert spelled(digests) == [hashlib.sha256(one.encode()).hexdigest()[:32] for one in expected]


texts = st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
contents: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {"a": texts, "b": st.lists(st.integers(-(2**63), 2**63 - 1), max_size=3)}
)


@settings(max_examples=60, deadline=None)
@given(st.lists(contents, min_size=1, max_size=8))
def test_the_short_way_to_an_identity_gives_what_the_long_way_gives(several: list[dict[str, Any]]) -> None:
    found = rows(several)
    assert is_plain(found.table)
    long = [json.dumps(one, sort_keys=True, separators=(",", ":"), ensure_ascii=False) for one in several]
    assert spelled(found.digests("row")) == [hashlib.sha256(one.encode()).hexdigest()[:32] for one in long]


def test_which_tables_take_the_short_way() -> None:
    assert is_plain(pa.table({"a": ["x", None], "b": [[1], None]}))
    assert not is_plain(pa.table({"a": [1.0]}))
    assert not is_plain(pa.table({"a": [{"x": 1}, {"x": None}]}))
    assert not is_plain(pa.table({"a": [[{"x": "1"}, {"x": None}]]}))
    assert not is_plain(pa.table({"a": [[[0.5]]]}))
    assert is_plain(pa.table({"a": [[{"x": "1"}], []]}))


def test_digests_are_taken_along_and_never_made_twice() -> None:
    found = rows([{"q": str(at % 3)} for at in range(9)], list(range(8, -1, -1)))
    digests = found.digests("row")
    taken = found.take(np.array([4, 0]))
    assert [row["q"] for row in taken.contents()] == ["1", "2"]
    assert (taken.digests("row") == digests[[4, 0]]).all()
    assert found.labelled("other").digests("row") is digests


@pytest.mark.parametrize(
    ("content", "key"),
    [
        ({"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]}, [["user", "q"]]),
        ({"messages": [{"role": "user", "content": "q"}]}, [["user", "q"]]),
        ({"messages": []}, []),
        ({"prompt": "q", "answer": "a", "id": 7}, {"prompt": "q"}),
        ({"question": "q", "context": "c", "response": "a"}, {"question": "q", "context": "c"}),
        ({"messages": None, "prompt": "q"}, {"prompt": "q"}),
        ({"claim": "x", "label": 1, "output": "o"}, {"claim": "x", "label": 1}),
    ],
)
def test_what_makes_a_prompt(content: dict[str, Any], key: Any) -> None:
    assert json.loads(prompt_key(content)) == key


@pytest.mark.parametrize("messages", ["text", ["text"], [{"role": "user"}], [None], [{"from": "a", "value": "b"}]])
def test_a_chat_that_is_none_has_no_prompt(messages: Any) -> None:
    with pytest.raises(InputError, match="no list of turns"):
        prompt_key({"messages": messages})


def test_the_row_that_has_no_identity_is_named() -> None:
    with pytest.raises(InputError, match=r"data\.jsonl:2: nan has no JSON form"):
        rows([{"x": 1.0}, {"x": float("nan")}]).digests("row")


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(0, 4)))
def test_groups_are_those_of_a_dictionary(several: list[int]) -> None:
    digests = np.array([[7, one] for one in several], np.uint64).reshape(-1, 2)
    group, first = groups(digests)
    seen: dict[int, int] = {}
    for at, one in enumerate(several):
        seen.setdefault(one, at)
    assert [int(first[number]) for number in group] == [seen[one] for one in several]


def test_parts_widen_where_batches_differ(tmp_path: Path) -> None:
    parts = Parts(tmp_path, "x")
    for batch in ({"a": [1], "b": [None]}, {"a": [2], "b": [None]}, {"a": [0.5], "b": ["t"]}, {"a": [3], "c": [[]]}):
        parts.write(pa.table(batch))
    paths = parts.close()
    assert len(paths) == 3  # the first two batches have one schema
    assert read_parts(paths).to_pylist() == [
        {"a": 1.0, "b": None, "c": None},
        {"a": 2.0, "b": None, "c": None},
        {"a": 0.5, "b": "t", "c": None},
        {"a": 3.0, "b": None, "c": []},
    ]


def test_types_without_a_common_one_are_refused(tmp_path: Path) -> None:
    parts = Parts(tmp_path, "x")
    parts.write(pa.table({"a": [1]}))
    parts.write(pa.table({"a": ["x"]}))
    with pytest.raises((pa.ArrowInvalid, pa.ArrowTypeError)):
        read_parts(parts.close())


def test_a_locator_is_a_line_where_there_are_lines() -> None:
    assert locator(INPUTS[0], 6, 9) == "data.jsonl:9"
    assert locator(INPUTS[0], 6, None) == "data.jsonl[6]"
    assert locator(INPUTS[1], 6, None) == "made[6]"
    assert rows([{"q": "a"}, {"q": "b"}], [1, 0]).locators(np.array([0])) == ["data.jsonl:2"]
