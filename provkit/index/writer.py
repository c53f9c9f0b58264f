"""Writes the text and the documents of one shard, piece by piece, before it is sorted."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from provkit.index.manifest import File, file_of
from provkit.index.pieces import Piece
from provkit.index.shard import DOCUMENTS, LARGEST, OFFSETS, ORIGINAL, TABLE, TEXT, write_array

ROW_GROUP = 4096  # documents a row group: what one look-up of metadata has to read


@dataclass(frozen=True, slots=True)
class Written:
    """What a shard holds before it is sorted: its files, and its documents without separators in bytes."""

    files: dict[str, File]
    documents: int
    text_bytes: int


class ByteFile:
    """A file that is written once, with its size and digest; `path` None only takes the digest."""

    def __init__(self, path: Path | None) -> None:
        self._file: BinaryIO | None = path.open("wb") if path else None
        self._hash = hashlib.sha256()
        self.size = 0

    def write(self, data: NDArray[np.uint8] | bytes) -> None:
        """Appends bytes."""
        view = memoryview(data if isinstance(data, bytes) else data.data)
        self._hash.update(view)
        self.size += len(view)
        if self._file:
            self._file.write(view)

    def close(self) -> File:
        """Closes the file and describes it."""
        if self._file:
            self._file.close()
        return File(self.size, self._hash.hexdigest())


class ShardWriter:
    """Takes documents until the shard is full.

    Args:
        part: the directory to write into; None only takes the digests, to compare with a finished shard.
        schema: of the metadata.
        folded: whether the original text is written too.
    """

    def __init__(self, part: Path | None, schema: pa.Schema, folded: bool) -> None:
        self._part = part
        self._text = ByteFile(part and part / TEXT)
        self._original = ByteFile(part and part / ORIGINAL) if folded else None
        self._breaks: list[NDArray[np.uint32]] = []
        self._starts: list[NDArray[np.uint32]] = []
        self._table = pq.ParquetWriter(part / TABLE, schema, compression="zstd") if part else None
        self._rows: list[pa.RecordBatch] = []
        self._waiting = 0
        self.documents = 0

    def __enter__(self) -> ShardWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self._text.close()
            if self._table:
                self._table.close()

    def fitting(self, piece: Piece, first: int, limit: int) -> int:
        """The document of a piece, from `first` on, before which text or original would exceed `limit` bytes."""
        sizes = [self._text.size, self._original.size] if self._original else [self._text.size]
        fitting = min(
            int(np.searchsorted(starts[1:], starts[first] + limit - size, "right"))
            for starts, size in zip(piece.both_starts(), sizes, strict=True)
        )
        return max(fitting, first)

    def append(self, piece: Piece, first: int, last: int) -> None:
        """Adds the documents [first, last) of a piece."""
        begin, end = int(piece.starts[first]), int(piece.starts[last])
        self._starts.append((piece.starts[first:last] - begin + self._text.size + 1).astype(np.uint32))
        if self._original and piece.folded:
            folded = piece.folded
            origin, until = int(folded.original_starts[first]), int(folded.original_starts[last])
            here, there = np.searchsorted(folded.breaks[0], [begin, end], "right")
            shift = np.array([[self._text.size - begin], [self._original.size - origin]])
            self._breaks.append((folded.breaks[:, here:there] + shift).astype(np.uint32))
            self._original.write(folded.original[origin:until])
        self._text.write(piece.text[begin:end])
        self.documents += last - first
        if self._table:
            self._rows.append(piece.rows.slice(first, last - first))
            self._waiting += last - first
            if self._waiting >= ROW_GROUP:
                self._flush()

    def close(self) -> Written:
        """Ends the shard with a last 0xFF."""
        text_bytes = self._text.size - self.documents
        self._text.write(b"\xff")
        files = {TEXT: self._text.close()}
        if self._text.size > LARGEST:
            raise ValueError(f"a shard of {self._text.size:,} bytes; at most {LARGEST:,} can be sorted")
        starts = np.concatenate([*self._starts, np.array([self._text.size], np.uint32)])
        if self._original:
            self._original.write(b"\xff")
            files[ORIGINAL] = self._original.close()
        if self._part:
            files[DOCUMENTS] = write_array(self._part / DOCUMENTS, starts)
            if self._original:
                breaks = np.concatenate([*self._breaks, np.zeros((2, 0), np.uint32)], axis=1)
                files[OFFSETS] = write_array(self._part / OFFSETS, np.ascontiguousarray(breaks).reshape(-1))
        if self._part and self._table:
            self._flush()
            self._table.close()
            files[TABLE] = file_of(self._part / TABLE)
        return Written(files, self.documents, text_bytes)

    def _flush(self) -> None:
        if self._table and self._rows:
            self._table.write_table(pa.Table.from_batches(self._rows).combine_chunks(), row_group_size=ROW_GROUP)
        self._rows, self._waiting = [], 0
