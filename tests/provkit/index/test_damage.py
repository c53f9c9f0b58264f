"""Files that were cut, changed, swapped or made up: an error that names the file, never a crash."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from provkit.index import DamagedIndex, Document, Index, build_index, open_index, verify
from provkit.index import search as searching
from provkit.index.manifest import Manifest, file_of

TEXTS = [f"the car number {at} İ stands\r\n  in the street {at % 7}, カ\u3099 漢字 ok" for at in range(60)]
OUTPUTS = [TEXTS[3], "the car number 5 stands in", "カ\u3099 漢", "street 3, " * 20, ""]
NAMES = ("text.bin", "suffixes.bin", "prefixes.bin", "documents.bin", "documents.parquet", "tokens.parquet")
FOLDED = (*NAMES, "original.bin", "offsets.bin")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("built") / "index"
    build_index([Document(text) for text in TEXTS], path, shard_bytes=2000, fold="case,space")
    return path


@pytest.fixture
def index(built: Path, tmp_path: Path) -> Path:
    path = tmp_path / "index"
    shutil.copytree(built, path)
    return path


def cut(file: Path, _: Path) -> None:
    file.write_bytes(file.read_bytes()[:-1])


def flip(file: Path, _: Path) -> None:
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 4
    file.write_bytes(data)


def remove(file: Path, _: Path) -> None:
    file.unlink()


def swap(file: Path, other: Path) -> None:
    aside = file.with_name("aside")
    file.rename(aside)
    other.rename(file)
    aside.rename(other)


@pytest.mark.parametrize("harm", [cut, flip, remove, swap])
@pytest.mark.parametrize("name", [*FOLDED, "shard.json"])
def test_the_first_opening_and_every_later_one_name_the_file(
    index: Path, name: str, harm: Callable[[Path, Path], None]
) -> None:
    one, other = index / "shards" / "00000" / name, index / "shards" / "00001" / name
    for opened_before in (False, True):
        if opened_before:
            open_index(index)
        saved = one.read_bytes(), other.read_bytes()
        harm(one, other)
        with pytest.raises(DamagedIndex, match=f"0000[01]/{name}"):
            open_index(index)
        one.write_bytes(saved[0])
        other.write_bytes(saved[1])
    assert open_index(index).count("the car") == 60


@pytest.mark.parametrize("harm", [cut, flip, remove])
@pytest.mark.parametrize("name", ["classes.bin", "background.parquet", "index.json"])
def test_files_beside_the_shards(index: Path, name: str, harm: Callable[[Path, Path], None]) -> None:
    harm(index / name, index)
    missing = harm is remove and name == "index.json"
    with pytest.raises(FileNotFoundError if missing else DamagedIndex, match=name):
        open_index(index)


def test_index_json_with_another_content_is_noticed(index: Path) -> None:
    body = json.loads((index / "index.json").read_text())
    body["options"]["fold"] = []
    (index / "index.json").write_text(json.dumps(body))
    with pytest.raises(DamagedIndex, match=r"index\.json"):
        open_index(index)


def test_verify_reads_again_what_the_stamp_trusts(index: Path) -> None:
    file = index / "shards" / "00000" / "suffixes.bin"
    open_index(index)
    stat = file.stat()
    with file.open("r+b") as opened:
        opened.write(b"\x01")
    os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    open_index(index)  # size, time and inode are the same: trusted, as the docs say
    with pytest.raises(DamagedIndex, match=r"suffixes\.bin"):
        verify(index)


def resigned(index: Path, name: str, change: Callable[[np.ndarray], np.ndarray], kind: type = np.uint32) -> None:
    """Changes a file of the first shard, and states its new digest."""
    file = index / "shards" / "00000" / name
    change(np.fromfile(file, kind)).tofile(file)
    manifest = Manifest.read(index)
    first = manifest.shards[0]
    first = replace(first, files={**first.files, name: file_of(file)})
    replace(manifest, shards=(first, *manifest.shards[1:])).write(index)


@pytest.mark.parametrize(
    ("name", "change", "says"),
    [
        ("suffixes.bin", lambda a: a[[1, 0, *range(2, len(a))]], "out of order"),
        ("suffixes.bin", lambda a: a[[*range(len(a) - 2), -1, -2]], "out of order"),
        ("suffixes.bin", lambda a: a[[0, 0, *range(2, len(a))]], "no token start, or is there twice"),
        ("suffixes.bin", lambda a: np.append(a[:-1], a[-1] + 1).astype(a.dtype), "no token start, or is there twice"),
        ("suffixes.bin", lambda a: np.append(a[:-1], 2**32 - 1).astype(a.dtype), "no token start, or is there twice"),
        ("prefixes.bin", lambda a: a ^ 1, "not the directory"),
        ("documents.bin", lambda a: a[[1, 0, *range(2, len(a))]], "behind the separators"),
    ],
)
def test_verify_finds_what_no_digest_tells(
    index: Path, name: str, change: Callable[[np.ndarray], np.ndarray], says: str
) -> None:
    verify(index)
    resigned(index, name, change)
    with pytest.raises(DamagedIndex, match=f"{name}: .*{says}"):
        verify(index)


def test_verify_knows_every_order(index: Path) -> None:
    size = len(np.fromfile(index / "shards" / "00000" / "suffixes.bin", np.uint32))
    original = (index / "shards" / "00000" / "suffixes.bin").read_bytes()
    for at in range(0, size - 1, 7):
        (index / "shards" / "00000" / "suffixes.bin").write_bytes(original)
        order = list(range(size))
        order[at], order[at + 1] = at + 1, at
        resigned(index, "suffixes.bin", lambda a, order=order: a[order])
        with pytest.raises(DamagedIndex, match="out of order"):
            verify(index)


@pytest.mark.parametrize("fold", ["none", "case,space"])
def test_garbage_in_any_file_never_crashes_a_kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fold: str) -> None:
    monkeypatch.setattr(searching, "ensure_checked", lambda *_: None)
    path = tmp_path / "index"
    build_index([Document(text) for text in TEXTS], path, shard_bytes=2000, fold=fold)
    chance = np.random.default_rng(0)
    for name in [name for name in FOLDED if name.endswith(".bin") and (fold != "none" or name in NAMES)]:
        file = path / "shards" / "00000" / name
        original = file.read_bytes()
        for kind in range(6):
            data = np.frombuffer(original, np.uint8).copy()
            if kind == 0:
                data[:] = 255
            elif kind == 1:
                data[:] = 0
            elif kind == 2:
                data[:] = chance.integers(0, 256, len(data))
            else:
                spots = chance.integers(0, len(data), 1 + len(data) // 8)
                data[spots] = chance.integers(0, 256, len(spots))
            file.unlink()
            file.write_bytes(data)
            ask_everything(open_index(path))
        file.write_bytes(original)


def ask_everything(index: Index) -> None:
    """Every answer may be wrong here, or DamagedIndex."""
    for output in OUTPUTS:
        try:
            index.count(output)
            index.spans(output)
            for one in index.find(output) + index.find("the"):
                index.context(one)
                index.text(one.shard, one.document)
        except DamagedIndex:
            pass


@pytest.mark.parametrize("name", ["documents.parquet", "tokens.parquet"])
def test_a_parquet_file_of_garbage_is_named(index: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(searching, "ensure_checked", lambda *_: None)
    file = index / "shards" / "00001" / name
    file.write_bytes(bytes(file.stat().st_size))
    with pytest.raises(DamagedIndex, match=name):
        opened = open_index(index)
        opened.bci("the car")
        opened.documents(1, [0])
