"""A shard may be finished twice: again after its worker died, or beside a worker that was taken for dead."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from provkit.index import Document, build_index, shard, store, verify


def some() -> list[Document]:
    return [
        Document(f"the {at * at % 97} is not {at % 13}, and {at} is one", {"doc_id": f"d{at}"}) for at in range(100)
    ]


def files(path: Path) -> dict[str, bytes]:
    return {str(file.relative_to(path)): file.read_bytes() for file in sorted(path.rglob("*")) if file.is_file()}


def test_finishing_a_shard_again_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[Any] = []
    finish = store.finish_shard

    def kept(*call: Any) -> Any:
        calls.append(call)
        return finish(*call)

    monkeypatch.setattr(store, "finish_shard", kept)
    build_index(some(), tmp_path / "idx")
    before = files(tmp_path / "idx")
    assert finish(*calls[0]).name == "00000"
    assert files(tmp_path / "idx") == before


@pytest.mark.parametrize("when", ["before its sort", "when all is written"])
def test_of_two_workers_with_one_shard_the_first_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    """The second one does all of its work while the first is at a point of its own."""
    build_index(some(), tmp_path / "alone")
    calls: list[Any] = []
    finish, point = store.finish_shard, "sort" if when == "before its sort" else "write_shard"
    usual = getattr(shard, point)

    def kept(*call: Any) -> Any:
        calls.append(call)
        return finish(*call)

    def overtaken(*arguments: Any) -> Any:
        done = usual(*arguments) if point == "write_shard" else None
        monkeypatch.setattr(shard, point, usual)
        assert finish(*calls[0]).name == "00000"
        return done or usual(*arguments)

    monkeypatch.setattr(store, "finish_shard", kept)
    monkeypatch.setattr(shard, point, overtaken)
    build_index(some(), tmp_path / "idx")
    verify(tmp_path / "idx")
    assert files(tmp_path / "idx") == files(tmp_path / "alone")
