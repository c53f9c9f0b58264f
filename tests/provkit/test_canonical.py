"""Canonical JSON and the identities made of it, against hand-written spellings and other programs."""

from __future__ import annotations

import hashlib
import json
from collections import OrderedDict
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provkit.canonical import NotCanonical, canonical, canonical_fast, digest, digest_file, row_id
from provkit.row import Row
from provkit.table import is_plain


@pytest.mark.parametrize(
    ("value", "spelling"),
    [
        ({}, "{}"),
        ([], "[]"),
        ({"b": 1, "a": [True, False, None]}, '{"a":[true,false,null],"b":1}'),
        ({"1": 1, "10": 2, "9": 3}, '{"1":1,"10":2,"9":3}'),
        ({"Z": 1, "a": 2, "A": 3, "": 4}, '{"":4,"A":3,"Z":1,"a":2}'),
        ({"€": 1, "\r": 2, "\ufb33": 3, "1": 4, "ö": 6}, '{"\\r":2,"1":4,"ö":6,"€":1,"\ufb33":3}'),
        ('a/b"\\\b\f\n\r\t\x00\x1f\x7f<', '"a/b\\"\\\\\\b\\f\\n\\r\\t\\u0000\\u001f\x7f<"'),
        ("é e\u0301 日本 \U0001f600", '"é e\u0301 日本 \U0001f600"'),
        ([0, -0.0, 1.0, 0.1, 1e30, 5e-324, 333333333.33333329], "[0,-0.0,1.0,0.1,1e+30,5e-324,333333333.3333333]"),
        ([2**63 - 1, -(2**63), 2**64 - 1], "[9223372036854775807,-9223372036854775808,18446744073709551615]"),
        ([date(2024, 2, 29), datetime(2024, 1, 2, 3, 4, 5, 6000)], '["2024-02-29","2024-01-02T03:04:05.006000"]'),
        (datetime(2024, 1, 2, tzinfo=UTC), '"2024-01-02T00:00:00+00:00"'),
    ],
)
def test_a_value_has_this_spelling(value: Any, spelling: str) -> None:
    assert canonical(value) == spelling.encode()


def test_keys_are_sorted_by_code_point() -> None:
    """RFC 8785 sorts by UTF-16 unit, which puts the emoji (D83D) before the wide letter (FF21)."""
    assert canonical({"\U0001f600": 1, "Ａ": 2}) == '{"Ａ":2,"\U0001f600":1}'.encode()


def test_null_fields_of_nested_structs_are_left_out_and_null_columns_are_not() -> None:
    row = {"a": None, "m": [{"role": "user", "name": None, "x": {"y": None}}, None], "l": [None, 1]}
    assert canonical(row) == b'{"a":null,"l":[null,1],"m":[{"role":"user","x":{}},null]}'
    assert row_id({"m": [{"r": "u", "name": None}]}) == row_id({"m": [{"r": "u"}]})
    assert row_id({"a": None}) != row_id({})


@pytest.mark.parametrize(
    "bad", [float("nan"), float("inf"), float("-inf"), "\ud800", "a\udfff", 2**64, b"x", {1: 2}, {1, 2}]
)
@pytest.mark.parametrize("wrap", [lambda x: x, lambda x: [x], lambda x: {"a": {"b": [x]}}, lambda x: (x,)])
def test_what_json_cannot_hold_is_refused(bad: Any, wrap: Any) -> None:
    with pytest.raises(NotCanonical):
        canonical(wrap(bad))


@pytest.mark.parametrize("spell", [canonical, canonical_fast])
def test_an_object_of_a_class_has_no_spelling(spell: Any) -> None:
    @dataclass
    class Point:
        x: float

    with pytest.raises(NotCanonical):
        spell({"a": Point(float("nan"))})


def test_what_nests_without_end_is_refused() -> None:
    deep: Any = "x"
    for _ in range(5000):
        deep = [deep]
    with pytest.raises(NotCanonical):
        canonical(deep)


