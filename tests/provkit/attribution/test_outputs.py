"""Outputs are read from rows of any form, and from inspect_ai logs."""

from __future__ import annotations

import zipfile
from pathlib import Path

import orjson
import pytest

from provkit.attribution.outputs import read_outputs
from provkit.errors import InputError


def rows(path: Path, *values: dict[str, object]) -> Path:
    path.write_bytes(b"".join(orjson.dumps(value) + b"\n" for value in values))
    return path


def test_the_usual_columns_and_names(tmp_path: Path) -> None:
    found = read_outputs(rows(tmp_path / "a.jsonl", {"output": "x"}, {"output": "y"}))
    assert [(one.output_id, one.text, one.line) for one in found] == [("out-1", "x", 1), ("out-2", "y", 2)]
    found = read_outputs(rows(tmp_path / "b.jsonl", {"id": 7, "completion": "z", "prompt": "p"}))
    assert [(one.output_id, one.text) for one in found] == [("7", "z")]


def test_the_last_answer_of_a_chat(tmp_path: Path) -> None:
    turns = [{"role": role, "content": text} for role, text in (("user", "u"), ("assistant", "a"), ("user", "v"))]
    (found,) = read_outputs(rows(tmp_path / "a.jsonl", {"messages": turns}))
    assert found.text == "a"


def test_a_field_that_is_not_there_and_a_name_that_stands_twice(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"a.jsonl:1: body: no column.*\n.*it has output"):
        read_outputs(rows(tmp_path / "a.jsonl", {"output": "x"}), "body")
    with pytest.raises(InputError, match=r"b.jsonl:2: output 2 has the id 'k' of output 1"):
        read_outputs(rows(tmp_path / "b.jsonl", {"id": "k", "output": "x"}, {"id": "k", "output": "y"}))


def test_an_inspect_log(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "log.eval", "w") as archive:
        archive.writestr("header.json", "{}")
        for epoch, text in ((1, "first"), (2, "second")):
            sample = {"id": "q1", "epoch": epoch, "output": {"completion": text}}
            archive.writestr(f"samples/q1_epoch_{epoch}.json", orjson.dumps(sample))
    found = read_outputs(tmp_path / "log.eval")
    assert [(one.output_id, one.text) for one in found] == [("q1/1", "first"), ("q1/2", "second")]
    (tmp_path / "log.eval").write_bytes(b"PK nothing")
    with pytest.raises(InputError, match="no inspect_ai log"):
        read_outputs(tmp_path / "log.eval")
