"""Runs steps over rows: per-row steps in parallel passes, whole-set steps on the set; counts every row."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pyarrow as pa

from provkit.errors import FaultyBuilder, InputError, ProvkitError, plain
from provkit.passes import Done, Unit, changes, run_unit
from provkit.registry import kind_of
from provkit.row import Drop, NoSuchPart
from provkit.steps import Count, Dropped, Labelled, Stage, Workshop, drops_table, labelled
from provkit.table import BATCH, STEP, Order, Parts, Rows, Selection, read_parts

__all__ = ["Chain", "Count", "Dropped", "Labelled", "Stage", "Workshop", "alike", "drops_table", "labelled"]

SLICE = BATCH  # rows of one unit of work: many, so that no process waits long for the last
POOL_FROM = 20_000  # rows below which starting processes costs more than it gains


@dataclass(slots=True)
class Chain:
    """The chains of one build: runs each, and gathers what its steps counted and left out."""

    workshop: Workshop
    counts: list[Count] = field(default_factory=list)
    dropped: list[Dropped] = field(default_factory=list)

    def arms(
        self, starts: Mapping[str, Rows], chains: Mapping[str, Sequence[Labelled]], sources: Mapping[str, Rows]
    ) -> dict[str, Rows]:
        """The rows of every arm after its steps, which `alike` has numbered: what two arms begin with runs once.

        The counts and drops of those steps stand in every arm that they belong to.
        """
        arms: dict[str, Rows] = {}
        done: dict[tuple[int, ...], tuple[Rows, list[Count], list[Dropped]]] = {}
        numbers = {name: [step.number for step in chain] for name, chain in chains.items()}
        for name, chain in chains.items():
            cut = max((_shared(numbers[name], other) for arm, other in numbers.items() if arm != name), default=0)
            first, stage = tuple(numbers[name][:cut]), Stage(arm=name)
            if first in done:
                rows, counts, dropped = done[first]
                self.counts += [replace(count, arm=name) for count in counts]
                self.dropped += [replace(drop, arm=name) for drop in dropped]
            else:
                before = len(self.counts), len(self.dropped)
                rows = self.run(starts[name], chain[:cut], stage, sources)
                if first:
                    done[first] = rows, self.counts[before[0] :], self.dropped[before[1] :]
            arms[name] = self.run(rows, chain[cut:], stage, sources)
        return arms

    def run(self, rows: Rows, steps: Sequence[Labelled], stage: Stage, sources: Mapping[str, Rows]) -> Rows:
        """The rows after these steps; `sources` are what a mixture may take from.

        Raises:
            FaultyBuilder: when a builder raises, or loses a row without a word.
            InputError: when a row has not the parts that a builder needs.
        """
        at = 0
        while at < len(steps):
            end = at
            while end < len(steps) and kind_of(type(steps[end].builder)) == "row":
                end += 1
            if end > at:
                rows = self._pass(rows, tuple(steps[at:end]), stage)
            else:
                rows, end = self._whole(rows, steps[at], stage, sources), at + 1
            at = end
        return rows

    def _whole(self, rows: Rows, step: Labelled, stage: Stage, sources: Mapping[str, Rows]) -> Rows:
        """A step that sees the whole set."""
        mine = rows.labelled(step.label)
        if any(hasattr(step.builder, name) for name in ("rewrite", "ask", "consult")):
            act = _guarded(step, lambda: self._act(mine, step))
            return self._pass(mine, (replace(step, builder=_Planned(act)),), stage)
        self.workshop.progress(step.label, 0, len(rows))
        created = 0
        if hasattr(step.builder, "mix"):
            others = sources[step.builder.of].labelled(step.label)
            created = len(others)
            answer = _guarded(step, lambda: step.builder.mix(mine, others))
        else:
            answer = _guarded(step, lambda: step.builder.select(mine))
        total = len(rows) + created
        chosen = _checked(step, answer, total)
        self.counts.append(
            Count(stage.source, stage.arm, step.label, len(rows), created, len(chosen.order), len(chosen.dropped))
        )
        if len(chosen.dropped):
            details = chosen.details or [""] * len(chosen.dropped)
            reasons = [chosen.reason] * len(details) if isinstance(chosen.reason, str) else chosen.reason
            drops = [Drop(reason, detail) for reason, detail in zip(reasons, details, strict=True)]
            own = chosen.dropped < len(rows)
            for some, origin, first in (
                (own, rows, 0),
                (~own, sources.get(getattr(step.builder, "of", "")), len(rows)),
            ):
                if some.any() and origin is not None:
                    listed = [drop for drop, one in zip(drops, some.tolist(), strict=True) if one]
                    lineage = origin.lineage(chosen.dropped[some] - first)
                    self.dropped.append(Dropped(stage.arm, step.label, drops_table(listed, lineage)))
        self.workshop.progress(step.label, total, total)
        if not created:
            return rows.take(chosen.order)
        return self._mixed(rows, sources[step.builder.of], step, chosen.order, stage)

    def _act(self, rows: Rows, step: Labelled) -> Callable[[Any], Any]:
        """What a step answers row by row, after it has looked at the set."""
        if hasattr(step.builder, "ask"):
            return self._ask(rows, step)
        if hasattr(step.builder, "consult"):
            index = self.workshop.indices[step.builder.index].opened()
            act: Callable[[Any], Any] = step.builder.consult(rows, index)
        else:
            act = step.builder.rewrite(rows)
        return act

    def _ask(self, rows: Rows, step: Labelled) -> Callable[[Any], Any]:
        """What a step answers that asks a model."""
        teacher = self.workshop.teacher
        if teacher is None:
            do = "name one with --llm URL --model NAME, or rebuild from recorded answers with --replay DIR"
            raise InputError("it asks a language model", field=step.label, do=do)
        teacher.progress = lambda done, total: self.workshop.progress(step.label, done, total)
        act: Callable[[Any], Any] = step.builder.ask(rows, teacher)
        return act

    def _mixed(self, rows: Rows, others: Rows, step: Labelled, order: Order, stage: Stage) -> Rows:
        """Rows of two sets in one order; those of the other set carry the step's note."""
        foreign = order >= len(rows)
        name = f"{stage.source or stage.arm}-{step.number}-mixed"
        parts = Parts(self.workshop.folder, name)
        for batch in others.take(order[foreign] - len(rows)).batches():
            note = pa.repeat(pa.scalar(f"from {step.builder.of}"), len(batch))
            parts.write(batch.append_column(f"{STEP}{step.number}", note))
        paths = [*rows.paths, *parts.close()]
        place = np.empty(len(order), np.int64)
        place[~foreign] = order[~foreign] if rows.order is None else rows.order[order[~foreign]]
        place[foreign] = len(rows.table) + np.arange(int(foreign.sum()))
        return Rows(read_parts(paths), place, rows.inputs, rows.draws, paths)

    def _pass(self, rows: Rows, steps: tuple[Labelled, ...], stage: Stage) -> Rows:
        """One pass of consecutive per-row steps, in units that run in any order and are joined in order."""
        workshop = self.workshop
        planned = any(isinstance(step.builder, _Planned) for step in steps)
        executor = workshop.executor if len(rows) >= POOL_FROM and not planned else None
        label = " + ".join(step.label for step in steps)
        units = [
            Unit(
                None if executor else rows,
                tuple(rows.paths),
                start,
                self._places(rows, start),
                steps,
                tuple(rows.inputs),
                rows.draws[0],
                workshop.folder,
                f"{stage.source or stage.arm}-{steps[0].number}-{number:06}",
            )
            for number, start in enumerate(range(0, len(rows), SLICE))
        ]
        results: list[Done] = []
        workshop.progress(label, 0, len(rows))
        for done in executor.map(run_unit, units) if executor else map(run_unit, units):
            results.append(done)
            workshop.progress(label, min(len(results) * SLICE, len(rows)), len(rows))
        for at, step in enumerate(steps):
            rows_in, created, out, lost = (sum(done.counts[at][i] for done in results) for i in range(4))
            self.counts.append(Count(stage.source, stage.arm, step.label, rows_in, created, out, lost))
            tables = [done.dropped[at] for done in results if len(done.dropped[at])]
            if tables:
                self.dropped.append(Dropped(stage.arm, step.label, pa.concat_tables(tables)))
        paths = [path for done in results for path in done.paths]
        if changes(steps) and paths:
            try:
                return Rows(read_parts(paths), None, rows.inputs, rows.draws, paths)
            except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
                said = f"the step {label!r} gave a column values of two types: {plain(str(error))}"
                raise FaultyBuilder(said) from None
        kept = [done.kept + number * SLICE for number, done in enumerate(results)]
        return rows.take(np.concatenate(kept) if kept and not changes(steps) else np.empty(0, np.int64))

    def _places(self, rows: Rows, start: int) -> Order | slice:
        end = min(start + SLICE, len(rows))
        return slice(start, end) if rows.order is None else rows.order[start:end]


