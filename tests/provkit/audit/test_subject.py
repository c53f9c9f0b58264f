"""What can be named: files, folders, builds, datasets of the Hub."""

from __future__ import annotations

from pathlib import Path
from typing import Any

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


@pytest.mark.parametrize("what", ["nowhere.jsonl", "no/where/at/all"])
def test_what_is_not_there(what: str) -> None:
    with pytest.raises(InputError, match="no such file"):
        open_release(what)


def test_a_folder_without_data(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="without data files"):
        open_release(str(tmp_path))


def test_a_dataset_of_the_hub_is_read_as_it_was_published(
    tmp_path: Path, write, found, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The Hub is asked for one commit's data files, card and licence; what it gives is a folder."""
    import huggingface_hub

    asked: dict[str, Any] = {}

    def snapshot(repository: str, **more: Any) -> str:
        asked.update(more, repository=repository)
        return str(tmp_path / "set")

    write(ROW + ROW, "set/data/train.jsonl")
    write(b"---\nlicense: mit\n---\n# A set\n", "set/README.md")
    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot)
    told = found("someone/some-set@v2")
    assert (asked["repository"], asked["revision"], asked["repo_type"]) == ("someone/some-set", "v2", "dataset")
    assert {"*.jsonl", "*.parquet", "README.md"} <= set(asked["allow_patterns"])
    assert told["D001"][0].examples[0].locator == "hf://datasets/someone/some-set/data/train.jsonl:2"
    assert set(told) == {"D001", "D002", "R001"}


def test_a_hub_that_does_not_answer_is_an_error_in_plain_words(monkeypatch: pytest.MonkeyPatch) -> None:
    import huggingface_hub

    def nothing(repository: str, **more: Any) -> str:
        raise OSError("no route to host")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", nothing)
    with pytest.raises(InputError, match="no route to host"):
        open_release("someone/some-set")
