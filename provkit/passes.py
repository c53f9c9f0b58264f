"""A pass of per-row steps over a slice of a set: one unit of work, in this process or another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from provkit.canonical import digest
from provkit.chance import Draws
from provkit.errors import FaultyBuilder, ProvkitError, plain
from provkit.row import Drop, NoSuchPart, Row
from provkit.sources.batches import RESERVED, plain_type
from provkit.steps import Labelled, drops_table
from provkit.table import (
    ALSO,
    FURTHER,
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
    locator,
    read_parts,
)

NO_COLUMN = (pa.ArrowException, OverflowError, ValueError, TypeError)  # what pa.array raises for values of no one type


@dataclass(frozen=True, slots=True)
class Unit:
    """What a unit works on: an open table or its files, the positions in it, and the steps."""

    rows: Rows | None
    paths: tuple[Path, ...]
    first: int
    order: Order | slice
    steps: tuple[Labelled, ...]
    inputs: tuple[Input, ...]
    seed: int
    folder: Path
    name: str


@dataclass(frozen=True, slots=True)
class Done:
    """What came of a unit: files, positions of rows that passed, and counts and drops by step."""

    paths: list[Path]
    kept: Order
    counts: list[list[int]]
    dropped: list[pa.Table]


def changes(steps: Sequence[Labelled]) -> bool:
    """Whether any of these steps may make new rows; otherwise all that pass are as they were."""
    return any(hasattr(step.builder, "apply") for step in steps)


def run_unit(unit: Unit) -> Done:
    """One unit of a pass: reads its rows, applies the steps, writes what came out."""
    table = unit.rows.table if unit.rows is not None else read_parts(unit.paths)
    part = table.slice(unit.order.start, unit.order.stop - unit.order.start) if isinstance(unit.order, slice) else table
    rows = Rows(part, None if isinstance(unit.order, slice) else unit.order, unit.inputs, (unit.seed, ""))
    draws = [[Draws(unit.seed, step.label, one.sha256) for one in unit.inputs] for step in unit.steps]
    writing = changes(unit.steps)
    parts = Parts(unit.folder, unit.name)
    counts = [[0, 0, 0, 0] for _ in unit.steps]
    lost: list[list[pa.Table]] = [[] for _ in unit.steps]
    kept: list[Order] = []
    start = 0
    for batch in rows.batches():
        working = _Batch(batch, unit.inputs, unit.first + start)
        for at, step in enumerate(unit.steps):
            counted, drops = working.run(step, draws[at])
            counts[at] = [a + b for a, b in zip(counts[at], counted, strict=True)]
            lost[at].append(drops)
        if writing and working.rows:
            parts.write(working.result(unit.steps, unit.rows))
        kept.append(np.array(working.origin, np.int64) + start)
        start += len(batch)
    joined = [pa.concat_tables(tables) if tables else drops_table([], rows.lineage()) for tables in lost]
    return Done(parts.close(), np.concatenate(kept) if kept else np.empty(0, np.int64), counts, joined)


class _Batch:
    """The rows of one batch on their way through the steps, and which row of the batch each came from."""

    def __init__(self, batch: pa.Table, inputs: Sequence[Input], first: int) -> None:
        self.first = first
        content = [name for name in batch.column_names if not name.startswith(OWN)]
        self.lineage = batch.select([name for name in batch.column_names if name.startswith(OWN)])
        self.inputs = inputs
        self.content = batch.select(content)
        self.rows: list[Any] = self.content.to_pylist()
        self._before = self.rows
        self.origin = list(range(len(batch)))
        self.sibling: list[int] = self.lineage.column(SIBLING).to_pylist()
        self.notes: dict[int, list[str | None]] = {}
        self.also: list[tuple[int, ...]] = [()] * len(batch)
        self._input = self.lineage.column(INPUT).to_pylist()
        self._index = self.lineage.column(INDEX).to_pylist()

    def run(self, step: Labelled, draws: list[Draws]) -> tuple[list[int], pa.Table]:
        """Applies one step to all rows; its counts, and the drops with their lineage."""
        act = getattr(step.builder, "apply", None) or step.builder.check
        checks = not hasattr(step.builder, "apply")
        rows, origin, sibling, notes, also, drops, dropped = [], [], [], [], [], [], []
        taken: list[int] = []
        for at, content in enumerate(self.rows):
            source = self.origin[at]
            row = Row(content, (draws[self._input[source]], self._index[source], self.sibling[at]), self.first + source)
            try:
                answer = act(row)
            except NoSuchPart as error:
                answer = Drop(f"no {error.part}", str(error))
            except ProvkitError:
                raise
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
                sibling.append(self.sibling[at] if not nth else _sibling(self.sibling[at], step.label, nth))
                notes.append(one.note)
                also.append(self.also[at] + one.also)
                taken.append(at)
        counted = [len(self.rows), len(rows) - (len(self.rows) - len(drops)), len(rows), len(drops)]
        lineage = drops_table(drops, self.lineage.take(pa.array(dropped, pa.int64())))
        self.notes = {number: [old[at] for at in taken] for number, old in self.notes.items()}
        self.notes[step.number] = notes
        self.rows, self.origin, self.sibling, self.also = rows, origin, sibling, also
        return counted, lineage

    def result(self, steps: Sequence[Labelled], whole: Rows | None) -> pa.Table:
        """The rows as Arrow: content, lineage, and a column of notes for each step that changed any row."""
        names = dict.fromkeys(key for row in self.rows for key in row)
        for name in (name for name in names if name in RESERVED or str(name).startswith(OWN)):
            at = next(at for at, row in enumerate(self.rows) if name in row)
            raise self._fault(steps, at, f"a column {name!r}, a name that provkit keeps for itself")
        columns: dict[str, Any] = {name: self._column(name, steps) for name in names}
        lineage = self.lineage.take(pa.array(self.origin, pa.int64()))
        columns |= dict(zip(lineage.column_names, lineage.columns, strict=True))
        columns[SIBLING] = pa.array(self.sibling, pa.uint64())
        if whole is not None and any(self.also):
            columns[ALSO] = self._further(lineage, whole)
        for step in steps:
            if any(note is not None for note in self.notes[step.number]):
                columns[f"{STEP}{step.number}"] = self._arrow(self.notes[step.number], "a note", steps, pa.string())
        return pa.table(columns)

    def _column(self, name: str, steps: Sequence[Labelled]) -> pa.Array | pa.ChunkedArray:
        """A content column; one that no step has touched is taken as it was, with its type."""
        values = [row.get(name) for row in self.rows]
        if name in self.content.column_names and all(
            value is self._before[source].get(name) for value, source in zip(values, self.origin, strict=True)
        ):
            return self.content.column(name).take(pa.array(self.origin, pa.int64()))
        return self._arrow(values, f"the column {name!r}", steps)

    def _arrow(
        self, values: list[Any], what: str, steps: Sequence[Labelled], kind: pa.DataType | None = None
    ) -> pa.Array:
        try:
            array = pa.array(values, kind)
        except NO_COLUMN as error:
            at = next(at for at in range(len(values)) if not _fits(values[: at + 1], kind))
            raise self._fault(steps, at, f"{what} cannot hold this: {plain(str(error))}") from error
        if plain_type(array.type) != array.type:
            at = next(at for at, value in enumerate(values) if value is not None)
            raise self._fault(steps, at, f"{what} is of type {array.type}, which JSON does not have")
        return array

    def _fault(self, steps: Sequence[Labelled], at: int, said: str) -> FaultyBuilder:
        """What is wrong with one of the rows made, laid to the last step that changed it."""
        changed = [step.label for step in steps if self.notes[step.number][at] is not None]
        label = changed[-1] if changed else steps[-1].label
        return FaultyBuilder(f"the step {label!r} answered {self._where(self.origin[at])}: {said}")

    def _further(self, lineage: pa.Table, whole: Rows) -> pa.Array:
        """Parents beside the first: the source rows of those rows of the set that went into each row too."""
        before = lineage.column(ALSO).to_pylist() if ALSO in lineage.column_names else [None] * len(self.also)
        positions = sorted({position for several in self.also for position in several})
        columns = [INPUT, INDEX, LINE, ROW_ID]
        found = whole.lineage(np.array(positions, np.int64), columns).rename_columns(FURTHER.names).to_pylist()
        known = dict(zip(positions, found, strict=True))
        listed = [(old or []) + [known[at] for at in several] for old, several in zip(before, self.also, strict=True)]
        return pa.array([several or None for several in listed], pa.list_(FURTHER))

    def _where(self, source: int) -> str:
        line = self.lineage.column(LINE)[source].as_py()
        return locator(self.inputs[self._input[source]], self._index[source], line)


def _sibling(parent: int, label: str, nth: int) -> int:
    """A number for the nth further row that a step made out of one; the first keeps its parent's: twins agree."""
    return int(digest([parent, label, nth])[:16], 16)


def _fits(values: list[Any], kind: pa.DataType | None) -> bool:
    try:
        pa.array(values, kind)
    except NO_COLUMN:
        return False
    return True
