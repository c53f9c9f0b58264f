"""Runs steps over rows: per-row steps in parallel passes, whole-set steps on the set; counts every row."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from provkit.canonical import digest
from provkit.chance import Draws
from provkit.errors import FaultyBuilder, ProvkitError
from provkit.recipe import Step
from provkit.registry import kind_of
from provkit.row import Drop, Row
from provkit.table import (
    BATCH,
    INDEX,
    INPUT,
    LINE,
    OWN,
    ROW_ID,
    SIBLING,
    STEP,
    Input,
    Order,
    Parts,
    Rows,
    Selection,
    locator,
    read_parts,
)  # fmt: skip

SLICE = 4 * BATCH  # rows of one unit of work
POOL_FROM = 20_000  # rows below which starting processes costs more than it gains


@dataclass(frozen=True, slots=True)
class Labelled:
    """A step of a build: its label, its number in the build, the builder, and the digest of its parameters."""

    label: str
    number: int
    builder: Any
    params_digest: str


@dataclass(frozen=True, slots=True)
class Count:
    """What a step did to the number of rows: rows_in + created = rows_out + dropped.

    A step of the recipe's own `steps` has the source that it ran over, a later one the arm.
    """

    source: str | None
    arm: str | None
    step: str
    rows_in: int
    created: int
    rows_out: int
    dropped: int

    def plain(self) -> dict[str, Any]:
        """The same as plain data."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Dropped:
    """Candidates that one step left out: the columns reason and detail, and the lineage of each."""

    arm: str | None
    step: str
    rows: pa.Table


@dataclass(frozen=True, slots=True)
class Stage:
    """Where in a build a chain of steps runs: over a source, before the arms part, or in an arm."""

    source: str | None = None
    arm: str | None = None


@dataclass(frozen=True, slots=True)
class Workshop:
    """Where a build's steps run: a folder for their files, processes (None: this one), and who hears of progress."""

    folder: Path
    executor: Executor | None
    progress: Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class _Unit:
    table: pa.Table | None
    paths: tuple[Path, ...]
    order: Order | slice
    steps: tuple[Labelled, ...]
    inputs: tuple[Input, ...]
    seed: int
    folder: Path
    name: str


@dataclass(frozen=True, slots=True)
class _Done:
    paths: list[Path]
    kept: Order
    counts: list[list[int]]
    dropped: list[pa.Table]


def labelled(steps: Sequence[Step], first: int, before: Sequence[Labelled] = ()) -> list[Labelled]:
    """The steps with labels that are unique along a chain: `trigger`, then `trigger-2`."""
    done: list[Labelled] = []
    for number, step in enumerate(steps, first):
        same = sum(
            other.label.rpartition("-")[0] == step.name or other.label == step.name for other in [*before, *done]
        )
        label = step.name if not same else f"{step.name}-{same + 1}"
        done.append(Labelled(label, number, step.builder(), digest(step.params)))
    return done


def run_chain(
    rows: Rows, steps: Sequence[Labelled], stage: Stage, workshop: Workshop
) -> tuple[Rows, list[Count], list[Dropped]]:
    """The rows after these steps, with each step's counts and drops.

    Raises:
        FaultyBuilder: when a builder raises, or loses a row without a word.
        InputError: when a row has not the parts that a builder needs.
    """
    counts: list[Count] = []
    dropped: list[Dropped] = []
    at = 0
    while at < len(steps):
        end = at
        while end < len(steps) and kind_of(type(steps[end].builder)) == "row":
            end += 1
        if end > at:
            rows = _pass(rows, tuple(steps[at:end]), stage, workshop, counts, dropped)
            at = end
        else:
            rows = _whole(rows, steps[at], stage, workshop, counts, dropped)
            at += 1
    return rows, counts, dropped