def test_the_identity_of_a_row_by_hand() -> None:
    content = {"prompt": "Zähle", "answer": "1, 2"}
    expected = hashlib.sha256('{"answer":"1, 2","prompt":"Zähle"}'.encode()).hexdigest()
    assert row_id(content) == expected[:32] == "1736ad1c1e6ba84056bd8992c2f70d13"
    assert digest(content) == expected


def test_any_mapping_with_the_same_content_has_the_same_identity() -> None:
    content = {"b": 1, "a": {"y": None, "x": [1]}}
    others = [dict(reversed(content.items())), OrderedDict(content), MappingProxyType(content), Row(content)]
    assert {row_id(other) for other in others} == {row_id(content)}


SCALARS = st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text()
JSON = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20)


@settings(max_examples=60, deadline=None)
@given(JSON)
def test_it_is_the_json_of_the_standard_library(value: Any) -> None:
    expected = json.dumps(without_nulls(value, True), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    spelled = canonical(value)
    assert spelled == expected.encode()
    assert json.loads(spelled) == without_nulls(value, True)


def without_nulls(value: Any, top: bool = False) -> Any:
    if isinstance(value, dict):
        return {key: without_nulls(item) for key, item in value.items() if top or item is not None}
    return [without_nulls(item) for item in value] if isinstance(value, list) else value


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_float_survives(number: float) -> None:
    assert json.loads(canonical([number])) == [number]
    assert not spelled_as_integer(canonical([number]))


def spelled_as_integer(raw: bytes) -> bool:
    return raw.strip(b"[]-").isdigit()


KINDS = st.recursive(
    st.sampled_from([pa.string(), pa.int64(), pa.bool_(), pa.float64(), pa.null()]),
    lambda inner: (
        st.builds(pa.list_, inner)
        | st.lists(inner, min_size=1, max_size=3).map(lambda kinds: pa.struct(zip("abc", kinds, strict=False)))
    ),
    max_leaves=4,
)


@st.composite
def tables(draw: st.DrawFn) -> pa.Table:
    kinds = draw(st.lists(KINDS, min_size=1, max_size=3))
    rows = draw(st.integers(1, 4))
    columns = [pa.array([draw(values(kind)) for _ in range(rows)], kind) for kind in kinds]
    return pa.table(columns, names=list("pqr")[: len(kinds)])


def values(kind: pa.DataType) -> st.SearchStrategy[Any]:
    if pa.types.is_list(kind):
        return st.none() | st.lists(values(kind.value_type), max_size=3)
    if pa.types.is_struct(kind):
        return st.none() | st.fixed_dictionaries({field.name: values(field.type) for field in kind})
    plain = {
        pa.string(): st.text(),
        pa.int64(): st.integers(-(2**63), 2**63 - 1),
        pa.bool_(): st.booleans(),
        pa.float64(): st.floats(allow_nan=False, allow_infinity=False),
        pa.null(): st.none(),
    }[kind]
    return st.none() | plain


@settings(max_examples=60, deadline=None)
@given(tables())
def test_the_fast_spelling_is_the_canonical_one_where_rows_are_plain(table: pa.Table) -> None:
    rows = table.to_pylist()
    if is_plain(table):
        assert [canonical_fast(row) for row in rows] == [canonical(row) for row in rows]


def test_some_rows_are_plain_and_some_are_not() -> None:
    turn = pa.struct([("role", pa.string()), ("name", pa.string())])
    whole, part = [{"role": "user", "name": "x"}], [{"role": "user", "name": None}]
    assert is_plain(pa.table({"m": pa.array([whole], pa.list_(turn)), "n": [None]}))
    assert not is_plain(pa.table({"m": pa.array([part], pa.list_(turn))}))
    assert not is_plain(pa.table({"x": [1.5]}))
    assert not is_plain(pa.table({"x": [[1.5]]}))


def test_the_digest_of_a_file_is_that_of_sha256sum(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"abc")
    assert digest_file(path) == ("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", 3)
