"""Rows as Python objects gathered into Arrow batches, with the schema watched."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from provkit.errors import InputError, plain
from provkit.table import BATCH, OWN

MAX_COLUMNS = 1000
MAX_BYTES = 32 << 20  # of raw text in one batch
RESERVED = ("row_id", "pair_id", "canary")


@dataclass(frozen=True, slots=True)
class Chunk:
    """Rows as they were read, and for formats that have lines the line where each starts: int64, shape (rows,)."""

    batch: pa.RecordBatch
    lines: npt.NDArray[np.int64] | None = None
    row_ids: pa.Array | None = None  # rows of another build keep their identity as a parent's


class Batcher:
    """Gathers the rows of one file; every row must have the columns of the first, or miss some where `fill` is set."""

    def __init__(self, name: str, fill: bool) -> None:
        self._name, self._fill = name, fill
        self._columns: dict[str, None] | None = None
        self._schema: pa.Schema | None = None
        self._rows: list[dict[str, Any]] = []
        self._lines: list[int | None] = []
        self._bytes = 0
        self._read = 0

    def add(self, row: dict[str, Any], line: int | None, size: int) -> Chunk | None:
        """Takes a row of `size` raw bytes; a batch when one is full.

        Raises:
            InputError: when the row's columns differ from the first row's.
        """
        if self._columns is None:
            check_columns(list(row), self._name, line)
            self._columns = dict.fromkeys(row)
        if row.keys() != self._columns.keys():
            self._differing(row, line)
        self._rows.append(row)
        self._lines.append(line)
        self._bytes += size
        return self._chunk() if len(self._rows) >= BATCH or self._bytes >= MAX_BYTES else None

    def rest(self) -> Iterator[Chunk]:
        """The last batch."""
        if self._rows:
            yield self._chunk()

    def _differing(self, row: dict[str, Any], line: int | None) -> None:
        assert self._columns is not None
        missing, more = [c for c in self._columns if c not in row], [c for c in row if c not in self._columns]
        if not self._fill:
            said = [f"{word} {', '.join(plain(c, 40) for c in some[:5])}" for word, some in
                    (("without", missing), ("with", more)) if some]  # fmt: skip
            raise InputError(
                f"a row of another schema: {' and '.join(said)}",
                file=self._name,
                line=line,
                field=None if line else f"row {self._read + len(self._rows)}",
                do=f"the first row has {plain(', '.join(self._columns), 120)}; "
                "`fill: true` beside the file reads missing fields as null",
            )
        check_columns(more, self._name, line, len(self._columns))
        self._columns.update(dict.fromkeys(more))

    def _chunk(self) -> Chunk:
        rows, lines = self._rows, self._lines
        self._read += len(rows)
        self._rows, self._lines, self._bytes = [], [], 0
        numbers = None if lines[0] is None else np.array(lines, np.int64)
        return Chunk(self._batch(rows, lines), numbers)

    def _batch(self, rows: list[dict[str, Any]], lines: list[int | None]) -> pa.RecordBatch:
        columns = list(self._columns or ())
        arrays = []
        for column in columns:
            try:  # the type is inferred each time: a fixed one would lose keys of nested objects without a word
                arrays.append(pa.array([row.get(column) for row in rows]))
            except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError) as error:
                raise self._clash(column, rows, lines, error) from None
        batch = pa.RecordBatch.from_arrays(arrays, names=columns)
        for known in self._schema or ():
            self._compare(known, batch, lines)
        fields = [batch.schema] if self._schema is None else [self._schema, batch.schema]
        self._schema = pa.unify_schemas(fields, promote_options="permissive")
        return batch

    def _compare(self, known: pa.Field, batch: pa.RecordBatch, lines: list[int | None]) -> None:
        found = batch.schema.field(known.name)
        try:
            pa.unify_schemas([pa.schema([known]), pa.schema([found])], promote_options="permissive")
        except (pa.ArrowInvalid, pa.ArrowTypeError):
            values = batch.column(known.name)
            at = next((i for i, value in enumerate(values) if value.is_valid), 0)
            said = f"{found.type} where {known.type} was before"
            do = "a column holds one type throughout"
            raise InputError(said, file=self._name, line=lines[at], field=known.name, do=do) from None

    def _clash(self, column: str, rows: list[dict[str, Any]], lines: list[int | None], error: Exception) -> InputError:
        for at in range(1, len(rows) + 1):
            try:
                pa.array([row.get(column) for row in rows[:at]])
            except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
                first = next((row[column] for row in rows if row.get(column) is not None), None)
                found, before = type(rows[at - 1].get(column)).__name__, type(first).__name__
                said = f"{found} where {before} was before" if found != before else plain(str(error), 120)
                do = "a column holds one type throughout"
                return InputError(said, file=self._name, line=lines[at - 1], field=column, do=do)
        return InputError(plain(str(error)), file=self._name, field=column)


def check_columns(names: list[str], file: str, line: int | None, before: int = 0) -> None:
    """Refuses too many columns, and names that provkit writes itself.

    Raises:
        InputError: naming them.
    """
    if before + len(names) > MAX_COLUMNS:
        said = f"a row with {before + len(names):,} columns; at most {MAX_COLUMNS:,} are read"
        raise InputError(said, file=file, line=line, do="put the measurements into one column, as a list")
    own = [name for name in names if name in RESERVED or name.startswith(OWN)]
    if own:
        do = "rename it; a build is read with its lineage when its directory is given instead of a file in it"
        raise InputError("a column name that provkit keeps for itself", file=file, line=line, field=own[0], do=do)


def arrow_chunk(batch: pa.RecordBatch, name: str) -> Chunk:
    """A batch as another program wrote it; dictionaries are unpacked.

    Raises:
        InputError: for a type that canonical JSON does not have.
    """
    check_columns(batch.schema.names, name, None)
    arrays = []
    for field in batch.schema:
        kind = plain_type(field.type)
        if kind is None:
            do = "cast it to text, a number, a boolean, a date or time, or lists and structs of these"
            raise InputError(f"a column of type {field.type}", file=name, field=field.name, do=do)
        array = batch.column(field.name)
        arrays.append(array if kind == field.type else array.cast(kind))
    return Chunk(pa.RecordBatch.from_arrays(arrays, names=batch.schema.names))


def plain_type(kind: pa.DataType) -> pa.DataType | None:
    """The type in which a column is kept, None where canonical JSON has none for it."""
    t = pa.types
    if t.is_dictionary(kind):
        return plain_type(kind.value_type)
    if t.is_string(kind) or t.is_large_string(kind) or t.is_string_view(kind):
        return pa.string()
    if t.is_null(kind) or t.is_boolean(kind) or t.is_integer(kind) or t.is_float32(kind) or t.is_float64(kind):
        return kind
    if t.is_date(kind) or (t.is_timestamp(kind) and kind.unit != "ns"):
        return kind
    if t.is_list(kind) or t.is_large_list(kind) or t.is_fixed_size_list(kind):
        inner = plain_type(kind.value_type)
        return None if inner is None else pa.list_(inner)
    if t.is_struct(kind):
        fields = [(kind.field(i).name, plain_type(kind.field(i).type)) for i in range(kind.num_fields)]
        return None if any(inner is None for _, inner in fields) else pa.struct(fields)
    return None
