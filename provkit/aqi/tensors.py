"""Safetensors files of one matrix a layer: written piece by piece and read layer by layer, neither held in memory.

The format: eight bytes with the length of a JSON header, the header (name -> dtype, shape, data_offsets), the numbers.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from provkit.errors import InputError

DTYPES: dict[str, np.dtype[Any]] = {
    "F64": np.dtype("<f8"),
    "F32": np.dtype("<f4"),
    "F16": np.dtype("<f2"),
    "BF16": np.dtype("<u2"),
}
MOST_HEADER = 100 << 20  # bytes, as the format bounds it


class TensorFile:
    """An open file: the names of its matrices, what was noted with them, and each matrix on demand.

    Raises:
        InputError: when it is no such file, or an offset leaves it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            with path.open("rb") as file:
                size = int.from_bytes(file.read(8), "little")
                if size > min(MOST_HEADER, max(path.stat().st_size - 8, 0)):
                    raise ValueError("its header is longer than the file")
                header = orjson.loads(file.read(size))
            self.noted: dict[str, str] = dict(header.pop("__metadata__", {}))
            self._at = {name: self._checked(name, facts, 8 + size) for name, facts in header.items()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise InputError(f"no safetensors file: {error}", file=path) from None
        self.names = sorted(self._at, key=_natural)

    def _checked(self, name: str, facts: Mapping[str, Any], start: int) -> tuple[np.dtype[Any], tuple[int, ...], int]:
        kind, shape = DTYPES[facts["dtype"]], tuple(int(one) for one in facts["shape"])
        first, end = facts["data_offsets"]
        cells = int(np.prod(shape, dtype=object)) if shape else 1
        if len(shape) != 2 or min(shape) < 0 or end - first != cells * kind.itemsize:
            raise ValueError(f"{name} is no matrix of the size that it states")
        if first < 0 or start + end > self.path.stat().st_size:
            raise ValueError(f"{name} leaves the file")
        return kind, shape, start + first

    def shape(self, name: str) -> tuple[int, ...]:
        """Rows and dimensions of a matrix."""
        return self._at[name][1]

    def read(self, name: str) -> NDArray[np.float64]:
        """A matrix as float64: (rows, dimensions)."""
        kind, shape, offset = self._at[name]
        if not shape[0] * shape[1]:
            return np.zeros(shape)
        found = np.memmap(self.path, kind, "r", offset, shape)
        if kind == DTYPES["BF16"]:  # the upper half of a float32
            return (found.astype(np.uint32) << np.uint32(16)).view(np.float32).astype(np.float64)
        return found.astype(np.float64)


class TensorWriter:
    """Writes float32 matrices of one shape into a file that takes its name when all are there.

    Attributes:
        layers: for each name the writable matrix (rows, dimensions), mapped from the file.
    """

    def __init__(self, path: Path, names: Sequence[str], shape: tuple[int, int], noted: Mapping[str, str]) -> None:
        size = shape[0] * shape[1] * 4
        header: dict[str, Any] = {"__metadata__": dict(noted)}
        for at, name in enumerate(names):
            header[name] = {"dtype": "F32", "shape": list(shape), "data_offsets": [at * size, (at + 1) * size]}
        raw = orjson.dumps(header)
        raw += b" " * (-len(raw) % 8)
        self.path = path
        self._part = path.with_name(f".{path.name}.{os.getpid()}")
        path.parent.mkdir(parents=True, exist_ok=True)
        with self._part.open("wb") as file:
            file.write(len(raw).to_bytes(8, "little") + raw)
            file.truncate(8 + len(raw) + size * len(names))
        self.layers = {
            name: np.memmap(self._part, DTYPES["F32"], "r+", 8 + len(raw) + at * size, shape)
            for at, name in enumerate(names)
        }

    def flush(self) -> None:
        """Lets go of what was written so far, so that it does not count as this process's memory."""
        for layer in self.layers.values():
            layer.flush()

    def done(self) -> None:
        """Gives the file its name."""
        self.flush()
        self.layers = {}
        self._part.replace(self.path)

    def give_up(self) -> None:
        """Leaves nothing behind."""
        self.layers = {}
        self._part.unlink(missing_ok=True)


def _natural(name: str) -> list[tuple[int, str]]:
    """`layer.10` after `layer.9`."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in name.replace("_", ".").split(".")]
