"""Finds single rows of a build by row_id or by key, and the way back from each."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from provkit import manifest
from provkit.errors import InputError, plain

KEY = re.compile(r"(?P<arm>[a-z][a-z0-9_]*)/(?P<split>[a-z][a-z0-9_]*)/(?P<index>\d+)\Z")
ROW_ID = re.compile(r"[0-9a-f]{8,32}\Z")
MOST = 20  # rows of one row_id that are followed


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


def ways(folder: Path, key: str, others: Sequence[Path] = ()) -> list[Way]:
    """The ways back of the rows that `key` names: a row_id, eight or more of its digits, or arm/split/index.

    Args:
        folder: the build directory.
        key: which row.
        others: further builds, into which parents that are rows of theirs are followed.

    Raises:
        InputError: when there is no such row, or `key` has neither form.
    """
    builds = {one.build_id: (path, one) for path in (folder, *others) for one in [manifest.read(path)]}
    found = manifest.read(folder)
    opened = pq.ParquetFile(folder / "lineage/rows.parquet")
    numbers = _numbers(found, opened, key)
    return [_way(folder, found, opened, number, builds) for number in numbers[:MOST]]


def _numbers(found: manifest.Manifest, opened: pq.ParquetFile, key: str) -> list[int]:
    """Positions in lineage/rows.parquet, which holds the data files' rows one file after another."""
    if by_key := KEY.match(key):
        arm, split, index = by_key["arm"], by_key["split"], int(by_key["index"])
        first = 0
        for out in found.data():
            rows = out.rows or 0
            if (out.arm, out.split) == (arm, split):
                if index < rows:
                    return [first + index]
                raise InputError(f"{arm}/{split} has {rows} rows, 0 to {rows - 1}", field=key)
            first += rows
        there = ", ".join(f"{out.arm}/{out.split}" for out in found.data())
        raise InputError(f"no such arm and split; there are {there}", field=key)
    if not ROW_ID.match(key):
        raise InputError("neither a row_id (8 to 32 hex digits) nor arm/split/index", field=plain(key))
    ids = opened.read(columns=["row_id"]).column("row_id")
    hit = pc.equal(ids, key) if len(key) == 32 else pc.starts_with(ids, key)
    numbers = pc.indices_nonzero(hit).to_pylist()
    if not numbers:
        raise InputError("no row with this row_id", field=key, do="provkit query DIR 'FROM rows LIMIT 5' shows some")
    return [int(number) for number in numbers]


def _way(
    folder: Path,
    found: manifest.Manifest,
    opened: pq.ParquetFile,
    number: int,
    builds: dict[str, tuple[Path, manifest.Manifest]],
) -> Way:
    row = _row(opened, number)
    parents: list[Way | dict[str, Any]] = []
    for parent in row.pop("parents"):
        parent = {name: value for name, value in parent.items() if value is not None}
        other = builds.get(parent.get("build_id", ""))
        if other is None:
            parents.append(parent)
            continue
        at = pq.ParquetFile(other[0] / "lineage/rows.parquet")
        key = f"{parent['arm']}/{parent['split']}/{parent['index']}"
        parents.append(_way(*other, at, _numbers(other[1], at, key)[0], builds))
    out = next(out for out in found.data(row["arm"]) if out.split == row["split"])
    return Way(found.build_id, row, _row(pq.ParquetFile(folder / out.file), row["index"]), parents)


def _row(opened: pq.ParquetFile, number: int) -> dict[str, Any]:
    """One row of a Parquet file; only its row group is read."""
    for group in range(opened.num_row_groups):
        rows = opened.metadata.row_group(group).num_rows
        if number < rows:
            table: pa.Table = opened.read_row_group(group).slice(number, 1)
            return dict(table.to_pylist()[0])
        number -= rows
    raise InputError(f"row {number} is not in the file")
