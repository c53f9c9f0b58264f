"""Parquet read in batches: a pass over a file must not hold the file."""

from __future__ import annotations

import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from provkit import parquet

GROUPS, SIZE = 16, 1 << 20


def passed(path: Path, opened: pq.ParquetFile) -> int:
    """Bytes that Arrow held at most while batches went by, above those before."""
    before, most, rows = pa.total_allocated_bytes(), 0, 0
    for batch in opened.iter_batches(64):
        rows += len(batch)
        most = max(most, pa.total_allocated_bytes() - before)
        del batch
    assert rows == GROUPS * 256
    return most


def test_a_pass_holds_a_few_row_groups_and_not_the_file(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    with pq.ParquetWriter(path, pa.schema([("text", pa.binary())]), compression="none") as writer:
        for _ in range(GROUPS):
            writer.write_table(pa.table({"text": [os.urandom(SIZE // 256) for _ in range(256)]}, writer.schema))
    assert path.stat().st_size > GROUPS * SIZE
    assert passed(path, parquet.opened(path)) < 5 * SIZE
    assert passed(path, parquet.opened(pa.memory_map(str(path)), page_checksum_verification=True)) < 5 * SIZE
    assert passed(path, pq.ParquetFile(path)) > GROUPS * SIZE, "what pyarrow does by itself"
