"""A key that stands twice is found, and nothing else is taken for one."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("row", "key"),
    [
        ('{"a":1,"a":2}', "a"),
        ('{"a":1,"b":{"c":1,"c":1}}', "c"),
        ('{"a":[{"x":1},{"y":1,"y":2}]}', "y"),
        ('{"a":1,"\\u0061":2}', "a"),
        ('{"a" : 1, "a" : 2}', "a"),
        ('{"a"\t:1,"a":2}', "a"),
        ('{"a":"x\\":","a":2}', "a"),
        ('{"a\\\\":1,"a\\\\":2}', "a\\"),
        ('{"":1,"":2}', ""),
        ('{"a":null,"a":null}', "a"),
    ],
)
@pytest.mark.parametrize("name", ["rows.jsonl", "rows.json"])
def test_a_key_that_stands_twice_is_named_with_its_line(refused: Any, row: str, key: str, name: str) -> None:
    first = json.dumps(json.loads(row))
    text = f"{first}\n\n{row}\n{first}\n" if name == "rows.jsonl" else f"[{first},\n{row}]"
    where = "rows.jsonl:3" if name == "rows.jsonl" else "rows.json"
    said = refused(text, name)
    assert said.startswith(f"{where}: {key}: ")
    assert "a key that stands twice in one object" in said
    assert name == "rows.jsonl" or "row 1: " in said


@pytest.mark.parametrize(
    "row",
    [
        {"a": 'x": y":', "b": '": "a": "a":'},
        {"a": "\\", "b": "\\\\:", "c\\": ":"},
        {"a:": 1, ":": {":": ":"}},
        {"a": {"b": 1}, "b": {"a": 1, "b": [{"a": 1}, {"a": 2}]}},
        {"code": 'd = {"a": 1, "a": 2}\nprint(d["a"])'},
    ],
)
def test_colons_and_quotes_in_texts_are_no_keys(read: Any, row: dict[str, Any]) -> None:
    for text in (json.dumps(row), json.dumps(row, separators=(" ,", " : ")), json.dumps(row, separators=(",", ":"))):
        assert read(text)[0] == [row]


VALUES = st.recursive(
    st.text('a":\\ ,{', max_size=8),
    lambda x: st.dictionaries(st.text('a":\\ ', max_size=4), x, max_size=3),
    max_leaves=6,
)


@settings(max_examples=120, deadline=None)
@given(
    st.lists(st.fixed_dictionaries({"k": VALUES}), min_size=1, max_size=3),
    st.sampled_from([(",", ":"), (", ", ": "), (" , ", " : ")]),
)
def test_no_row_that_json_writes_is_refused_for_its_keys(
    read_text: Any, rows: list[Any], marks: tuple[str, str]
) -> None:
    said = read_text("\n".join(json.dumps(row, separators=marks) for row in rows))
    assert "stands twice" not in said


@pytest.fixture(scope="module")
def read_text(tmp_path_factory: pytest.TempPathFactory) -> Any:
    from provkit.errors import InputError
    from provkit.sources import Bytes, read_file

    path = tmp_path_factory.mktemp("keys") / "rows.jsonl"

    def read_text(text: str) -> str:
        path.write_text(text)
        try:
            list(read_file(Bytes(path, "x"), "jsonl"))
        except InputError as error:  # of other reasons: a value of two types, an object without keys
            return str(error)
        return ""

    return read_text
