"""What a step of a build is, where it runs, and what it did to the number of rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from provkit.canonical import digest
from provkit.recipe import Step
from provkit.row import Drop
from provkit.table import INDEX, INPUT, LINE, ROW_ID

if TYPE_CHECKING:
    from provkit.llm import Teacher
    from provkit.sources import IndexOrigin


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
    """Where a build's steps run: a folder for their files, processes (None: this one), who hears of it, whom to ask.

    `indices` are what steps may search, by the names of their sources.
    """

    folder: Path
    executor: Executor | None
    progress: Callable[[str, int, int], None]
    teacher: Teacher | None = None
    indices: Mapping[str, IndexOrigin] = field(default_factory=dict)


def labelled(steps: Sequence[Step], first: int, before: Sequence[Labelled] = ()) -> list[Labelled]:
    """The steps with labels that are unique along a chain: `trigger`, then `trigger-2`."""
    found = labels([step.name for step in steps], [other.label for other in before])
    return [
        Labelled(label, number, step.builder(), digest(step.params))
        for number, (label, step) in enumerate(zip(found, steps, strict=True), first)
    ]


def labels(names: Sequence[str], before: Sequence[str] = ()) -> list[str]:
    """A label for each step of these names, none of which stands before it in the chain."""
    done: list[str] = []
    for name in names:
        taken = {*before, *done}
        further = (f"{name}-{number}" for number in range(2, len(taken) + 3))
        done.append(name if name not in taken else next(one for one in further if one not in taken))
    return done


def drops_table(drops: Sequence[Drop], lineage: pa.Table) -> pa.Table:
    """Drops beside the lineage columns of the rows that they concern; notes of earlier steps are left behind."""
    origin = lineage.select([INPUT, INDEX, LINE, ROW_ID])
    reasons = pa.array([drop.reason for drop in drops], pa.string())
    details = pa.array([drop.detail for drop in drops], pa.string())
    return origin.append_column("reason", reasons).append_column("detail", details)
