"""Rows of documents.parquet by number, reading only the row groups that hold them."""

from __future__ import annotations

import threading
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from provkit import parquet
from provkit.index.model import DamagedIndex

KEPT = 64 << 20  # bytes of row groups that stay in memory; the ids of a shard's documents alone are far less


def int64s(values: NDArray[np.integer[Any]]) -> pa.Int64Array:
    """A numpy array as an Arrow one; `pa.array` would import pandas, 30 MB and 0.3 s, to ask whether it is a series."""
    values = np.ascontiguousarray(values, np.int64)
    return pa.Int64Array.from_buffers(pa.int64(), len(values), [None, pa.py_buffer(values)])


def strings(values: Sequence[bytes]) -> pa.StringArray:
    """UTF-8 texts as an Arrow array, in the same way."""
    offsets = np.zeros(len(values) + 1, np.int32)
    np.cumsum([len(value) for value in values], out=offsets[1:])
    return pa.StringArray.from_buffers(len(values), pa.py_buffer(offsets), pa.py_buffer(b"".join(values)))


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """What goes wrong while a Parquet file is read is DamagedIndex, naming it."""
    try:
        yield
    except (OSError, pa.ArrowException) as error:
        raise DamagedIndex(f"{path}: {error}") from None


def read_parquet(path: Path) -> pa.Table:
    """A whole Parquet file; raises DamagedIndex."""
    with reading(path):
        return pq.ParquetFile(path, memory_map=False).read(use_threads=False)


class DocumentTable:
    """The metadata of a shard's documents. May be used by several threads at once."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._cache: OrderedDict[tuple[int, tuple[str, ...] | None], pa.Table] = OrderedDict()
        self._size = 0  # bytes in the cache

    @cached_property
    def _file(self) -> pq.ParquetFile:
        with reading(self._path):
            return parquet.opened(self._path)

    @cached_property
    def _bounds(self) -> NDArray[np.int64]:
        rows = [self._file.metadata.row_group(at).num_rows for at in range(self._file.num_row_groups)]
        return np.append(0, np.cumsum(rows)).astype(np.int64)

    def rows(self, documents: Sequence[int], columns: Sequence[str] | None = None) -> pa.Table:
        """The rows of some documents, in the order asked for.

        Raises:
            IndexError: for a number that is not there.
            DamagedIndex: when the file cannot be read.
        """
        numbers = np.asarray(documents, np.int64)
        if len(numbers) and not 0 <= numbers.min() <= numbers.max() < self._bounds[-1]:
            raise IndexError(f"{self._path} has {self._bounds[-1]} documents")
        groups = np.searchsorted(self._bounds, numbers, "right") - 1
        used, inverse = np.unique(groups, return_inverse=True)
        key = tuple(columns) if columns is not None else None
        parts = [self._group(int(group), key) for group in used]
        if not parts:
            return self._file.schema_arrow.empty_table() if key is None else self._group(0, key).slice(0, 0)
        firsts = np.append(0, np.cumsum([len(part) for part in parts]))[:-1]
        return pa.concat_tables(parts).take(int64s(numbers - self._bounds[groups] + firsts[inverse]))

    def texts(self, documents: Sequence[int], column: str) -> list[str]:
        """One column of the rows of a few documents as text, without a table of them.

        Raises:
            IndexError, DamagedIndex: as `rows`.
        """
        bounds = self._bounds.tolist()
        found = []
        for number in documents:
            if not 0 <= number < bounds[-1]:
                raise IndexError(f"{self._path} has {bounds[-1]} documents")
            group = bisect_right(bounds, number) - 1
            found.append(str(self._group(group, (column,)).column(0)[number - bounds[group]]))
        return found

    def _group(self, group: int, columns: tuple[str, ...] | None) -> pa.Table:
        with self._lock:
            key = (group, columns)
            if key not in self._cache:
                with reading(self._path):
                    self._cache[key] = self._file.read_row_group(group, columns, use_threads=False)
                self._size += self._cache[key].nbytes
                while self._size > KEPT and len(self._cache) > 1:
                    self._size -= self._cache.popitem(last=False)[1].nbytes
            self._cache.move_to_end(key)
            return self._cache[key]
