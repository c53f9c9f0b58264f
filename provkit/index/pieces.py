"""Documents on their way into shards: checked, joined with separators, folded where the index folds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from provkit.index._native import kernel
from provkit.index.fold import Fold, Folded
from provkit.index.model import Document
from provkit.index.table import int64s

PIECE = 4 * 2**20  # bytes of text that are handled at a time
TEXT = "text"
DOC_ID = "doc_id"


@dataclass(frozen=True, slots=True)
class Piece:
    """Some documents in a row.

    Attributes:
        text: uint8, 0xFF and the UTF-8 bytes of each document, folded where the index folds.
        starts: int64, where the 0xFF of each document is; the last entry is the length of the text.
        rows: their metadata, with doc_id.
        folded: the original text and how the two correspond; None where the index does not fold.
    """

    text: NDArray[np.uint8]
    starts: NDArray[np.int64]
    rows: pa.RecordBatch
    folded: Folded | None

    def both_starts(self) -> list[NDArray[np.int64]]:
        """`starts`, and those in the original text where the index folds."""
        return [self.starts, self.folded.original_starts] if self.folded else [self.starts]


def pieces(
    documents: Iterable[Document | pa.RecordBatch], fold: Fold | None, schema: pa.Schema | None
) -> Iterator[Piece]:
    """Turns documents or record batches (with a `text` column) into pieces.

    Args:
        schema: of the metadata of `Document`s; taken from the first of them when None.

    Raises:
        ValueError: for a document without text or with invalid UTF-8, named by its number and id, and for metadata
            that does not fit the columns.
    """
    first = 0
    for batch in batches(documents, schema):
        text = text_of(batch, first)
        ends = np.cumsum(np.diff(bounds_of(text)) + 1)
        rows = metadata_of(batch, first)
        at = 0
        while at < len(text):
            limit = (ends[at - 1] if at else 0) + PIECE
            to = max(at + 1, int(np.searchsorted(ends, limit, "right")))
            yield piece_of(text.slice(at, to - at), rows.slice(at, to - at), fold)
            at = to
        first += len(text)


def batches(documents: Iterable[Document | pa.RecordBatch], schema: pa.Schema | None) -> Iterator[pa.RecordBatch]:
    """Record batches as they are; runs of `Document`s gathered into batches."""
    waiting: list[Document] = []
    size = 0
    for document in documents:
        if isinstance(document, Document):
            waiting.append(document)
            size += len(document.text)
            if len(waiting) < 4096 and size < PIECE:
                continue
        if waiting:
            batch = batch_of(waiting, schema)
            schema = batch.schema.remove(batch.schema.get_field_index(TEXT))
            yield batch
            waiting, size = [], 0
        if not isinstance(document, Document):
            yield document
    if waiting:
        yield batch_of(waiting, schema)


def batch_of(documents: list[Document], schema: pa.Schema | None) -> pa.RecordBatch:
    """One record batch of some documents."""
    rows = [dict(document.metadata) for document in documents]
    if schema is None:
        names = dict.fromkeys(name for row in rows for name in row)
        rows = [{name: row.get(name) for name in names} for row in rows]
    else:
        known = set(schema.names)
        for row in rows:
            if not known.issuperset(row):
                name = next(name for name in row if name not in known)
                raise ValueError(
                    f"the metadata column {name!r} is not among those of the first documents; pass `schema`"
                )
    columns: dict[str, Any] = {TEXT: pa.array([_utf8(document.text) for document in documents], pa.large_binary())}
    if (rows and rows[0]) or schema is not None:
        try:
            table = pa.RecordBatch.from_pylist(rows, schema=schema)
        except pa.ArrowException as error:
            raise ValueError(f"metadata that does not fit its column: {error}; pass `schema`") from None
        columns |= dict(zip(table.schema.names, table.columns, strict=True))
    return pa.RecordBatch.from_arrays(list(columns.values()), names=list(columns))


def _utf8(text: str | bytes) -> bytes:
    return text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text


def text_of(batch: pa.RecordBatch, first: int) -> pa.LargeBinaryArray:
    """The checked text column of a batch whose first document has the number `first`."""
    at = batch.schema.get_field_index(TEXT)
    if at < 0:
        raise ValueError(f"no column {TEXT!r} among {', '.join(batch.schema.names)}")
    text = batch.column(at)
    if isinstance(text.type, pa.BaseExtensionType) or pa.types.is_dictionary(text.type):
        text = text.cast(pa.large_string())
    if text.null_count:
        row = text.is_null().to_pylist().index(True)
        raise ValueError(f"{_name(batch, first, row)} has no text")
    try:
        text.cast(pa.large_binary()).cast(pa.large_string()).validate(full=True)
    except pa.ArrowInvalid:
        for row, value in enumerate(text.cast(pa.large_binary())):
            try:
                value.as_py().decode()
            except UnicodeDecodeError as error:
                raise ValueError(
                    f"{_name(batch, first, row)} is not UTF-8: {error.reason} at byte {error.start}"
                ) from None
        raise
    return text.cast(pa.large_binary())


def _name(batch: pa.RecordBatch, first: int, row: int) -> str:
    at = batch.schema.get_field_index(DOC_ID)
    return f"document {first + row}" + (f" (doc_id {batch.column(at)[row].as_py()!r})" if at >= 0 else "")


def metadata_of(batch: pa.RecordBatch, first: int) -> pa.RecordBatch:
    """The other columns of a batch, with doc_id first: the number of the document where there is none."""
    names = [name for name in batch.schema.names if name not in (TEXT, DOC_ID)]
    at = batch.schema.get_field_index(DOC_ID)
    numbers = int64s(np.arange(first, first + len(batch))).cast(pa.string()) if at < 0 else batch.column(at)
    return pa.RecordBatch.from_arrays([numbers, *(batch.column(name) for name in names)], names=[DOC_ID, *names])


def bounds_of(text: pa.LargeBinaryArray) -> NDArray[np.int64]:
    """Where each document begins in the data buffer of an array, and where the last one ends."""
    offsets = text.buffers()[1]
    if offsets is None or not len(text):
        return np.zeros(1, np.int64)
    return np.frombuffer(offsets, np.int64)[text.offset : text.offset + len(text) + 1]


def piece_of(text: pa.LargeBinaryArray, rows: pa.RecordBatch, fold: Fold | None) -> Piece:
    """Joins documents with separators, and folds them."""
    bounds, data = bounds_of(text), text.buffers()[2]
    source = np.frombuffer(data, np.uint8) if data is not None else np.zeros(0, np.uint8)
    joined = np.empty(int(bounds[-1] - bounds[0]) + len(text), np.uint8)
    starts = interleave(source, bounds, joined)
    if fold is None:
        return Piece(joined, starts, rows, None)
    folded = fold.joined(joined, starts)
    return Piece(folded.text, folded.starts, rows, folded)


@kernel
def interleave(data: NDArray[np.uint8], bounds: NDArray[np.int64], joined: NDArray[np.uint8]) -> NDArray[np.int64]:
    """0xFF and the bytes of each document, document after document; returns where each 0xFF is, and the end."""
    starts = np.empty(len(bounds), np.int64)
    at = 0
    for row in range(len(bounds) - 1):
        starts[row] = at
        size = bounds[row + 1] - bounds[row]
        joined[at] = 0xFF
        joined[at + 1 : at + 1 + size] = data[bounds[row] : bounds[row + 1]]
        at += 1 + size
    starts[-1] = at
    return starts
