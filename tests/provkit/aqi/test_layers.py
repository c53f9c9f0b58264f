"""Embeddings out of files: each format gives the vectors that were written, in the order of the set."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from provkit.aqi.layers import of_matrix, read_layers
from provkit.aqi.rows import LabelledRows, labelled
from provkit.errors import InputError

VECTORS = np.arange(12, dtype=np.float32).reshape(4, 3)


@pytest.fixture
def rows() -> LabelledRows:
    each = [(str(at), {"input": f"t{at}", "axiom": "A", "safety_label": ("safe", "unsafe")[at % 2], "row_id": f"r{at}"})
            for at in range(4)]  # fmt: skip
    return labelled("set", each)


def table(path: Path, vectors: np.ndarray, **columns: list[object]) -> Path:
    pq.write_table(pa.table({"embedding": vectors.tolist(), **columns}), path)
    return path


def test_a_matrix_is_one_layer_and_a_stack_several(rows: LabelledRows, tmp_path: Path) -> None:
    np.save(tmp_path / "one.npy", VECTORS)
    np.save(tmp_path / "two.npy", np.stack([VECTORS, VECTORS + 100]))
    one, two = (read_layers(tmp_path / name, rows) for name in ("one.npy", "two.npy"))
    assert one.names == ("embedding",) and two.names == ("0", "1")
    assert np.array_equal(one.read(0), VECTORS) and np.array_equal(two.read(1), VECTORS + 100)
    assert one.read(0).dtype == np.float64
    assert one.facts["file"] == "one.npy" and len(one.facts["sha256"]) == 64


def test_parquet_rows_are_found_by_row_id_in_any_order(rows: LabelledRows, tmp_path: Path) -> None:
    order = [2, 0, 3, 1]
    found = read_layers(table(tmp_path / "e.parquet", VECTORS[order], row_id=[f"r{at}" for at in order]), rows)
    assert np.array_equal(found.read(0), VECTORS)
    assert np.array_equal(read_layers(table(tmp_path / "f.parquet", VECTORS), rows).read(0), VECTORS)


def test_parquet_layers_are_in_their_numbers_order(rows: LabelledRows, tmp_path: Path) -> None:
    stacked = np.concatenate([VECTORS + 10, VECTORS + 2])
    found = read_layers(table(tmp_path / "e.parquet", stacked, layer=[10] * 4 + [2] * 4), rows)
    assert found.names == ("2", "10")
    assert np.array_equal(found.read(0), VECTORS + 2) and np.array_equal(found.read(1), VECTORS + 10)


def test_an_array_at_hand_is_a_representation() -> None:
    assert of_matrix("x", VECTORS).names == ("embedding",)
    assert np.array_equal(of_matrix("x", np.stack([VECTORS, -VECTORS])).read(1), -VECTORS)


def test_what_does_not_fit_the_set_is_refused(rows: LabelledRows, tmp_path: Path) -> None:
    np.save(tmp_path / "short.npy", VECTORS[:3])
    with pytest.raises(InputError, match="3 vectors in layer embedding, the set has 4 rows"):
        read_layers(tmp_path / "short.npy", rows).read(0)
    np.save(tmp_path / "nan.npy", np.where(VECTORS == 7, np.nan, VECTORS))
    with pytest.raises(InputError, match="row 2 of layer embedding holds no finite numbers"):
        read_layers(tmp_path / "nan.npy", rows).read(0)
    part = table(tmp_path / "part.parquet", VECTORS[:3], row_id=["r0", "r1", "r3"])
    with pytest.raises(InputError, match="no vector for 1 of 4 rows, the first is r2"):
        read_layers(part, rows).read(0)


def test_what_holds_no_vectors_is_refused(rows: LabelledRows, tmp_path: Path) -> None:
    np.save(tmp_path / "flat.npy", np.arange(4))
    np.save(tmp_path / "objects.npy", np.array([{"a": 1}], dtype=object))
    (tmp_path / "text.npy").write_text("no array")
    pq.write_table(pa.table({"x": [1]}), tmp_path / "none.parquet")
    pq.write_table(pa.table({"embedding": [[1.0], [1.0, 2.0]]}), tmp_path / "ragged.parquet")
    pq.write_table(pa.table({"embedding": ["a", "b"]}), tmp_path / "words.parquet")
    (tmp_path / "bad.parquet").write_text("no")
    for name, said in (
        ("flat.npy", "an array of shape"),
        ("objects.npy", "no array of numbers"),
        ("text.npy", "no array of numbers"),
        ("none.parquet", "no column of vectors"),
        ("ragged.parquet", "differ in length"),
        ("words.parquet", "not of lists of numbers"),
        ("bad.parquet", "no Parquet file"),
        ("gone.npy", "there is no such file"),
    ):
        with pytest.raises(InputError, match=said):
            read_layers(tmp_path / name, rows).read(0)
    (tmp_path / "x.txt").write_text("x")
    with pytest.raises(InputError, match="embeddings are .npy"):
        read_layers(tmp_path / "x.txt", rows)