def alike(steps: Sequence[Labelled], earlier: Iterable[Sequence[Labelled]]) -> list[Labelled]:
    """The steps of an arm; those that it begins with as an earlier arm of its source does are that arm's own.

    They do the same to the same rows: chance follows from the label, not from the arm.
    """
    kept: list[Labelled] = []
    for other in earlier:
        same = [_identity(one) == _identity(two) for one, two in zip(steps, other, strict=False)]
        length = next((at for at, equal in enumerate(same) if not equal), len(same))
        kept = list(other[:length]) if length > len(kept) else kept
    return [*kept, *steps[len(kept) :]]


def _identity(step: Labelled) -> tuple[str, type, str]:
    return step.label, type(step.builder), step.params_digest


def _shared(one: Sequence[int], other: Sequence[int]) -> int:
    """How many numbers two lists begin with alike."""
    differing = (at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b)
    return next(differing, min(len(one), len(other)))


@dataclass(frozen=True, slots=True)
class _Planned:
    """The per-row part of a step that has looked at the whole set."""

    apply: Callable[[Any], Any]


def _guarded(step: Labelled, work: Callable[[], Any]) -> Any:
    try:
        return work()
    except ProvkitError:
        raise
    except NoSuchPart as error:
        do = f"leave out the rows without {'an' if error.part == 'answer' else 'a'} {error.part}: it needs one of each"
        raise InputError(str(error), field=step.label, do=do) from None
    except Exception as error:
        raise FaultyBuilder(f"the step {step.label!r} failed: {type(error).__name__}: {error}") from error


