"""Runs a recipe: reads its sources, runs its steps, and writes the build directory whole or not at all."""

from __future__ import annotations

import multiprocessing
import os
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from provkit import card, lineage, manifest
from provkit.arrange import pair, pair_ids, split
from provkit.canary import canary_of, canary_steps
from provkit.canonical import digest_file
from provkit.chain import Chain, Count, Labelled, Stage, Workshop, labelled
from provkit.errors import InputError, ProvkitError, plain
from provkit.manifest import Output
from provkit.recipe import Recipe, Source
from provkit.sources import (
    BuildOrigin,
    Bytes,
    FileOrigin,
    GeneratorOrigin,
    HubOrigin,
    Origin,
    SourceRows,
    expand,
    spool,
)
from provkit.table import OWN, Input, Rows
from provkit.target import clear, writing

GROUP = 8192  # rows that are written at a time, and of a row group of lineage: what a look-up of one row reads
GROUP_BYTES = 4 << 20  # of a row group of data
DATA = {"compression": "zstd", "compression_level": 3}

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """A recipe with its inputs opened: what a build would do, before it does it."""

    recipe: Recipe
    resolved: dict[str, Any]
    origins: dict[str, list[Origin]]
    versions: dict[str, str]
    build_id: str
    limit: int | None

    @property
    def inputs(self) -> list[Input]:
        """Everything that rows are read from."""
        return [origin.input for origins in self.origins.values() for origin in origins]

    @property
    def canary(self) -> str | None:
        """The canary that the rows carry; None on an open set."""
        return canary_of(self.recipe.sensitivity, self.build_id)


@dataclass(frozen=True, slots=True)
class Built:
    """A finished build: where it stands, its rows by arm and split, and what each step did."""

    path: Path
    build_id: str
    sizes: dict[str, dict[str, int]]
    counts: list[Count]
    fresh: bool


def plan(recipe: Recipe, base: Path, limit: int | None = None) -> Plan:
    """Opens and digests the inputs of a recipe; nothing is written.

    Args:
        recipe: what to build; no input may be unbound.
        base: the folder that its relative paths start from.
        limit: at most so many rows of each source.

    Raises:
        InputError: when an input is unbound, missing or unreadable.
    """
    if recipe.unbound:
        name = recipe.unbound[0]
        said = f"the input {name!r} is not bound: {recipe.sources[name].input}"
        raise InputError(said, do=f"bind it with --set {name}=PATH")
    origins = {name: _origins(name, source, recipe, base) for name, source in recipe.sources.items()}
    inputs = [origin.input for several in origins.values() for origin in several]
    resolved, versions = manifest.resolved(recipe, inputs, limit), manifest.versions_of(recipe)
    return Plan(recipe, resolved, origins, versions, manifest.build_id(resolved, inputs, versions), limit)


def build(
    planned: Plan, out: Path, workers: int = 1, fresh: bool = False, progress: Progress = lambda *_: None
) -> Built:
    """Builds into `out`; a build of the same identity that stands there undamaged is left as it is.

    Args:
        planned: the recipe and its inputs.
        out: the build directory, which is replaced when it holds an older build.
        workers: processes for per-row steps.
        fresh: build even where the same build stands already.
        progress: called with a step's name, rows done, and rows in all.

    Raises:
        InputError: for what is wrong in a source.
        FaultyBuilder: for a builder that fails.
        ProvkitError: when `out` cannot be written; nothing half-made stays.
    """
    if not fresh and (there := _standing(out, planned.build_id)):
        clear(out)
        return there
    with writing(out, manifest.stranger) as folder, _pool(workers) as executor:
        scratch = Path(tempfile.mkdtemp(prefix="scratch-", dir=folder))  # no name that a killed build's worker may know
        try:
            return _build(planned, out, folder, Workshop(scratch, executor, progress))
        except BrokenProcessPool:
            said = "a worker process died (out of memory?)"
            raise ProvkitError(f"{said}\n  try fewer --workers; nothing was changed") from None


