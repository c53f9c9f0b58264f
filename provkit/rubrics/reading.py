"""Tables out of files whose columns may have any name: row_id too, which the sources of a build keep for themselves."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from provkit import parquet
from provkit.errors import InputError, plain
from provkit.sources.files import Bytes, expand, format_of, open_bytes
from provkit.sources.text import lines_of

BATCH = 65536


def read_columns(path: Path, columns: Collection[str]) -> pa.Table:
    """Those of these columns that a file has, every value as text: JSONL, JSON, CSV, TSV or Parquet.

    Raises:
        InputError: with file and line, when it cannot be read, has another format, or holds no row.
    """
    (file,) = expand(str(path), Path())
    kind = format_of(file.path)
    try:
        if kind == "parquet":
            table = pq.read_table(file.path)
            table = table.select([name for name in table.column_names if name in columns])
        elif kind in ("csv", "tsv"):
            with open_bytes(file) as stream:
                table = pa.csv.read_csv(stream, parse_options=_parsing(kind))
            table = table.select([name for name in table.column_names if name in columns])
        elif kind in ("jsonl", "json"):
            table = _json(file, kind, columns)
        else:
            raise InputError(f"no verdicts are read from {kind}", file=file.name, do="give JSONL, CSV or Parquet")
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"cannot be read: {plain(str(error))}", file=file.name) from None
    if not len(table):
        raise InputError("the file holds no rows", file=file.name)
    return table.cast(pa.schema([(name, pa.string()) for name in table.column_names]))


def _json(file: Bytes, kind: str, columns: Collection[str]) -> pa.Table:
    tables: list[pa.Table] = []
    seen: dict[str, list[str | None]] = {name: [] for name in columns}
    known: set[str] = set()
    for count, (number, row) in enumerate(_rows(file, kind), 1):
        if not isinstance(row, dict):
            raise InputError("an object is expected", file=file.name, line=number)
        known |= row.keys() & seen.keys()
        for name, values in seen.items():
            values.append(_text(row.get(name)))
        if count % BATCH == 0:
            tables.append(_table(seen))
            seen = {name: [] for name in columns}
    tables.append(_table(seen))
    whole = pa.concat_tables(tables)
    return whole.select([name for name in whole.column_names if name in known])


def _table(values: dict[str, list[str | None]]) -> pa.Table:
    return pa.table({name: pa.array(column, pa.string()) for name, column in values.items()})


def _rows(file: Bytes, kind: str) -> Iterator[tuple[int | None, Any]]:
    with open_bytes(file) as stream:
        if kind == "json":
            found = _parsed(stream.read(), file.name, None)
            if not isinstance(found, list):
                raise InputError("a list of objects is expected", file=file.name)
            yield from ((None, row) for row in found)
            return
        for number, line in lines_of(stream, file.name):
            if line.strip():
                yield number, _parsed(line, file.name, number)


def _parsed(raw: bytes, name: str, line: int | None) -> Any:
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise InputError(f"no JSON: {plain(str(error))}", file=name, line=line) from None


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return str(value).lower() if isinstance(value, bool) else str(value)


def read_rows(path: Path) -> Iterator[tuple[int | None, dict[str, Any]]]:
    """The rows of a JSONL, JSON, CSV, TSV or Parquet file, each with its line where the format has lines.

    Raises:
        InputError: with file and line for what cannot be read.
    """
    (file,) = expand(str(path), Path())
    kind = format_of(file.path)
    try:
        if kind == "parquet":
            for batch in parquet.opened(file.path).iter_batches(4096):
                yield from ((None, row) for row in batch.to_pylist())
        elif kind in ("csv", "tsv"):
            with open_bytes(file) as stream:
                table = pa.csv.read_csv(stream, parse_options=_parsing(kind))
            yield from ((None, row) for row in table.to_pylist())
        elif kind in ("jsonl", "json"):
            for number, row in _rows(file, kind):
                if not isinstance(row, dict):
                    raise InputError("an object is expected", file=file.name, line=number)
                yield number, row
        else:
            raise InputError(f"no pairs are read from {kind}", file=file.name, do="give JSONL, JSON, CSV or Parquet")
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"cannot be read: {plain(str(error))}", file=file.name) from None


def _parsing(kind: str) -> Any:
    return pa.csv.ParseOptions(delimiter="," if kind == "csv" else "\t", newlines_in_values=True)
