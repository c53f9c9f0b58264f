"""A source of several files, read onto disk once: rows with their locators."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from provkit.errors import InputError
from provkit.sources import FileOrigin, SourceRows, expand, spool
from provkit.table import INDEX, INPUT, LINE, OWN


def source(
    folder: Path, files: dict[str, str | bytes], limit: int | None = None, fill: bool = False, first: int = 0
) -> SourceRows:
    for name, text in files.items():
        (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    (folder / "spooled").mkdir(exist_ok=True)
    found = [one for name in files for one in expand(name, folder)]
    origins = [FileOrigin.open("data", one, None, fill, "MIT") for one in found]
    return spool(origins, first, limit, folder / "spooled", "source-data")


def content(found: SourceRows) -> list[dict[str, Any]]:
    return [{key: value for key, value in row.items() if not key.startswith(OWN)} for row in found.table.to_pylist()]


def test_every_row_has_file_sha256_index_and_line(tmp_path: Path) -> None:
    texts = {"a.jsonl": '{"p":"x"}\n\n{"p":"y"}\n', "b.csv": 'p\n"1\n2"\nz\n', "c.json": '[{"p":"j"}]'}
    found = source(tmp_path, texts, first=4)
    assert [(one.file, one.sha256, one.size, one.rows, one.licence, one.kind) for one in found.inputs] == [
        (name, hashlib.sha256(text.encode()).hexdigest(), len(text), rows, "MIT", "file")
        for (name, text), rows in zip(texts.items(), (2, 2, 1), strict=True)
    ]
    rows = [(row["p"], row[INPUT], row[INDEX], row[LINE]) for row in found.table.to_pylist()]
    assert rows == [("x", 4, 0, 1), ("y", 4, 1, 3), ("1\n2", 5, 0, 2), ("z", 5, 1, 4), ("j", 6, 0, None)]


def test_the_digest_is_that_of_the_file_as_it_lies_there(tmp_path: Path) -> None:
    import gzip

    packed = gzip.compress(b'{"p":"x"}\n')
    (one,) = source(tmp_path, {"a.jsonl.gz": packed}).inputs
    assert (one.sha256, one.size) == (hashlib.sha256(packed).hexdigest(), len(packed))


def test_a_limit_counts_over_all_files_and_all_of_them_stay_inputs(tmp_path: Path) -> None:
    files = {
        name: "".join(json.dumps({"n": f"{name}{i}"}) + "\n" for i in range(3))
        for name in ("a.jsonl", "b.jsonl", "c.jsonl")
    }
    found = source(tmp_path, files, limit=4)
    assert [row["n"] for row in content(found)] == ["a.jsonl0", "a.jsonl1", "a.jsonl2", "b.jsonl0"]
    assert [one.rows for one in found.inputs] == [3, 1, 0]


def test_columns_may_come_in_another_order(tmp_path: Path) -> None:
    found = source(tmp_path, {"a.jsonl": '{"a":1,"b":2}\n', "b.jsonl": '{"b":3,"a":4}\n'})
    assert content(found) == [{"a": 1, "b": 2}, {"a": 4, "b": 3}]


def test_files_of_other_columns_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError) as error:
        source(tmp_path, {"a.jsonl": '{"a":1,"b":2}\n', "b.jsonl": '{"a":3}\n'})
    assert str(error.value).startswith(
        "b.jsonl: columns a, but before it came a, b\n  give files of other columns as another"
    )


def test_files_of_other_columns_are_filled_where_that_is_asked_for(tmp_path: Path) -> None:
    found = source(
        tmp_path, {"a.jsonl": '{"a":1,"b":2}\n', "b.jsonl": '{"a":3}\n', "c.jsonl": '{"c":[1]}\n'}, fill=True
    )
    assert content(found) == [
        {"a": 1, "b": 2, "c": None},
        {"a": 3, "b": None, "c": None},
        {"a": None, "b": None, "c": [1]},
    ]


def test_a_column_that_comes_after_thousands_of_rows_is_filled(tmp_path: Path) -> None:
    lines = ['{"a":1}\n'] * 9000 + ['{"a":1,"late":"x"}\n']
    found = source(tmp_path, {"a.jsonl": "".join(lines)}, fill=True)
    rows = content(found)
    assert len(rows) == 9000 + 1 and rows[0] == {"a": 1, "late": None} and rows[-1] == {"a": 1, "late": "x"}


def test_types_that_widen_between_files(tmp_path: Path) -> None:
    files = {
        "a.jsonl": '{"a":null,"m":{"x":1}}\n',
        "b.jsonl": '{"a":"t","m":{"y":2}}\n',
        "c.jsonl": '{"a":null,"m":null}\n',
    }
    assert content(source(tmp_path, files)) == [
        {"a": None, "m": {"x": 1, "y": None}},
        {"a": "t", "m": {"x": None, "y": 2}},
        {"a": None, "m": None},
    ]


@pytest.mark.parametrize(("one", "other"), [("1", '"x"'), ("[1]", "1"), ('{"x":1}', '{"x":"y"}'), ("true", "1")])
def test_types_that_have_nothing_in_common(tmp_path: Path, one: str, other: str) -> None:
    with pytest.raises(InputError, match="source data: a column of two types: "):
        source(tmp_path, {"a.jsonl": f'{{"v":{one}}}\n', "b.jsonl": f'{{"v":{other}}}\n'})


def test_an_integer_that_widening_would_round_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="a column of two types: Integer value 9007199254740993 not in range"):
        source(tmp_path, {"a.jsonl": '{"v":9007199254740993}\n', "b.jsonl": '{"v":0.5}\n'})


@pytest.mark.parametrize("value", ["{}", "[{}]", '{"x":{}}'])
def test_objects_that_never_have_a_key_are_refused(tmp_path: Path, value: str) -> None:
    with pytest.raises(InputError, match="column meta: only objects without keys, for which Parquet has no form"):
        source(tmp_path, {"a.jsonl": f'{{"a":1,"meta":{value}}}\n'})
    assert source(tmp_path, {"a.jsonl": '{"meta":{}}\n{"meta":{"k":1}}\n'}).table.num_rows == 2


def test_an_empty_file_among_others_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="b.jsonl: the file is empty"):
        source(tmp_path, {"a.jsonl": '{"a":1}\n', "b.jsonl": ""})


def test_a_file_that_changes_between_its_digest_and_its_rows_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"a":1}\n')
    origin = FileOrigin.open("data", expand("a.jsonl", tmp_path)[0], None, False, None)
    path.write_text('{"a":2}\n{"a":3}\n')
    with pytest.raises(InputError, match="a.jsonl: changed while it was read\n  build again when it is at rest"):
        list(origin.chunks())
