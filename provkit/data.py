"""The data files of a build and the lineage of their rows, as they are written."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from provkit import lineage
from provkit.arrange import pair_ids
from provkit.canonical import digest_file
from provkit.errors import InputError, plain
from provkit.manifest import Output
from provkit.recipe import Recipe
from provkit.steps import Dropped, Labelled
from provkit.table import OWN, Input, Rows

GROUP = 8192  # rows that are written at a time, and of a row group of lineage: what a look-up of one row reads
GROUP_BYTES = 4 << 20  # of a row group of data
STORED = {"compression": "zstd", "compression_level": 3}


def write_rows(
    folder: Path,
    recipe: Recipe,
    parted: Mapping[str, Mapping[str, Rows]],
    steps: Mapping[str, list[Labelled]],
    inputs: list[Input],
    canary: str | None,
    progress: Callable[[str, int, int], None],
) -> list[Output]:
    """data/ARM/SPLIT-00000-of-00001.parquet for each arm and split, and lineage/rows.parquet.

    Args:
        folder: the build directory.
        recipe: what is built.
        parted: the rows by arm and split; a split without rows gets no file.
        steps: the steps that the rows of each arm went through.
        inputs: what the rows were read from.
        canary: the canary that the rows carry; None on an open set.
        progress: called with "write", rows done, and rows in all.

    Raises:
        InputError: for a column that Parquet has no type for.
    """
    (folder / "lineage").mkdir()
    outputs = []
    total = sum(len(rows) for splits in parted.values() for rows in splits.values())
    done = 0
    with pq.ParquetWriter(folder / "lineage" / "rows.parquet", lineage.ROWS, **lineage.STORED) as traced:
        for arm, splits in parted.items():
            for name, rows in splits.items():
                if not len(rows):
                    continue
                file = f"data/{arm}/{name}-00000-of-00001.parquet"
                (folder / file).parent.mkdir(parents=True, exist_ok=True)
                part = lineage.Part(arm, name, steps[arm], recipe.seed, recipe.licence, recipe.is_control(arm))
                ids = _row_ids(rows)
                pairs = pair_ids(rows) if recipe.pair else None
                with pq.ParquetWriter(folder / file, _schema(rows, pairs, canary), **STORED) as data:
                    for first, batch in zip(range(0, len(rows), GROUP), rows.batches(size=GROUP), strict=True):
                        own = (ids[first : first + GROUP], None if pairs is None else pairs[first : first + GROUP])
                        content = _content(batch, *own, canary, data.schema)
                        data.write_table(content, max(1, GROUP_BYTES * len(batch) // (content.nbytes + 1)))
                        traced.write_table(lineage.rows_table(part, first, batch, *own, inputs))
                        done += len(batch)
                        progress("write", done, total)
                outputs.append(replace(output(folder, file), arm=arm, split=name, rows=len(rows)))
    return [*outputs, output(folder, "lineage/rows.parquet")]


def write_drops(folder: Path, dropped: Sequence[Dropped], inputs: list[Input]) -> tuple[Output, pa.Table]:
    """lineage/drops.parquet, and the same as a table."""
    file = "lineage/drops.parquet"
    table = lineage.drops(dropped, inputs)
    pq.write_table(table, folder / file, **STORED)
    return output(folder, file), table


def output(folder: Path, file: str) -> Output:
    """A finished file of a build with its digest."""
    return Output(file, *digest_file(folder / file))


def _row_ids(rows: Rows) -> list[str]:
    """32 hex digits a row, out of its content."""
    return [row_id.hex() for row_id in rows.digests("row").astype(">u8").view("V16").ravel().tolist()]


def _schema(rows: Rows, pairs: list[str] | None, canary: str | None) -> pa.Schema:
    fields = [field for field in rows.table.schema if not field.name.startswith(OWN)]
    if hollow := next((field.name for field in fields if _hollow(field.type)), None):
        do = "give it a key, or write the objects as text"
        raise InputError("objects without any key, for which Parquet has no type", field=plain(hollow), do=do)
    own = ["row_id", *(["pair_id"] if pairs is not None else []), *(["canary"] if canary else [])]
    return pa.schema([*fields, *(pa.field(name, pa.string()) for name in own)])


def _hollow(kind: pa.DataType) -> bool:
    if pa.types.is_list(kind):
        return _hollow(kind.value_type)
    fields = [kind.field(at) for at in range(kind.num_fields)] if pa.types.is_struct(kind) else []
    return pa.types.is_struct(kind) and (not fields or any(_hollow(field.type) for field in fields))


def _content(
    batch: pa.Table, ids: list[str], pairs: list[str] | None, canary: str | None, schema: pa.Schema
) -> pa.Table:
    columns = {name: batch.column(name) for name in batch.column_names if not name.startswith(OWN)}
    columns["row_id"] = pa.array(ids, pa.string())
    if pairs is not None:
        columns["pair_id"] = pa.array(pairs, pa.string())
    if canary:
        columns["canary"] = pa.repeat(pa.scalar(canary), len(batch))
    return pa.table(columns, schema=schema)
