"""Finds single rows of a build by row_id or by key, and the way back from each."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from provkit import manifest
from provkit.errors import InputError, plain

KEY = re.compile(r"(?P<arm>[a-z][a-z0-9_]*)/(?P<split>[a-z][a-z0-9_]*)/(?P<index>\d{1,18})\Z")
ROW_ID = re.compile(r"[0-9a-f]{8,32}\Z")
MOST = 20  # rows of one row_id that are followed
SEARCHED = 65_536  # row_ids at a time: their memory is used again, which costs less than having it all
DEEPEST = 64  # builds made of builds: no true chain is longer, and a forged one may have no end


@dataclass(frozen=True, slots=True)
class Way:
    """A row, and the ways back of its parents: a Way for a row of a build that is open, else a parent alone."""

    build_id: str
    row: dict[str, Any]
    content: dict[str, Any]
    parents: list[Way | dict[str, Any]]

    def plain(self) -> dict[str, Any]:
        """The same as nested plain data."""
        parents = [one.plain() if isinstance(one, Way) else one for one in self.parents]
        return {"build_id": self.build_id, **self.row, "content": self.content, "parents": parents}


@dataclass(frozen=True, slots=True)
class Ways:
    """The ways back of the rows that a key names, and how many such rows there are."""

    found: list[Way]
    rows: int


class _Build:
    """An open build."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.manifest = manifest.read(folder)
        self.lineage = self.open("lineage/rows.parquet")

    def open(self, file: str) -> pq.ParquetFile:
        """A Parquet file of the build."""
        try:
            return pq.ParquetFile(self.folder / file, memory_map=True)
        except (pa.ArrowException, OSError):
            raise self.damaged(file) from None

    def row(self, opened: pq.ParquetFile, file: str, number: int) -> dict[str, Any]:
        """One row of a Parquet file; only its row group is read."""
        try:
            found = row_at(opened, number)
        except (pa.ArrowException, OSError):
            found = None
        if found is None:
            raise self.damaged(file)
        return found

    def damaged(self, file: str) -> InputError:
        """What to say of a file that is not as the manifest says."""
        do = f"provkit verify {plain(str(self.folder))} says more"
        return InputError("missing or damaged", file=self.folder / file, do=do)


def row_at(opened: pq.ParquetFile, number: int) -> dict[str, Any] | None:
    """One row of a Parquet file, None beyond its end; only its row group is read."""
    for group in range(opened.num_row_groups):
        rows = opened.metadata.row_group(group).num_rows
        if number < rows:
            return dict(opened.read_row_group(group).slice(number, 1).to_pylist()[0])
        number -= rows
    return None


def ways(folder: Path, key: str, others: Sequence[Path] = ()) -> Ways:
    """The ways back of the rows that `key` names: a row_id, eight or more of its digits, or arm/split/index.

    Args:
        folder: the build directory.
        key: which row; of more than 20 rows with one row_id, 20 are followed.
        others: further builds, into which parents that are rows of theirs are followed.

    Raises:
        InputError: when there is no such row, `key` has neither form, or a file is damaged.
    """
    build = _Build(folder)
    builds = {one.manifest.build_id: one for one in (*map(_Build, others), build)}
    if by_key := KEY.match(key):
        numbers = [_number(build, by_key["arm"], by_key["split"], int(by_key["index"]))]
    elif ROW_ID.match(key):
        numbers = _by_row_id(build, key)
    else:
        raise InputError("neither a row_id (8 to 32 hex digits) nor arm/split/index", field=key)
    return Ways([_way(build, number, builds, DEEPEST) for number in numbers[:MOST]], len(numbers))


def _number(build: _Build, arm: str, split: str, index: int) -> int:
    """Position in lineage/rows.parquet, which holds the data files' rows one file after another."""
    first = 0
    for out in build.manifest.data():
        rows = out.rows or 0
        if (out.arm, out.split) == (arm, split):
            if index < rows:
                return first + index
            raise InputError(f"{arm}/{split} has {rows} rows, 0 to {rows - 1}", field=f"{arm}/{split}/{index}")
        first += rows
    there = ", ".join(f"{out.arm}/{out.split}" for out in build.manifest.data()) or "none"
    raise InputError(f"no such arm and split; there are {there}", field=f"{arm}/{split}/{index}")


def _by_row_id(build: _Build, key: str) -> list[int]:
    numbers: list[int] = []
    first = 0
    try:
        for batch in build.lineage.iter_batches(SEARCHED, columns=["row_id"]):
            hit = pc.starts_with(batch.column(0), key)  # an `equal` would make a scalar, and pyarrow import pandas
            numbers += [first + at for at in pc.indices_nonzero(hit).to_pylist()]
            first += len(batch)
    except (pa.ArrowException, OSError):
        raise build.damaged("lineage/rows.parquet") from None
    if not numbers:
        raise InputError("no row with this row_id", field=key, do="provkit query DIR 'FROM rows LIMIT 5' shows some")
    return numbers


def _way(build: _Build, number: int, builds: Mapping[str, _Build], depth: int) -> Way:
    row = build.row(build.lineage, "lineage/rows.parquet", number)
    parents = list(_parents(row.pop("parents"), builds, depth))
    out = next((out for out in build.manifest.data(row["arm"]) if out.split == row["split"]), None)
    if out is None:
        raise build.damaged("lineage/rows.parquet")
    return Way(build.manifest.build_id, row, build.row(build.open(out.file), out.file, row["index"]), parents)


def _parents(
    listed: Sequence[Mapping[str, Any]], builds: Mapping[str, _Build], depth: int
) -> Iterator[Way | dict[str, Any]]:
    for parent in listed:
        other = builds.get(parent["build_id"]) if depth else None
        if other is None:
            yield {name: value for name, value in parent.items() if value is not None}
        else:
            yield _way(other, _number(other, parent["arm"], parent["split"], parent["index"]), builds, depth - 1)
