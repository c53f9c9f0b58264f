"""The record of answers: the same bytes for the same answers, read back whole, refused when forged."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from provkit.errors import InputError
from provkit.llm import Answer, Cache, Request, record
from provkit.llm.endpoint import spelled


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "lineage").mkdir()
    return tmp_path


def filled(path: Path, order: list[int], seconds: float) -> tuple[Cache, set[bytes]]:
    cache = Cache(path)
    keys = set()
    for number in order:
        request = Request([{"role": "user", "content": f"Question {number}"}], {"temperature": 0.0})
        key = request.key("small", "r1", number)
        keys.add(bytes.fromhex(key))
        cache.put(
            Answer(key, f"Answer {number}", "stop", "", number, 2), ("small", "r1", number, spelled(request)), seconds
        )
    return cache, keys


def test_the_record_does_not_depend_on_order_or_time(folder: Path) -> None:
    one, keys = filled(folder / "one.sqlite", [1, 2, 3], 0.1)
    two, same = filled(folder / "two.sqlite", [3, 1, 2], 9.0)
    record.write(folder / record.FILE, one, keys)
    first = (folder / record.FILE).read_bytes()
    record.write(folder / record.FILE, two, same)
    assert (folder / record.FILE).read_bytes() == first
    assert record.digest(one, keys) == record.digest(two, same)
    assert record.digest(one, set(list(keys)[:2])) != record.digest(one, keys)


def test_what_is_written_is_read_back(folder: Path) -> None:
    cache, keys = filled(folder / "one.sqlite", [5, 6], 0.1)
    record.write(folder / record.FILE, cache, keys)
    with Cache(folder / "again.sqlite") as again:
        record.load(folder, again)
        assert len(again) == 2
        assert all(again.get(key.hex()) == cache.get(key.hex()) for key in keys)


def test_a_record_whose_requests_are_not_those_of_its_hashes_is_refused(folder: Path) -> None:
    cache, keys = filled(folder / "one.sqlite", [5], 0.1)
    record.write(folder / record.FILE, cache, keys)
    table = pq.read_table(folder / record.FILE)
    other = pa.array(['{"messages":[],"temperature":0.0}'])
    pq.write_table(table.set_column(4, "request", other), folder / record.FILE)
    with Cache(folder / "again.sqlite") as again, pytest.raises(InputError, match="not the one that its hash names"):
        record.load(folder, again)


@pytest.mark.parametrize("damage", ["absent", "cut", "columns"])
def test_a_damaged_record_is_said(folder: Path, damage: str) -> None:
    cache, keys = filled(folder / "one.sqlite", [5], 0.1)
    path = folder / record.FILE
    if damage != "absent":
        record.write(path, cache, keys)
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:-20])
    if damage == "columns":
        pq.write_table(pq.read_table(path).drop_columns(["text"]), path)
    with Cache(folder / "again.sqlite") as again, pytest.raises(InputError, match="no recorded answers|damaged"):
        record.load(folder, again)