def _checked(step: Labelled, chosen: Any, total: int) -> Selection:
    """A selection that accounts for every position once.

    Raises:
        FaultyBuilder: when it does not.
    """
    if not isinstance(chosen, Selection):
        raise FaultyBuilder(f"the step {step.label!r} answered with {type(chosen).__name__}; a Selection is expected")
    order, dropped = np.asarray(chosen.order), np.asarray(chosen.dropped)
    if any(one.size and one.dtype.kind not in "iu" for one in (order, dropped)):
        raise FaultyBuilder(f"the step {step.label!r} answered with positions that are no integers")
    if len(chosen.details) not in (0, len(dropped)):
        raise FaultyBuilder(f"the step {step.label!r} drops {len(dropped)} rows with {len(chosen.details)} details")
    if not isinstance(chosen.reason, str) and len(chosen.reason) != len(dropped):
        raise FaultyBuilder(f"the step {step.label!r} drops {len(dropped)} rows with {len(chosen.reason)} reasons")
    order, dropped = order.astype(np.int64), dropped.astype(np.int64)
    seen = np.sort(np.concatenate([order, dropped]))
    if len(seen) != total or (total and not np.array_equal(seen, np.arange(total))):
        said = f"the step {step.label!r} got {total} rows and accounts for {len(np.unique(seen))} of them once"
        raise FaultyBuilder(f"{said}; each row must stand in `order` or in `dropped`")
    return replace(chosen, order=order, dropped=dropped)
