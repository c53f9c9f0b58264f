"""A named source of a recipe, read once onto disk: content, and for each row where it came from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import numpy as np
import pyarrow as pa

from provkit.errors import InputError, plain
from provkit.sources.batches import Chunk
from provkit.sources.values import holds_empty_struct
from provkit.table import INDEX, INPUT, LINE, ROW_ID, SIBLING, Input, Parts, read_parts


class Origin(Protocol):
    """Something that can be read: what it is, and its rows."""

    @property
    def input(self) -> Input:
        """What it is, with its digest; the number of rows is filled in once it was read."""

    def chunks(self) -> Iterator[Chunk]:
        """Its rows, in order."""


@dataclass(frozen=True, slots=True)
class SourceRows:
    """A source that was read: its rows with their lineage columns, and its inputs with their row counts."""

    table: pa.Table
    inputs: list[Input]
    paths: list[Path]


def spool(origins: Sequence[Origin], first: int, limit: int | None, folder: Path, name: str) -> SourceRows:
    """Reads the origins of one source one after another into Arrow files of `folder`.

    Args:
        origins: what the source consists of.
        first: the number that the first of its inputs has in the build.
        limit: at most so many rows of the whole source.
        folder: where the Arrow files go.
        name: what their names begin with.

    Raises:
        InputError: when two files of the source have columns of different names (unless they are read with `fill`) or
            types, a column holds nothing but objects without keys, or there is no row.
    """
    parts, inputs, left = Parts(folder, name), [], limit
    where = f"source {origins[0].input.source}" if origins else "source"
    columns: list[str] = []
    for number, origin in enumerate(origins, first):
        index = 0
        for chunk in origin.chunks() if left != 0 else ():
            batch = chunk.batch if left is None else chunk.batch.slice(0, left)
            columns = _columns(columns, batch.schema.names, origin)
            parts.write(_located(batch, chunk, number, index))
            index += len(batch)
            left = None if left is None else left - len(batch)
            if left == 0:
                break
        inputs.append(replace(origin.input, rows=index))
    paths = parts.close()
    if not paths:
        raise InputError("the source has no rows", field=where)
    try:
        table = read_parts(paths)
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        said = f"a column of two types: {plain(str(error))}"
        do = "give files with another type in a column as another source"
        raise InputError(said, field=where, do=do) from None
    if empty := [field.name for field in table.schema if holds_empty_struct(field.type)]:
        said = "only objects without keys, for which Parquet has no form"
        raise InputError(said, field=f"{where}, column {empty[0]}", do="leave them out, or write null")
    return SourceRows(table, inputs, paths)


def _columns(before: list[str], found: list[str], origin: Origin) -> list[str]:
    """The columns of a source so far; where the origin is read with `fill`, what others lack is null in them."""
    if before and set(before) != set(found) and not getattr(origin, "fill", False):
        said = f"columns {plain(', '.join(found), 120)}, but before it came {plain(', '.join(before), 120)}"
        do = "give files of other columns as another source, or state `fill: true` to read missing ones as null"
        raise InputError(said, file=origin.input.file or origin.input.source, do=do)
    return list(dict.fromkeys([*before, *found]))


def _located(batch: pa.RecordBatch, chunk: Chunk, number: int, index: int) -> pa.RecordBatch:
    size, lines, ids = len(batch), chunk.lines, chunk.row_ids
    origin = {
        INPUT: pa.array(np.full(size, number, np.int32)),
        INDEX: pa.array(np.arange(index, index + size, dtype=np.int64)),
        LINE: pa.array(lines[:size]) if lines is not None else pa.nulls(size, pa.int64()),
        ROW_ID: ids.slice(0, size) if ids is not None else pa.nulls(size, pa.string()),
        SIBLING: pa.array(np.zeros(size, np.uint64)),
    }
    arrays = [*batch.columns, *origin.values()]
    return pa.RecordBatch.from_arrays(arrays, names=[*batch.schema.names, *origin])
