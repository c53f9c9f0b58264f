"""An answers directory: answers, metrics and scores in Parquet, and answers.json with the digests of all of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from provkit import facts, parquet
from provkit.answers.tables import PARTS
from provkit.canonical import digest_file
from provkit.errors import InputError
from provkit.target import writing

FILE = "answers.json"
FILES = [f"{name}.parquet" for name in PARTS]
FORMAT = 1
BATCH = 1024
STORED = {"compression": "zstd", "compression_level": 3}


class Writer:
    """Writes the tables of an answers directory row by row; no more than a batch of each is in memory."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files = {
            name: pq.ParquetWriter(folder / f"{name}.parquet", schema, **STORED) for name, schema in PARTS.items()
        }
        self._waiting: dict[str, list[Mapping[str, Any]]] = {name: [] for name in PARTS}
        self._rows = dict.fromkeys(PARTS, 0)
        self._digests: dict[str, str] = {}

    def add(self, name: str, row: Mapping[str, Any]) -> None:
        """Appends one row to one of PARTS."""
        self._waiting[name].append(row)
        if len(self._waiting[name]) >= BATCH:
            self._flush(name)

    def copy(self, name: str, tables: Iterator[pa.Table]) -> None:
        """Appends whole tables to one of PARTS."""
        self._flush(name)
        for table in tables:
            self._files[name].write_table(table)
            self._rows[name] += len(table)

    def end(self, name: str) -> str:
        """Ends the file of one of PARTS; returns its sha256."""
        if name not in self._digests:
            self._flush(name)
            self._files[name].close()
            self._digests[name] = digest_file(self._folder / f"{name}.parquet")[0]
        return self._digests[name]

    def close(self, said: Mapping[str, Any]) -> dict[str, Any]:
        """Ends all files and writes answers.json, which says `said` beside rows and digests; returns all of it."""
        files = {f"{name}.parquet": self.end(name) for name in PARTS}
        return facts.write(self._folder / FILE, {**said, "format": FORMAT, "rows": self._rows, "files": files})

    def _flush(self, name: str) -> None:
        if self._waiting[name]:
            self._files[name].write_table(pa.Table.from_pylist(self._waiting[name], schema=PARTS[name]))
            self._rows[name] += len(self._waiting[name])
            self._waiting[name] = []


@contextmanager
def written(out: Path) -> Iterator[Writer]:
    """A writer for the directory `out`, which appears whole when the block ends without an error, or not at all."""
    with writing(out, lambda there: facts.stranger(there, {FILE, *FILES})) as folder:
        yield Writer(folder)


def rows_of(folder: Path, name: str) -> Iterator[dict[str, Any]]:
    """The rows of one of PARTS, in their order."""
    for table in tables_of(folder, name):
        yield from table.to_pylist()


def tables_of(folder: Path, name: str) -> Iterator[pa.Table]:
    """The same as tables of some rows."""
    with parquet.opened(folder / f"{name}.parquet") as file:
        for batch in file.iter_batches(BATCH):
            yield pa.Table.from_batches([batch])


def facts_of(folder: Path) -> dict[str, Any]:
    """What answers.json says, after its digest and those of the files were checked.

    Raises:
        InputError: when it is no answers directory, or a file of it is missing or changed.
    """
    try:
        return facts.read(folder / FILE, FILES, needed=FILES)
    except OSError as error:
        do = "provkit ask makes one"
        raise InputError(f"no answers directory: {error.strerror}", file=folder, do=do) from None
