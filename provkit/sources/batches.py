"""Rows as Python objects gathered into Arrow batches, with the schema watched."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from provkit.errors import InputError, plain
from provkit.sources.keys import key_twice
from provkit.sources.values import Fault, changed_value, first_failing, huge_integer, shape_of, wrong_value
from provkit.table import BATCH, OWN

MAX_COLUMNS = 1000  # those of nested objects counted
MAX_DEPTH = 64
MAX_BYTES = 32 << 20  # of raw text in one batch
RESERVED = ("row_id", "pair_id", "canary")
WITHIN = re.compile(r"with type (\w+): tried to convert to (.+)$", re.DOTALL)  # pyarrow's words for a clash inside
ONE_TYPE = "a column holds one type throughout"
NO_ARRAY = (pa.ArrowException, OverflowError, UnicodeEncodeError)  # what pa.array raises


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
        self._raw: list[bytes] = []
        self._bytes = 0
        self._read = 0

    def add(self, row: dict[str, Any], line: int | None, size: int, raw: bytes | None = None) -> Chunk | None:
        """Takes a row; a batch when one is full.

        Args:
            row: its columns.
            line: where it starts, in a format that has lines.
            size: how many bytes of the file it takes.
            raw: the row as it stands in the file, where a parser may have made floats of huge integers.

        Raises:
            InputError: when the row's columns differ from the first row's, or a value cannot be kept as it is.
        """
        if self._columns is None:
            check_columns(list(row), self._name, line)
            self._columns = dict.fromkeys(row)
        if row.keys() != self._columns.keys():
            self._differing(row, line)
        self._rows.append(row)
        self._lines.append(line)
        if raw is not None:
            self._raw.append(raw)
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
                "`fill: true` beside the file reads missing fields as null (--set SOURCE.fill=true)",
            )
        check_columns(more, self._name, line, len(self._columns))
        self._columns.update(dict.fromkeys(more))

    def _chunk(self) -> Chunk:
        columns = list(self._columns or ())
        batch = pa.RecordBatch.from_arrays([self._column(column) for column in columns], names=columns)
        for known in self._schema or ():
            if not _common(known.type, batch.schema.field(known.name).type):
                raise self._clash(known.name)
        fields = [batch.schema] if self._schema is None else [self._schema, batch.schema]
        self._schema = pa.unify_schemas(fields, promote_options="permissive")
        check_shape([field.type for field in self._schema], columns, self._name)
        if self._raw and (found := key_twice(self._raw, self._rows, batch)):
            do = "give each value a name of its own"
            raise self._refused(found[1], Fault(found[0], "a key that stands twice in one object", do))
        numbers = None if self._lines[0] is None else np.array(self._lines, np.int64)
        self._read += len(self._rows)
        self._rows, self._lines, self._raw, self._bytes = [], [], [], 0
        return Chunk(batch, numbers)

    def _column(self, column: str) -> pa.Array:
        values = self._values(column)
        try:  # the type is inferred each time: a fixed one would lose keys of nested objects without a word
            kind = pa.infer_type(values)
            check_shape([kind], [column], self._name)
            array = pa.array(values, kind)
        except NO_ARRAY:
            raise self._clash(column) from None
        if plain_type(kind) != kind:
            at = next(at for at, value in enumerate(values) if value is not None)
            raise self._refused(column, Fault(at, f"a value of type {kind}", "write it as text or a number"))
        fault = wrong_value(array) or changed_value(values, kind) or huge_integer(array, self._raw)
        if fault is not None:
            raise self._refused(column, fault)
        return array

    def _clash(self, column: str) -> InputError:
        """What to say of the first value that does not go with those before it, in this batch or another."""
        values = self._values(column)
        known = self._schema.field(column).type if self._schema and column in self._schema.names else None
        at = first_failing(len(values), lambda size: _misfit(values[:size], known) is not None)
        error = _misfit(values[: at + 1], known)
        if isinstance(error, UnicodeEncodeError):
            return self._refused(column, Fault(at, "a lone surrogate, which no text may hold", "mend the text"))
        if isinstance(error, OverflowError) or "too large" in str(error):
            return self._refused(column, Fault(at, "an integer beyond 63 bits and a sign", "write it as text"))
        if known is not None and _misfit(values[: at + 1], None) is None:
            said = f"{pa.infer_type([values[at]])} where {known} was before"
        else:
            first = next((value for value in values if value is not None), None)
            found, before = type(values[at]).__name__, type(first).__name__
            inner = WITHIN.search(str(error))
            within = f"{inner[1]} beside {inner[2]} in one field" if inner else str(error)
            said = f"{found} where {before} was before" if found != before else within
        return self._refused(column, Fault(at, plain(said, 160), ONE_TYPE))

    def _values(self, column: str) -> list[Any]:
        return [row.get(column) for row in self._rows]

    def _refused(self, column: str, fault: Fault) -> InputError:
        line = self._lines[fault.row]
        said = fault.problem if line is not None else f"row {self._read + fault.row}: {fault.problem}"
        return InputError(said, file=self._name, line=line, field=column, do=fault.do)


def check_columns(names: Sequence[str], file: str, line: int | None, before: int = 0) -> None:
    """Refuses no columns and too many, one that stands twice, and names that provkit writes itself.

    Raises:
        InputError: naming them.
    """
    if before + len(names) > MAX_COLUMNS:
        said = f"a row with {before + len(names):,} columns; at most {MAX_COLUMNS:,} are read"
        raise InputError(said, file=file, line=line, do="put the measurements into one column, as a list")
    if not before and not names:
        raise InputError("a row without any column", file=file, line=line)
    if twice := [name for at, name in enumerate(names) if name in names[:at]]:
        raise InputError("a column name that stands twice", file=file, line=line, field=twice[0], do="rename one")
    own = [name for name in names if name in RESERVED or name.startswith(OWN)]
    if own:
        do = "rename it; a build is read with its lineage when its directory is given instead of a file in it"
        raise InputError("a column name that provkit keeps for itself", file=file, line=line, field=own[0], do=do)


def check_shape(kinds: Sequence[pa.DataType], columns: Sequence[str], file: str) -> None:
    """Refuses what nests too deeply, and objects whose keys are data, so that each row brings new ones.

    Raises:
        InputError: naming the column.
    """
    shapes = [shape_of(kind) for kind in kinds]
    widest = max(range(len(kinds)), key=lambda at: shapes[at][0], default=0)
    if sum(wide for wide, _ in shapes) > MAX_COLUMNS:
        said = f"objects with more than {MAX_COLUMNS:,} different keys in all"
        do = "where the keys are data, write a list of objects with a key and a value"
        raise InputError(said, file=file, field=columns[widest], do=do)
    deep = next((at for at, (_, depth) in enumerate(shapes) if depth > MAX_DEPTH), None)
    if deep is not None:
        raise InputError(f"nested more than {MAX_DEPTH} deep", file=file, field=columns[deep], do="write it as text")


def arrow_chunk(batch: pa.RecordBatch, name: str, first: int = 0) -> Chunk:
    """A batch as another program wrote it; dictionaries are unpacked. `first` is the index of its first row.

    Raises:
        InputError: for a damaged batch, and for types and values that canonical JSON does not have.
    """
    check_columns(batch.schema.names, name, None)
    arrays = []
    for field, array in zip(batch.schema, batch.columns, strict=True):
        kind = plain_type(field.type)
        if kind is None:
            do = "cast it to text, a number, a boolean, a date, a time in microseconds, or lists and structs of these"
            raise InputError(f"a column of type {field.type}", file=name, field=field.name, do=do)
        try:
            array.validate(full=True)  # offsets and indices of a damaged file would be followed anywhere
            arrays.append(array if kind == field.type else array.cast(kind))
        except pa.ArrowException as error:
            said = f"damaged or truncated: {plain(str(error), 120)}"
            said = "text that is not UTF-8" if "UTF8" in str(error) else said
            raise InputError(said, file=name, field=field.name) from None
        if fault := wrong_value(arrays[-1]):
            said = f"row {first + fault.row}: {fault.problem}"
            raise InputError(said, file=name, field=field.name, do=fault.do)
    check_shape([array.type for array in arrays], batch.schema.names, name)
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
        if len({name for name, _ in fields}) < len(fields) or any(inner is None for _, inner in fields):
            return None
        return pa.struct(fields)
    return None


def _common(known: pa.DataType, found: pa.DataType) -> bool:
    try:
        pa.unify_schemas([pa.schema([("", known)]), pa.schema([("", found)])], promote_options="permissive")
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        return False
    return True


def _misfit(values: list[Any], known: pa.DataType | None) -> Exception | None:
    """Why these values make no column whose type goes with a known one; None where they do."""
    try:
        found = pa.array(values).type
    except NO_ARRAY as error:
        return error
    return None if known is None or _common(known, found) else TypeError()
