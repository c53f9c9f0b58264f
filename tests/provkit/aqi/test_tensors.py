"""Safetensors files as the library writes and reads them, and what is refused of damaged ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import orjson
import pytest

from provkit.aqi.tensors import TensorFile, TensorWriter
from provkit.errors import InputError

ROWS = np.arange(6, dtype=np.float32).reshape(2, 3)


def written(path: Path, header: dict[str, object], data: bytes) -> Path:
    raw = orjson.dumps(header)
    path.write_bytes(len(raw).to_bytes(8, "little") + raw + data)
    return path


def test_what_is_written_is_what_the_library_reads(tmp_path: Path) -> None:
    library = pytest.importorskip("safetensors.numpy", reason="comes with transformers, the extra embed")
    writer = TensorWriter(tmp_path / "x.safetensors", ["layer.0", "layer.1"], (2, 3), {"rows": "abc"})
    writer.layers["layer.0"][:] = ROWS
    writer.layers["layer.1"][1] = 7
    writer.flush()
    assert not (tmp_path / "x.safetensors").exists()
    writer.done()
    found = library.load_file(tmp_path / "x.safetensors")
    assert np.array_equal(found["layer.0"], ROWS)
    assert found["layer.1"].tolist() == [[0, 0, 0], [7, 7, 7]]
    opened = TensorFile(tmp_path / "x.safetensors")
    assert opened.noted == {"rows": "abc"} and opened.names == ["layer.0", "layer.1"]
    assert np.array_equal(opened.read("layer.0"), ROWS) and opened.shape("layer.0") == (2, 3)


@pytest.mark.parametrize("kind", [np.float64, np.float32, np.float16])
def test_what_the_library_writes_is_read(tmp_path: Path, kind: type) -> None:
    library = pytest.importorskip("safetensors.numpy", reason="comes with transformers, the extra embed")
    library.save_file({"b.10": ROWS.astype(kind), "b.9": (ROWS + 0.5).astype(kind)}, tmp_path / "x.safetensors")
    opened = TensorFile(tmp_path / "x.safetensors")
    assert opened.names == ["b.9", "b.10"]
    assert np.array_equal(opened.read("b.9"), ROWS + 0.5)


def test_half_a_float_is_read_as_the_float_that_it_begins(tmp_path: Path) -> None:
    """bfloat16 0x3FC0 is 1.5, 0xC000 is -2."""
    data = np.array([0x3FC0, 0xC000], "<u2").tobytes()
    path = written(tmp_path / "x", {"a": {"dtype": "BF16", "shape": [1, 2], "data_offsets": [0, 4]}}, data)
    assert TensorFile(path).read("a").tolist() == [[1.5, -2.0]]


@pytest.mark.parametrize(
    "facts",
    [
        {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 20]},
        {"dtype": "F32", "shape": [2, 3], "data_offsets": [8, 32]},
        {"dtype": "F32", "shape": [2, 3], "data_offsets": [-24, 0]},
        {"dtype": "F32", "shape": [6], "data_offsets": [0, 24]},
        {"dtype": "F32", "shape": [-2, -3], "data_offsets": [0, 24]},
        {"dtype": "F32", "shape": [2**40, 2**40], "data_offsets": [0, 24]},
        {"dtype": "Q7", "shape": [2, 3], "data_offsets": [0, 24]},
        {"shape": [2, 3]},
        "text",
    ],
)
def test_a_header_that_lies_is_refused(tmp_path: Path, facts: object) -> None:
    with pytest.raises(InputError, match="no safetensors file"):
        TensorFile(written(tmp_path / "x", {"a": facts}, ROWS.tobytes()))


@pytest.mark.parametrize("content", [b"", b"\xff" * 8, b"\x02\0\0\0\0\0\0\0[]", (10**9).to_bytes(8, "little") + b"{}"])
def test_what_is_no_such_file_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x").write_bytes(content)
    with pytest.raises(InputError, match="no safetensors file"):
        TensorFile(tmp_path / "x")


def test_giving_up_leaves_nothing(tmp_path: Path) -> None:
    TensorWriter(tmp_path / "x", ["a"], (2, 3), {}).give_up()
    assert list(tmp_path.iterdir()) == []
