"""What can be named: files, folders, builds, datasets of the Hub."""

from __future__ import annotations

from pathlib import Path

import pytest

from provkit.audit.subject import open_release
from provkit.errors import InputError

ROW = b'{"prompt": "a", "answer": "text"}\n'


def test_the_data_files_of_a_folder(tmp_path: Path, write) -> None:
    for name in (
        "set/b.jsonl",
        "set/a/c.parquet",
        "set/d.jsonl.gz",
        "set/README.md",
        "set/.git/e.jsonl",
        "set/dataset_infos.json",
    ):
        write(ROW, name)
    release = open_release(str(tmp_path / "set"))
    assert [one.name.removeprefix(str(tmp_path)) for one in release.subjects] == [
        *("/set/a/c.parquet", "/set/b.jsonl", "/set/d.jsonl.gz"),
    ]
    assert [one.kind for one in release.subjects] == ["parquet", "jsonl", "jsonl"]


@pytest.mark.parametrize("what", ["nowhere.jsonl", "no/where/at/all", "some/rows.jsonl", "some/rows.jsonl.gz"])
def test_what_is_not_there(what: str) -> None:
    with pytest.raises(InputError, match="no such file"):
        open_release(what)


def test_a_folder_without_data(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="without data files"):
        open_release(str(tmp_path))


@pytest.mark.parametrize("what", ["hf://datasets/one", "hf://datasets/a/b/c.jsonl", "hf://datasets/../x y"])
def test_an_address_that_is_none(what: str) -> None:
    with pytest.raises(InputError, match="no name of a dataset"):
        open_release(what)


def test_an_archive_in_place_of_data_is_a_finding(tmp_path: Path, write, found) -> None:
    write(ROW, "set/train.jsonl")
    write(b"Salted__" + bytes(64), "set/test.jsonl.enc")
    write(b"anything", "set/more.zip")
    write(b"a picture", "set/plot.png")
    told = found(str(tmp_path / "set"), against=[str(tmp_path / "set")], select=["F001", "L001"])
    said = {one.subject.rpartition("/")[2]: one.said for one in told["F001"]}
    assert said == {
        "more.zip": "the name more.zip tells no format that a build reads",
        "test.jsonl.enc": "a file encrypted by openssl",
    }
