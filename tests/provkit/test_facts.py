"""The JSON file that names a directory's files: what it says when it is whole, and what it does not let through."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from provkit import facts
from provkit.canonical import digest_file
from provkit.errors import InputError


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "a.parquet").write_bytes(b"content")
    facts.write(tmp_path / "x.json", {"n": 1, "files": {"a.parquet": digest_file(tmp_path / "a.parquet")[0]}})
    return tmp_path / "x.json"


def test_what_was_written_is_read_without_its_digest(path: Path) -> None:
    assert facts.read(path, {"a.parquet"})["n"] == 1
    assert set(facts.read(path, {"a.parquet"})) == {"n", "files"}


def test_a_changed_or_missing_file_is_named_with_what_to_do(path: Path) -> None:
    path.with_name("a.parquet").write_bytes(b"other")
    with pytest.raises(InputError, match=r"a\.parquet: missing or changed since it was written\n  make it again"):
        facts.read(path, {"a.parquet"}, "make it again")
    path.with_name("a.parquet").unlink()
    with pytest.raises(InputError, match="missing or changed"):
        facts.read(path, {"a.parquet"})


def test_other_bytes_and_other_shapes_are_damage(path: Path) -> None:
    whole = orjson.loads(path.read_bytes())
    for bytes_ in (b"", b"[]", b"{}", orjson.dumps(whole), orjson.dumps({**whole, "n": 2}) + b"\n"):
        path.write_bytes(bytes_)
        with pytest.raises(InputError, match="damaged"):
            facts.read(path, {"a.parquet"})


@pytest.mark.parametrize("name", ["../a.parquet", "/etc/passwd", "b.parquet"])
def test_no_name_leaves_the_directory(tmp_path: Path, name: str) -> None:
    facts.write(tmp_path / "x.json", {"files": {name: "0" * 64}})
    with pytest.raises(InputError, match="damaged"):
        facts.read(tmp_path / "x.json", {"a.parquet"})


def test_a_file_that_has_to_be_there_is_missed(path: Path) -> None:
    with pytest.raises(InputError, match=r"damaged.*b\.parquet"):
        facts.read(path, {"a.parquet", "b.parquet"}, needed={"b.parquet"})


def test_what_is_not_there_is_an_error_of_the_system(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        facts.read(tmp_path / "x.json", set())


def test_a_stranger_is_the_first_file_that_is_not_held(tmp_path: Path) -> None:
    for name in ("a", "c", "b"):
        (tmp_path / name).touch()
    assert facts.stranger(tmp_path, {"a"}) == "b"
    assert facts.stranger(tmp_path, {"a", "b", "c"}) is None
