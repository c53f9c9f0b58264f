"""Rows through sources, steps, arms and splits of a build: counts, and bands that narrow where rows are dropped."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from provkit.manifest import Manifest
from provkit.steps import Count

WIDTH = 300  # of a bar that stands for the most rows of the flow
COLUMN, BAND = 128.0, 64.0  # units between two stages, and of a band of the most rows
LEFT, TOP, NODE = 8.0, 40.0, 8.0  # free at the left and above a lane's band, and the width of a stage
GAP = 28.0  # between two splits: room for the name and the rows of the lower one
STUB, FALL = COLUMN / 3, 16.0  # how far a band of dropped or made rows goes, and how far down
LABEL = 16  # characters of a name in the picture

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Stage:
    """A step: its counts, and the widths of the bar's parts: rows that went on, of them made here, and dropped.

    Rows that are made are at most those that went out: what a step makes and drops itself counts as dropped.
    """

    step: str
    rows_in: int
    created: int
    dropped: int
    rows_out: int
    kept: float
    made: float
    lost: float


@dataclass(frozen=True, slots=True)
class Lane:
    """A source with the rows read, or an arm with the source that it takes, its stages, and its rows by split."""

    kind: str
    name: str
    source: str | None
    read: int
    read_width: float
    stages: list[Stage]
    splits: list[tuple[str, int, float]]


@dataclass(frozen=True, slots=True)
class Node:
    """A stage in the picture: a bar as high as its rows are many, and what stands above it."""

    x: float
    y: float
    height: float
    label: str
    rows: str


@dataclass(frozen=True, slots=True)
class Band:
    """A band from one bar to the next, or of dropped rows to below: an SVG path; `kind` is bar, made or drop."""

    kind: str
    path: str
    title: str


@dataclass(frozen=True, slots=True)
class Picture:
    """The whole flow, its size in units."""

    width: float
    height: float
    nodes: list[Node]
    bands: list[Band]


def lanes(found: Manifest) -> list[Lane]:
    """The sources of a build, then its arms."""
    read: Counter[str] = Counter()
    for one in found.inputs:
        read[one.source] += one.rows
    most = max([1, *read.values(), *(count.rows_out + count.dropped for count in found.counts)])
    scale = WIDTH / most

    def stages(counts: Iterable[Count]) -> list[Stage]:
        return [_stage(count, scale) for count in counts]

    made = [
        Lane("source", name, None, rows, rows * scale, stages(c for c in found.counts if c.source == name), [])
        for name, rows in read.items()
    ]
    after = {one.name: one.stages[-1].rows_out if one.stages else one.read for one in made}
    for arm, source in found.arms.items():
        own = stages(count for count in found.counts if count.arm == arm)
        splits = [(str(out.split), out.rows or 0, (out.rows or 0) * scale) for out in found.data(arm)]
        rows = after.get(source, 0)
        made.append(Lane("arm", arm, source, rows, rows * scale, own, splits))
    return made


def picture(listed: list[Lane]) -> Picture:
    """The lanes as bands from left to right: every source followed by its arms, one below the other."""
    nodes: list[Node] = []
    bands: list[Band] = []
    unit = BAND / max([1, *(stage.rows_in + stage.created for lane in listed for stage in lane.stages),
                       *(lane.read for lane in listed)])  # fmt: skip
    sources = [lane for lane in listed if lane.kind == "source"]
    forks = 1 + max((len(lane.stages) for lane in sources), default=0)
    high = TOP + BAND + NODE + GAP * max((len(lane.splits) for lane in listed), default=0)
    row, columns = 0, forks
    for source in sources:
        arms = [lane for lane in listed if lane.source == source.name]
        y = TOP + high * row
        end = _lane(source, LEFT, y, unit, nodes, bands)
        for number, arm in enumerate(arms):
            at = LEFT + COLUMN * forks
            taken = band((end.x + NODE, end.y), (at, TOP + high * (row + number)), arm.read * unit)
            bands.append(Band("bar", taken, f"{arm.name}: {arm.read:,} taken"))
            last = _lane(arm, at, TOP + high * (row + number), unit, nodes, bands)
            _splits(arm, last, unit, nodes, bands)
            columns = max(columns, forks + len(arm.stages) + 1)
        row += max(len(arms), 1)
    return Picture(LEFT + COLUMN * (columns + 1), TOP + high * row, nodes, bands)


def _stage(count: Count, scale: float) -> Stage:
    made = min(count.created, count.rows_out)
    kept, new, lost = (rows * scale for rows in (count.rows_out - made, made, count.dropped))
    return Stage(count.step, count.rows_in, count.created, count.dropped, count.rows_out, kept, new, lost)


def _node(x: float, y: float, rows: int, unit: float, label: str) -> Node:
    return Node(x, y, rows * unit, label if len(label) <= LABEL else f"{label[:LABEL]}…", f"{rows:,}")


def _lane(lane: Lane, x: float, y: float, unit: float, nodes: list[Node], bands: list[Band]) -> Node:
    """Draws a lane from x on; returns its last bar."""
    last = _node(x, y, lane.read, unit, lane.name)
    nodes.append(last)
    for stage in lane.stages:
        here = _node(last.x + COLUMN, y, stage.rows_out, unit, stage.step)
        right, made = last.x + NODE, min(stage.created, stage.rows_out)
        lost = stage.dropped - (stage.created - made)  # those of its own making never came in
        kept = (stage.rows_out - made) * unit
        shapes = (
            ("bar", stage.rows_out - made, (right, y), (here.x, y), "went on"),
            ("drop", lost, (right, y + kept), (right + STUB, y + kept + FALL), "dropped"),
            ("made", made, (here.x - STUB, y + kept + FALL), (here.x, y + kept), "made"),
        )
        for kind, rows, start, end, said in shapes:
            if rows > 0:
                bands.append(Band(kind, band(start, end, rows * unit), f"{stage.step}: {rows:,} {said}"))
        nodes.append(here)
        last = here
    return last


def _splits(arm: Lane, last: Node, unit: float, nodes: list[Node], bands: list[Band]) -> None:
    """Draws the splits of an arm behind its last bar, one below the other."""
    before = after = last.y
    for name, rows, _ in arm.splits:
        here = _node(last.x + COLUMN, after, rows, unit, name)
        nodes.append(here)
        bands.append(
            Band("bar", band((last.x + NODE, before), (here.x, after), here.height), f"split {name}: {rows:,}")
        )
        before += here.height
        after += here.height + GAP


def band(start: Point, end: Point, height: float) -> str:
    """The path of a band of one height, whose upper edge goes from one point to another and lies level in both."""
    (left, top), (right, low) = start, end
    middle = (left + right) / 2
    there = f"M{left:.2f} {top:.2f}C{middle:.2f} {top:.2f} {middle:.2f} {low:.2f} {right:.2f} {low:.2f}"
    top, low = top + height, low + height
    return f"{there}V{low:.2f}C{middle:.2f} {low:.2f} {middle:.2f} {top:.2f} {left:.2f} {top:.2f}Z"
