"""Metadata of documents by number: what is read is what was written, however little of it stays in memory."""

from __future__ import annotations

import random
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from provkit.index import table
from provkit.index.table import DocumentTable


@pytest.mark.parametrize("kept", [0, 200, 64 << 20])
def test_rows_and_texts_are_those_of_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kept: int) -> None:
    monkeypatch.setattr(table, "KEPT", kept)
    names = [f"doc-{at}" for at in range(60)]
    numbers = [at * at for at in range(60)]
    pq.write_table(pa.table({"doc_id": names, "size": numbers}), tmp_path / "documents.parquet", row_group_size=7)
    chance, read = random.Random(0), DocumentTable(tmp_path / "documents.parquet")
    for _ in range(20):
        asked = [chance.randrange(60) for _ in range(chance.randint(0, 9))]
        assert read.texts(asked, "doc_id") == [names[at] for at in asked]
        assert read.texts(asked, "size") == [str(numbers[at]) for at in asked]
        assert read.rows(asked, ["size"]).column(0).to_pylist() == [numbers[at] for at in asked]
    for wrong in (-1, 60):
        with pytest.raises(IndexError, match="has 60 documents"):
            read.texts([wrong], "doc_id")