def _whole(
    rows: Rows, step: Labelled, stage: Stage, workshop: Workshop, counts: list[Count], dropped: list[Dropped]
) -> Rows:
    workshop.progress(step.label, 0, len(rows))
    try:
        chosen: Selection = step.builder.select(rows.labelled(step.label))
    except ProvkitError:
        raise
    except Exception as error:
        raise FaultyBuilder(f"the step {step.label!r} failed: {type(error).__name__}: {error}") from error
    seen = np.sort(np.concatenate([chosen.order, chosen.dropped]))
    if len(seen) != len(rows) or (len(seen) and not np.array_equal(seen, np.arange(len(rows)))):
        said = f"the step {step.label!r} got {len(rows)} rows and accounts for {len(np.unique(seen))} of them once"
        raise FaultyBuilder(f"{said}; each row must stand in `order` or in `dropped`")
    counts.append(Count(stage.source, stage.arm, step.label, len(rows), 0, len(chosen.order), len(chosen.dropped)))
    if len(chosen.dropped):
        reasons = [Drop(chosen.reason, detail) for detail in chosen.details or [""] * len(chosen.dropped)]
        dropped.append(Dropped(stage.arm, step.label, drops_table(reasons, rows.lineage(chosen.dropped))))
    workshop.progress(step.label, len(rows), len(rows))
    return rows.take(chosen.order)


def _pass(
    rows: Rows,
    steps: tuple[Labelled, ...],
    stage: Stage,
    workshop: Workshop,
    counts: list[Count],
    dropped: list[Dropped],
) -> Rows:
    """One pass of consecutive per-row steps over all rows, in units that run in any order and are joined in order."""
    name = f"{stage.source or stage.arm}-{steps[0].number}"
    starts = range(0, len(rows), SLICE)
    whole = rows.order is None
    executor = workshop.executor if len(rows) >= POOL_FROM else None
    units = [
        _Unit(
            None if executor else rows.table,
            tuple(rows.paths),
            slice(start, min(start + SLICE, len(rows))) if whole else rows.order[start : start + SLICE],  # type: ignore[index]
            steps,
            tuple(rows.inputs),
            rows.draws[0],
            workshop.folder,
            f"{name}-{number:06}",
        )
        for number, start in enumerate(starts)
    ]
    label = " + ".join(step.label for step in steps)
    results: list[_Done] = []
    workshop.progress(label, 0, len(rows))
    for done in executor.map(_run, units) if executor else map(_run, units):
        results.append(done)
        workshop.progress(label, min(len(results) * SLICE, len(rows)), len(rows))
    for at, step in enumerate(steps):
        rows_in, created, out, lost = (sum(done.counts[at][i] for done in results) for i in range(4))
        counts.append(Count(stage.source, stage.arm, step.label, rows_in, created, out, lost))
        tables = [done.dropped[at] for done in results if len(done.dropped[at])]
        if tables:
            dropped.append(Dropped(stage.arm, step.label, pa.concat_tables(tables)))
    if not _changes(steps):
        kept = [done.kept + number * SLICE for number, done in enumerate(results)]
        return rows.take(np.concatenate(kept) if kept else np.empty(0, np.int64))
    paths = [path for done in results for path in done.paths]
    if not paths:
        return rows.take(np.empty(0, np.int64))
    return Rows(read_parts(paths), None, rows.inputs, rows.draws, paths)


def _changes(steps: Sequence[Labelled]) -> bool:
    return any(hasattr(step.builder, "apply") for step in steps)


def _run(unit: _Unit) -> _Done:
    """One unit of a pass: reads its rows, applies the steps, writes what came out."""
    table = unit.table if unit.table is not None else read_parts(unit.paths)
    part = table.slice(unit.order.start, unit.order.stop - unit.order.start) if isinstance(unit.order, slice) else table
    rows = Rows(part, None if isinstance(unit.order, slice) else unit.order, unit.inputs, (unit.seed, ""))
    draws = [[Draws(unit.seed, step.label, one.sha256) for one in unit.inputs] for step in unit.steps]
    writing = _changes(unit.steps)
    parts = Parts(unit.folder, unit.name)
    counts = [[0, 0, 0, 0] for _ in unit.steps]
    lost: list[list[pa.Table]] = [[] for _ in unit.steps]
    kept: list[Order] = []
    start = 0
    for batch in rows.batches():
        working = _Batch(batch, unit.inputs)
        for at, step in enumerate(unit.steps):
            counted, drops = working.run(step, draws[at])
            counts[at] = [a + b for a, b in zip(counts[at], counted, strict=True)]
            lost[at].append(drops)
        if writing and working.rows:
            parts.write(working.result(unit.steps))
        kept.append(np.array(working.origin, np.int64) + start)
        start += len(batch)
    joined = [pa.concat_tables(tables) if tables else drops_table([], rows.lineage()) for tables in lost]
    return _Done(parts.close(), np.concatenate(kept) if kept else np.empty(0, np.int64), counts, joined)


