"""Parquet and Arrow: what other programs wrote, by batches that are bounded, with positions counted over the file."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from provkit.sources import Bytes, arrow_rows, read_file
from provkit.table import BATCH


def test_row_groups_and_batches_are_read_in_order(tmp_path: Path) -> None:
    table = pa.table({"n": list(range(20_000)), "t": [str(i) for i in range(20_000)]})
    path = tmp_path / "x.parquet"
    pq.write_table(table, path, row_group_size=3_000)
    chunks = list(read_file(Bytes(path, "x"), "parquet"))
    assert [n for chunk in chunks for n in chunk.batch.column("n").to_pylist()] == list(range(20_000))
    assert max(len(chunk.batch) for chunk in chunks) <= BATCH and all(chunk.lines is None for chunk in chunks)


@pytest.mark.parametrize("stream", [False, True])
def test_a_huge_arrow_batch_is_taken_in_pieces(tmp_path: Path, stream: bool) -> None:
    batch = pa.record_batch({"n": list(range(BATCH * 2 + 5))})
    path = tmp_path / "x.arrow"
    with (pa.ipc.new_stream if stream else pa.ipc.new_file)(str(path), batch.schema) as writer:
        writer.write_batch(batch)
    assert [len(chunk.batch) for chunk in read_file(Bytes(path, "x"), "arrow")] == [BATCH, BATCH, 5]


def test_long_rows_come_in_small_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrow_rows, "MAX_BYTES", 100_000)
    path = tmp_path / "x.parquet"
    pq.write_table(pa.table({"t": [f"{i:05}" * 2_000 for i in range(100)]}), path, use_dictionary=False)
    assert max(len(chunk.batch) for chunk in read_file(Bytes(path, "x"), "parquet")) <= 10


def test_a_value_far_down_is_named_by_its_position_in_the_file(tmp_path: Path, refused: Any) -> None:
    values = [0.5] * 20_000
    values[17_003] = float("nan")
    path = tmp_path / "x.parquet"
    pq.write_table(pa.table({"v": values}), path)
    assert (
        refused(path)
        == "x.parquet: v: row 17003: NaN or an infinity, which JSON does not have\n  write null where a number is missing"
    )


def test_what_pandas_and_dictionaries_leave_is_plain(tmp_path: Path, read: Any) -> None:
    path = tmp_path / "x.parquet"
    table = pa.table(
        {
            "d": pa.array(["a", "b", "a"]).dictionary_encode(),
            "l": pa.array([["x"], [], None], pa.large_list(pa.large_string())),
        }
    )
    pq.write_table(table, path)
    assert read(path)[0] == [{"d": "a", "l": ["x"]}, {"d": "b", "l": []}, {"d": "a", "l": None}]


def test_a_build_file_given_by_itself_is_refused_for_its_own_columns(tmp_path: Path, refused: Any) -> None:
    path = tmp_path / "x.parquet"
    pq.write_table(pa.table({"a": [1], "row_id": ["x"]}), path)
    assert "a build is read with its lineage when its directory is given instead of a file in it" in refused(path)


def test_a_packed_file_may_not_unpack_without_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refused: Any
) -> None:
    monkeypatch.setattr(arrow_rows, "MAX_DOCUMENT", 1 << 20)
    path = tmp_path / "x.parquet.gz"
    path.write_bytes(gzip.compress(bytes(5 << 20)))
    assert (
        refused(path)
        == "x.parquet.gz: more than 1 MB once it is unpacked\n  unpack the file first: then it is read piece by piece"
    )


def test_what_is_neither_is_refused(refused: Any) -> None:
    assert refused(b"PAR1 but no more", "x.parquet").startswith("x.parquet: no Parquet, or a truncated one: ")
    assert refused(b"ARROW1 but no more", "x.arrow").startswith("x.arrow: no Arrow file, or a truncated one: ")
    assert refused(b'{"a":1}', "x.arrow").startswith("x.arrow: no Arrow file, or a truncated one: ")