def _build(planned: Plan, out: Path, folder: Path, workshop: Workshop) -> Built:
    recipe = planned.recipe
    old, before = _replaced(out)
    sources, inputs = _read(planned, workshop)
    chain = Chain(workshop)
    shared = labelled(recipe.steps, 0)
    for name in recipe.used_sources:
        sources[name] = chain.run(sources[name], shared, Stage(source=name), sources)
    arms: dict[str, Rows] = {}
    steps: dict[str, list[Labelled]] = {}
    number = len(shared)
    for name, arm in recipe.arms.items():
        own = labelled(arm.steps, number, shared)
        number += len(own)
        arms[name] = chain.run(sources[recipe.source_of(name)], own, Stage(arm=name), sources)
        steps[name] = [*shared, *own]
    counts, dropped = chain.counts, chain.dropped
    if recipe.pair:
        arms, counted, left_out = pair(arms)
        counts += counted
        dropped += left_out
    for name in arms:  # before the split, which it cannot move: prompts that were one or two stay so
        last = canary_steps(recipe, planned.canary, number)
        arms[name] = chain.run(arms[name], last, Stage(arm=name), sources)
        steps[name] += last
    parted = split(arms, recipe.splits.shares, recipe.splits.by, recipe.pair)
    outputs = _write_rows(planned, folder, parted, steps, inputs, workshop.progress)
    table = lineage.drops(dropped, inputs)
    path = folder / "lineage" / "drops.parquet"
    pq.write_table(table, path, **DATA)
    outputs += [_output(folder, "lineage/rows.parquet"), _output(folder, "lineage/drops.parquet")]
    sizes = {arm: {name: len(rows) for name, rows in splits.items()} for arm, splits in parted.items()}
    columns = list(dict.fromkeys(name for rows in arms.values() for name in rows.columns))
    keys = zip(*(table.column(name).to_pylist() for name in ("arm", "step", "reason")), strict=True)
    reasons = Counter((arm or "", step, why) for arm, step, why in keys)
    made = card.compute(planned.resolved, planned.build_id, inputs, sizes, columns, counts, reasons, planned.canary)
    if old is not None:
        made = replace(made, own_yaml=old.own_yaml, before=old.before, after=old.after)
    (folder / card.FILE).write_bytes(made.text().encode())
    manifest.write(
        folder, planned.resolved, inputs, planned.versions, planned.build_id, counts, outputs, made.digest, before
    )
    for part in workshop.folder.iterdir():
        part.unlink()
    workshop.folder.rmdir()
    return Built(out, planned.build_id, sizes, counts, True)


def _read(planned: Plan, workshop: Workshop) -> tuple[dict[str, Rows], list[Input]]:
    """Every source on disk, and all inputs with the number of rows that were read."""
    read: dict[str, SourceRows] = {}
    inputs: list[Input] = []
    for name, origins in planned.origins.items():
        workshop.progress(f"read {name}", 0, 0)
        found = spool(origins, len(inputs), planned.limit, workshop.folder, f"source-{name}")
        inputs += found.inputs
        read[name] = found
        workshop.progress(f"read {name}", len(found.table), len(found.table))
    seed = planned.recipe.seed
    return {name: Rows(one.table, None, inputs, (seed, ""), one.paths) for name, one in read.items()}, inputs


