"""A file of records is there whole, or what stood there before is."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from provkit.errors import InputError, ProvkitError
from provkit.export.write import writing_records


@pytest.mark.parametrize("count", [0, 1, 3])
def test_lines_and_arrays(count: int, tmp_path: Path) -> None:
    records = [{"n": at, "text": "ä\n"} for at in range(count)]
    for name in ("rows.jsonl", "rows.json"):
        with writing_records(tmp_path / name) as write:
            for record in records:
                write(record)
    raw = (tmp_path / "rows.jsonl").read_text(encoding="utf-8")
    assert [json.loads(line) for line in raw.splitlines()] == records and raw.count("\n") == count
    assert json.loads((tmp_path / "rows.json").read_text(encoding="utf-8")) == records


def test_an_error_leaves_what_was_there_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text("before\n")
    with pytest.raises(KeyError), writing_records(path) as write:
        write({"n": 1})
        raise KeyError
    assert path.read_text() == "before\n"
    assert [one.name for one in tmp_path.iterdir()] == ["rows.jsonl"]


def test_the_file_has_the_rights_that_any_new_file_has(tmp_path: Path) -> None:
    mask = os.umask(0o027)
    try:
        with writing_records(tmp_path / "rows.jsonl") as write:
            write({})
    finally:
        os.umask(mask)
    assert (tmp_path / "rows.jsonl").stat().st_mode & 0o777 == 0o640


def test_places_that_cannot_be_written_to(tmp_path: Path) -> None:
    (tmp_path / "folder.json").mkdir()
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=r"ends in \.jsonl"), writing_records(tmp_path / "rows.txt"):
        pass
    with pytest.raises(ProvkitError, match=r"folder\.json is a directory"), writing_records(tmp_path / "folder.json"):
        pass
    with (
        pytest.raises(ProvkitError, match=r"cannot write rows\.json"),
        writing_records(tmp_path / "file" / "rows.json"),
    ):
        pass