class _Batch:
    """The rows of one batch on their way through the steps, and which row of the batch each came from."""

    def __init__(self, batch: pa.Table, inputs: Sequence[Input]) -> None:
        content = [name for name in batch.column_names if not name.startswith(OWN)]
        self.lineage = batch.select([name for name in batch.column_names if name.startswith(OWN)])
        self.inputs = inputs
        self.rows: list[Any] = batch.select(content).to_pylist()
        self.origin = list(range(len(batch)))
        self.sibling: list[int] = self.lineage.column(SIBLING).to_pylist()
        self.notes: dict[int, list[str | None]] = {}
        self._input = self.lineage.column(INPUT).to_pylist()
        self._index = self.lineage.column(INDEX).to_pylist()

    def run(self, step: Labelled, draws: list[Draws]) -> tuple[list[int], pa.Table]:
        """Applies one step to all rows; its counts, and the drops with their lineage."""
        act = getattr(step.builder, "apply", None) or step.builder.check
        checks = not hasattr(step.builder, "apply")
        rows, origin, sibling, notes, drops, dropped = [], [], [], [], [], []
        taken: list[int] = []
        for at, content in enumerate(self.rows):
            source = self.origin[at]
            row = Row(content, (draws[self._input[source]], self._index[source], self.sibling[at]))
            try:
                answer = act(row)
            except Exception as error:
                said = f"{type(error).__name__}: {error}"
                raise FaultyBuilder(f"the step {step.label!r} failed on {self._where(source)}: {said}") from error
            if checks and answer is None:
                answer = row
            if type(answer) is Drop:
                drops.append(answer)
                dropped.append(source)
                continue
            several = answer if isinstance(answer, list | tuple) else (answer,)
            if not several or not all(type(one) is Row for one in several):
                said = f"the step {step.label!r} answered {self._where(source)} with {type(answer).__name__}"
                raise FaultyBuilder(f"{said}; return the row, new rows, or row.drop(reason)")
            for nth, one in enumerate(several):
                rows.append(one.content)
                origin.append(source)
                sibling.append(self.sibling[at] if not nth else _sibling(self.sibling[at], nth))
                notes.append(one.note)
                taken.append(at)
        counted = [len(self.rows), len(rows) - (len(self.rows) - len(drops)), len(rows), len(drops)]
        lineage = drops_table(drops, self.lineage.take(pa.array(dropped, pa.int64())))
        self.notes = {number: [old[at] for at in taken] for number, old in self.notes.items()}
        self.notes[step.number] = notes
        self.rows, self.origin, self.sibling = rows, origin, sibling
        return counted, lineage

    def result(self, steps: Sequence[Labelled]) -> pa.Table:
        """The rows as Arrow: content, lineage, and a column of notes for each step that changed any row."""
        names = dict.fromkeys(key for row in self.rows for key in row)
        columns: dict[str, Any] = {name: pa.array([row.get(name) for row in self.rows]) for name in names}
        lineage = self.lineage.take(pa.array(self.origin, pa.int64()))
        columns |= dict(zip(lineage.column_names, lineage.columns, strict=True))
        columns[SIBLING] = pa.array(self.sibling, pa.uint64())
        for step in steps:
            if any(note is not None for note in self.notes[step.number]):
                columns[f"{STEP}{step.number}"] = pa.array(self.notes[step.number], pa.string())
        return pa.table(columns)

    def _where(self, source: int) -> str:
        line = self.lineage.column(LINE)[source].as_py()
        return locator(self.inputs[self._input[source]], self._index[source], line)


def drops_table(drops: Sequence[Drop], lineage: pa.Table) -> pa.Table:
    """Drops beside the lineage columns of the rows that they concern; notes of earlier steps are left behind."""
    origin = lineage.select([INPUT, INDEX, LINE, ROW_ID])
    reasons = pa.array([drop.reason for drop in drops], pa.string())
    details = pa.array([drop.detail for drop in drops], pa.string())
    return origin.append_column("reason", reasons).append_column("detail", details)


def _sibling(parent: int, nth: int) -> int:
    """A number for the nth further row that a step made out of one; the first keeps its parent's, so that twins agree."""
    return int(digest([parent, nth])[:16], 16)
