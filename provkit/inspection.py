"""Whether the files of a build say the same: data beside lineage, lineage beside the inputs that the manifest names."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from provkit import lineage, parquet
from provkit.canary import InText
from provkit.canonical import row_id
from provkit.llm import record
from provkit.manifest import FILE, Manifest, Output
from provkit.row import Row
from provkit.sources import Origin
from provkit.sources.batches import RESERVED
from provkit.steps import labels

BATCH = 32_768
ROWS, DROPS = "lineage/rows.parquet", "lineage/drops.parquet"
LOCATORS = ("source", "sha256", "file", "revision", "build_id", "arm", "split")  # what names an input in a parent


@dataclass(frozen=True, slots=True)
class Finding:
    """Something in a build directory that is not as its manifest says."""

    file: str
    problem: str


def schemas(folder: Path, found: Manifest) -> Iterator[Finding]:
    """Files that are no Parquet, or have not the columns or the number of rows that they must have."""
    fixed = {ROWS: lineage.ROWS, DROPS: lineage.DROPS}
    if "teacher" in found.facts["recipe"]:
        fixed[record.FILE] = record.SCHEMA
    for out in (one for one in found.outputs if one.file.endswith(".parquet")):
        try:
            opened = parquet.opened(folder / out.file)
        except (pa.ArrowException, OSError):
            yield Finding(out.file, "no Parquet file")
            continue
        schema = opened.schema_arrow.remove_metadata()
        if out.arm is None and not schema.equals(fixed[out.file]):
            yield Finding(out.file, "its columns are not those of lineage")
        if out.arm is not None and (out.rows != opened.metadata.num_rows or "row_id" not in schema.names):
            yield Finding(out.file, f"{opened.metadata.num_rows} rows, the manifest says {out.rows}")
    for missing in fixed.keys() - {out.file for out in found.outputs}:
        yield Finding(missing, "missing")


def counts(folder: Path, found: Manifest) -> Iterator[Finding]:
    """Steps whose numbers of rows do not follow from one another, or not from the files."""
    sources = dict.fromkeys(found.sources, 0)
    for one in found.inputs:
        sources[one.source] += one.rows
    arms: dict[str, int] = {}
    for step in found.counts:
        if step.rows_in + step.created != step.rows_out + step.dropped:
            yield Finding(FILE, f"the counts of step {step.step} do not add up")
        if step.arm is not None:
            before = arms.get(step.arm, sources[found.arms[step.arm]])
            arms[step.arm] = step.rows_out
        else:
            before = sources[step.source or found.sources[0]]
            sources[step.source or found.sources[0]] = step.rows_out
        if before != step.rows_in:
            said = f"step {step.step} took in {step.rows_in} rows, the one before gave {before}"
            yield Finding(FILE, said)
    for key, expected in _expected(found).items():
        listed = [step.step for step in found.counts if (step.source, step.arm) == key]
        if listed != expected:
            said = f"the steps {', '.join(listed) or 'none'}, the recipe says {', '.join(expected) or 'none'}"
            yield Finding(FILE, f"{key[0] or key[1]} has {said}")
    for arm, source in found.arms.items():
        written = sum(out.rows or 0 for out in found.data(arm))
        if written != arms.get(arm, sources[source]):
            yield Finding(FILE, f"the arm {arm} has {written} rows, its last step gave another number")
    table = pq.read_table(folder / DROPS, columns=["arm", "step"])
    dropped = Counter(zip(*(table.column(name).to_pylist() for name in ("arm", "step")), strict=True))
    stated: Counter[tuple[str | None, str]] = Counter()
    for step in found.counts:
        stated[step.arm, step.step] += step.dropped
    if dropped != +stated:
        yield Finding(DROPS, "its rows are not those that the steps counted as dropped")


def rows(folder: Path, found: Manifest, canary: str | None) -> Iterator[Finding]:
    """The first row whose identity, key, pair, canary or parents are not what they must be."""
    stream = _Stream(parquet.opened(folder / ROWS))
    known = {tuple(getattr(one, name) for name in LOCATORS): one.rows for one in found.inputs}
    counted = {step.step for step in found.counts}
    for out in found.data():
        start = 0
        for batch in parquet.opened(folder / out.file).iter_batches(BATCH):
            traced = stream.take(len(batch))
            if problem := _compare(out, start, pa.Table.from_batches([batch]), traced, canary):
                yield Finding(out.file, problem)
                return
            if problem := _parents(traced.column("parents"), known) or _steps(traced.column("steps"), counted):
                yield Finding(ROWS, problem)
                return
            start += len(batch)
    if stream.left():
        yield Finding(ROWS, "more rows than the data has")
    drops = pq.read_table(folder / DROPS, columns=["parents"])
    if len(drops) and (problem := _parents(drops.column("parents"), known)):
        yield Finding(DROPS, problem)


def sources(folder: Path, found: Manifest, origins: Mapping[str, Origin], canary: str | None) -> Iterator[Finding]:
    """Rows that no step changed, compared with the inputs at hand.

    Args:
        folder: the build directory.
        found: its manifest.
        origins: inputs at hand by digest.
        canary: what every prompt ends in, None where the text has no canary.
    """
    taken = _taken(folder, found, 0 if canary is None else 1)
    for sha256, origin in origins.items():
        start, name = 0, origin.input.file or origin.input.source
        for chunk in origin.chunks():
            for schema, index, ids in taken.get(sha256, ()):
                some = slice(*np.searchsorted(index, [start, start + len(chunk.batch)]))
                read = _ids(chunk.batch.take(pa.array(index[some] - start)), schema, canary)
                odd = [at for at, one, other in zip(index[some], read, ids[some], strict=True) if one != other]
                if odd:
                    yield Finding(name, f"row {odd[0]} is not what the build took from it")
                    return
            start += len(chunk.batch)


def _expected(found: Manifest) -> dict[tuple[str | None, str | None], list[str]]:
    """The labels of the steps of each source that an arm takes, and of each arm, by (source, arm)."""
    recipe = found.facts["recipe"]
    shared = labels([step["name"] for step in recipe["steps"]])
    last = ["pair"] * recipe["pair"] + ["canary"] * (recipe["canary"] == "text" and recipe["sensitivity"] != "open")
    expected: dict[tuple[str | None, str | None], list[str]] = {}
    for arm, source in found.arms.items():
        own = labels([step["name"] for step in recipe["arms"][arm]["steps"]], shared)
        expected |= {(source, None): shared, (None, arm): [*own, *last]}
    return expected


def _compare(out: Output, start: int, data: pa.Table, traced: pa.Table, canary: str | None) -> str | None:
    """What is wrong with a batch of data beside its lineage."""
    content = data.select([name for name in data.column_names if name not in RESERVED])
    ids = [row_id(row) for row in content.to_pylist()]
    if ids != data.column("row_id").to_pylist():
        return "a row_id that does not fit its content"
    if traced.column("row_id").to_pylist() != ids:
        return f"{ROWS} names other rows"
    keys = zip(*(traced.column(name).to_pylist() for name in ("arm", "split", "index")), strict=True)
    if any(key != (out.arm, out.split, start + at) for at, key in enumerate(keys)):
        return f"{ROWS} has another arm, split or index here"
    if "pair_id" in data.column_names and data.column("pair_id").to_pylist() != traced.column("pair_id").to_pylist():
        return f"a pair_id that is not the one in {ROWS}"
    held = set(data.column("canary").to_pylist()) if "canary" in data.column_names else {None}
    return None if held == {canary} else "the canary is missing or not this build's"


def _parents(column: pa.ChunkedArray, known: Mapping[tuple[Any, ...], int]) -> str | None:
    if pc.min(pc.fill_null(pc.list_value_length(column), 0)).as_py() == 0:
        return "a row without a parent"
    flat = pc.list_flatten(column)
    named = pa.table({name: pc.struct_field(flat, name) for name in (*LOCATORS, "index")})
    extent = named.group_by(LOCATORS).aggregate([("index", "min"), ("index", "max")])
    for one in extent.to_pylist():
        size = known.get(tuple(one[name] for name in LOCATORS))
        if size is None:
            return f"a parent in an input that the manifest does not name: {one['file'] or one['source']}"
        if one["index_min"] is None or one["index_min"] < 0 or one["index_max"] >= size:
            return f"a parent beyond the end of its input: {one['file'] or one['source']}"
    return "a parent without an index" if named.column("index").null_count else None


def _steps(column: pa.ChunkedArray, counted: set[str]) -> str | None:
    odd = set(pc.unique(pc.struct_field(pc.list_flatten(column), "step")).to_pylist()) - counted
    return f"a step {min(map(str, odd))} that the manifest does not count" if odd else None


def _taken(
    folder: Path, found: Manifest, steps: int
) -> dict[str, list[tuple[pa.Schema, np.ndarray[Any, Any], list[str]]]]:
    """For each input, by data file, the rows that only `steps` steps touched: its schema, their index and row_id."""
    leaves = ["row_id", "parents.list.element.sha256", "parents.list.element.index", "steps.list.element.step"]
    table = parquet.opened(folder / ROWS).read(columns=leaves)
    taken = defaultdict(list)
    first = 0
    for out in found.data():
        mine = table.slice(first, out.rows)
        first += out.rows or 0
        alone = pc.equal(pc.list_value_length(mine.column("parents")), 1)
        mine = mine.filter(pc.and_(alone, pc.equal(pc.list_value_length(mine.column("steps")), steps)))
        parent = pc.list_flatten(mine.column("parents"))
        data = pq.read_schema(folder / out.file)
        schema = pa.schema([field for field in data if field.name not in RESERVED])
        for sha256 in pc.unique(pc.struct_field(parent, "sha256")).to_pylist():
            of_it = mine.filter(pc.equal(pc.struct_field(parent, "sha256"), sha256))
            index = pc.struct_field(pc.list_flatten(of_it.column("parents")), "index").to_numpy()
            order = np.argsort(index, kind="stable")
            ids = of_it.column("row_id").take(pa.array(order)).to_pylist()
            taken[sha256].append((schema, index[order], ids))
    return taken


def _ids(batch: pa.RecordBatch, schema: pa.Schema, canary: str | None) -> list[str | None]:
    """The row_ids that source rows have with the types of the file that they went into; None where they do not fit."""
    if not set(batch.schema.names) <= set(schema.names):
        return [None] * len(batch)
    try:
        contents = batch.to_pylist()
        if canary is not None:
            contents = [InText(canary).apply(Row(content)).content for content in contents]
        return [row_id(content) for content in pa.Table.from_pylist(contents, schema=schema).to_pylist()]
    except (pa.ArrowException, OverflowError, ValueError, TypeError):
        half = len(batch) // 2
        return [*_ids(batch[:half], schema, canary), *_ids(batch[half:], schema, canary)] if half else [None]


class _Stream:
    """The rows of a Parquet file, taken in pieces of any size."""

    def __init__(self, file: pq.ParquetFile) -> None:
        names = ["arm", "split", "index", "row_id", "pair_id", "parents", "steps"]
        self._batches = file.iter_batches(BATCH, columns=names)
        self._held = file.schema_arrow.empty_table().select(names)

    def take(self, size: int) -> pa.Table:
        """The next `size` rows, or as many as there are."""
        while len(self._held) < size and (batch := next(self._batches, None)) is not None:
            self._held = pa.concat_tables([self._held, pa.Table.from_batches([batch])])
        taken, self._held = self._held.slice(0, size).combine_chunks(), self._held.slice(size)
        return taken

    def left(self) -> bool:
        """Whether any row was not taken."""
        return len(self._held) > 0 or next(self._batches, None) is not None