def _write_rows(
    planned: Plan,
    folder: Path,
    parted: Mapping[str, Mapping[str, Rows]],
    steps: Mapping[str, list[Labelled]],
    inputs: list[Input],
    progress: Progress,
) -> list[Output]:
    """data/ARM/SPLIT-00000-of-00001.parquet for each arm and split, and lineage/rows.parquet."""
    recipe = planned.recipe
    (folder / "lineage").mkdir()
    outputs = []
    total = sum(len(rows) for splits in parted.values() for rows in splits.values())
    done = 0
    with pq.ParquetWriter(folder / "lineage" / "rows.parquet", lineage.ROWS, **lineage.STORED) as traced:
        for arm, splits in parted.items():
            control = not recipe.arms[arm].steps and any(other.steps for other in recipe.arms.values())
            for name, rows in splits.items():
                if not len(rows):
                    continue
                file = f"data/{arm}/{name}-00000-of-00001.parquet"
                (folder / file).parent.mkdir(parents=True, exist_ok=True)
                part = lineage.Part(arm, name, steps[arm], recipe.seed, recipe.licence, control)
                ids = [row_id.hex() for row_id in rows.digests("row").astype(">u8").view("V16").ravel().tolist()]
                pairs = pair_ids(rows) if recipe.pair else None
                with pq.ParquetWriter(folder / file, _schema(rows, pairs, planned.canary), **DATA) as data:
                    for first, batch in zip(range(0, len(rows), GROUP), rows.batches(size=GROUP), strict=True):
                        own = (ids[first : first + GROUP], None if pairs is None else pairs[first : first + GROUP])
                        content = _content(batch, *own, planned.canary, data.schema)
                        data.write_table(content, max(1, GROUP_BYTES * len(batch) // (content.nbytes + 1)))
                        traced.write_table(lineage.rows_table(part, first, batch, *own, inputs))
                        done += len(batch)
                        progress("write", done, total)
                outputs.append(replace(_output(folder, file), arm=arm, split=name, rows=len(rows)))
    return outputs


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


def _origins(name: str, source: Source, recipe: Recipe, base: Path) -> list[Origin]:
    if source.generator is not None:
        step = source.generator
        assert source.rows is not None
        return [GeneratorOrigin.open(name, step.name, step.builder(), step.params, source.rows, recipe.seed)]
    if source.hub is not None:
        one = (source.revision, source.config, source.split or "train", source.licence)
        return [HubOrigin.open(name, source.hub, *one)]
    origins: list[Origin] = []
    for pattern in source.patterns:
        folder = base / pattern
        if (folder / manifest.FILE).is_file():
            origins += BuildOrigin.open_all(name, folder, source.arm, source.split, source.licence)
            continue
        if folder.is_dir():
            do = "name its files, for example with --set " + f"{name}='{pattern}/*.jsonl'"
            raise InputError("a folder that is no build directory", file=pattern, do=do)
        files: list[Bytes] = expand(pattern, base)
        origins += [FileOrigin.open(name, file, source.format, source.fill, source.licence) for file in files]
    return origins


def _standing(out: Path, identity: str) -> Built | None:
    """The build that stands at `out`, when it is the one asked for and every file of it is whole."""
    try:
        found = manifest.read(out)
        whole = found.build_id == identity and card.read(out).digest == found.facts["card"]
    except InputError:
        return None
    for one in found.outputs:
        path = out / one.file
        whole = whole and path.is_file() and digest_file(path) == (one.sha256, one.size)
    if not whole:
        return None
    sizes: dict[str, dict[str, int]] = {}
    for one in found.data():
        sizes.setdefault(one.arm or "", {})[one.split or ""] = one.rows or 0
    return Built(out, identity, sizes, found.counts, False)


def _replaced(out: Path) -> tuple[card.Card | None, str | None]:
    """The card of the build that is to be replaced, and the digest of its manifest; None for what is not there.

    Raises:
        InputError: when its card cannot be read, so that what a person wrote into it would be lost.
    """
    old = card.read(out) if (out / card.FILE).exists() else None
    try:
        return old, manifest.read(out).digest
    except InputError:
        return old, None


def _output(folder: Path, file: str) -> Output:
    sha256, size = digest_file(folder / file)
    return Output(file, sha256, size)


@contextmanager
def _pool(workers: int) -> Iterator[Executor | None]:
    """Processes for the per-row steps (they start when the first work comes); none where one is asked for."""
    if workers <= 1:
        yield None
        return
    with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), _leave_with_parent) as pool:
        yield pool


def _leave_with_parent() -> None:
    """Ends a worker when the build that started it is killed; it would wait for work for ever."""
    parent = multiprocessing.parent_process()
    assert parent is not None

    def wait() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()
