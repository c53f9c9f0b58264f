"""Parquet and Arrow: batches as another program wrote them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, Any

import pyarrow as pa

from provkit import parquet
from provkit.errors import InputError, plain
from provkit.sources.batches import MAX_BYTES, Chunk, arrow_chunk
from provkit.sources.files import Bytes, open_bytes, refuse_what_is_no_data
from provkit.sources.text import MAX_DOCUMENT
from provkit.table import BATCH

MAGIC = b"ARROW1"
DAMAGE = (pa.ArrowException, OSError, UnicodeDecodeError, MemoryError)  # what a few wrong bytes have raised
END = b"\xff\xff\xff\xff\x00\x00\x00\x00"  # how a stream ends that was written to its end


def read_parquet(file: Bytes) -> Iterator[Chunk]:
    """The batches of a Parquet file; a packed one is unpacked into memory.

    Raises:
        InputError: for a damaged or truncated file, and columns that canonical JSON does not have.
    """
    refuse_what_is_no_data(file)
    try:
        opened = parquet.opened(
            str(file.path) if file.url is None and not file.compression else _seekable(file),
            page_checksum_verification=True,
        )
        groups = [opened.metadata.row_group(at) for at in range(opened.num_row_groups)]
        widest = max((group.total_byte_size / max(group.num_rows, 1) for group in groups), default=1)
        size = max(1, min(BATCH, int(MAX_BYTES / max(widest, 1))))
        yield from _chunks(opened.iter_batches(batch_size=size), file)
    except DAMAGE as error:
        raise InputError(f"no Parquet, or a truncated one: {plain(str(error), 120)}", file=file.name) from None


def read_arrow(file: Bytes) -> Iterator[Chunk]:
    """The batches of an Arrow file (memory-mapped where it is not packed) or stream.

    Raises:
        InputError: for a damaged or truncated file, and columns that canonical JSON does not have.
    """
    try:
        with open_bytes(file) as stream:
            if stream.peek(6)[:6] == MAGIC:  # type: ignore[attr-defined]
                opened = pa.ipc.open_file(_seekable(file))
                yield from _chunks((opened.get_batch(at) for at in range(opened.num_record_batches)), file)
            else:
                watched = _Ending(stream)
                yield from _chunks(pa.ipc.open_stream(pa.PythonFile(watched, "r")), file)
                if watched.last != END:
                    said = "an Arrow stream without an end: it is truncated, or its writer was not closed"
                    raise InputError(said, file=file.name, do="fetch the file again, or write it anew")
    except DAMAGE as error:
        raise InputError(f"no Arrow file, or a truncated one: {plain(str(error), 120)}", file=file.name) from None


def _chunks(batches: Iterator[pa.RecordBatch], file: Bytes) -> Iterator[Chunk]:
    first = 0
    for batch in batches:
        for start in range(0, len(batch), BATCH):
            chunk = arrow_chunk(batch.slice(start, BATCH), file.name, first)
            first += len(chunk.batch)
            yield chunk


def _seekable(file: Bytes) -> Any:
    """What pyarrow reads a file from: a memory map, or what is unpacked or at a URL."""
    if file.compression:
        return _whole(file)
    return pa.memory_map(str(file.path)) if file.url is None else pa.PythonFile(file.open(), "r")


def _whole(file: Bytes) -> pa.BufferReader:
    with open_bytes(file) as stream:
        whole = stream.read(MAX_DOCUMENT + 1)
    if len(whole) > MAX_DOCUMENT:
        said = f"more than {MAX_DOCUMENT >> 20} MB once it is unpacked"
        raise InputError(said, file=file.name, do="unpack the file first: then it is read piece by piece")
    return pa.BufferReader(whole)


class _Ending:
    """A stream that remembers the last eight bytes read."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self.last = b""
        self.closed = False

    def read(self, size: int = -1) -> bytes:
        """The next bytes."""
        found = self._stream.read(size)
        self.last = (self.last + found)[-8:] if len(found) < 8 else found[-8:]
        return found

    def readable(self) -> bool:
        """Yes."""
        return True
