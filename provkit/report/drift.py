"""The page of verdicts: how far each rubric variant drifts from the seed, with intervals, by category; what flipped."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from typing import Any

from provkit import inference
from provkit.report.intervals import Axis, Interval, axis
from provkit.report.page import Asked, Page
from provkit.rubrics import directory
from provkit.rubrics.contrasts import OUTCOMES
from provkit.rubrics.drift import OnSet, Report, Variant, drift

BENCH, TARGET = "bench", "target"  # sets of these names are taken for what they are called


@dataclass(frozen=True, slots=True)
class OfSet:
    """A rubric on one set of pairs: its accuracy with Wilson's interval, and shares beside it."""

    accuracy: Interval
    pairs: int
    ties: float | None
    unparsed: float | None
    consistent: float | None


@dataclass(frozen=True, slots=True)
class Category:
    """Drift on the target pairs of one category."""

    name: str
    pairs: int
    seed: float
    variant: float
    drift: Interval


@dataclass(frozen=True, slots=True)
class Line:
    """A variant: its drift with the paired and the Holm-adjusted interval, and what goes with them."""

    name: str
    bench: OfSet
    target: OfSet
    drift: Interval
    adjusted: Interval | None
    drifted: bool
    compliant: bool | None
    kappa: float | None
    flips: float | None
    mcnemar: float
    lost: int
    gained: int
    matrix: list[tuple[str, list[int]]]
    categories: list[Category]


@dataclass(frozen=True, slots=True)
class Content:
    """What the template lays out; `by_category` says whether any variant has categories."""

    seed: str
    bench: str
    target: str
    confidence: str
    outcomes: list[str]
    seed_bench: OfSet
    seed_target: OfSet
    lines: list[Line]
    drifts: Axis
    accuracies: Axis
    categories: Axis
    by_category: bool


def page(folder: Path, asked: Asked) -> Page:
    """The page of a verdict directory.

    The bench and the target are those that were asked for, or the sets called `bench` and `target`, or the first and
    the last that were judged.

    Raises:
        InputError: when a file of it is missing or changed, there is no such set, or no variant.
    """
    verdicts = directory.read(folder, whole=False)
    sets = verdicts.datasets
    bench = asked.bench or (BENCH if BENCH in sets or not sets else sets[0])
    target = asked.target or (TARGET if TARGET in sets or not sets else sets[-1])
    found = drift(verdicts, bench, target)
    notes = [str(said)] if (said := found.judge.get("stands_in")) else []
    if asked.bench is None or asked.target is None:
        others = f" of {', '.join(sets)}" if len(sets) > 1 else ""
        notes.append(f"bench is {bench}, target {target}{others}; --bench and --target choose others")
    for on in [found.seed_bench] + [found.seed_target] * (target != bench):
        if on.position is not None and on.position.judge != "consistent":
            notes.append(f"on {on.dataset} the judge is {on.position.judge} under the seed")
        if on.pairs > on.labelled:
            notes.append(f"{on.pairs - on.labelled:,} pairs of {on.dataset} have no label; accuracy is of the rest")
    judge = ", ".join(f"{name} {value}" for name, value in found.judge.items() if isinstance(value, str | int))
    drifted = sum(one.drifted for one in found.variants)
    return Page(
        kind="drift",
        title=f"Drift from the rubric {found.seed}",
        facts=[
            ("judge", judge or "not said"),
            ("seed", f"{found.seed}, {found.seed_digest[:16]}"),
            ("bench", f"{bench}, {found.seed_bench.pairs:,} pairs"),
            ("target", f"{target}, {found.seed_target.pairs:,} pairs"),
            ("variants", f"{len(found.variants):,}, of which {drifted:,} drifted beyond chance"),
            ("intervals", f"{found.confidence:.0%}"),
        ],
        notes=notes,
        content=_content(found),
        next=f"provkit drift {quote(str(folder))} --bench {quote(bench)} --target {quote(target)} --max-drift 0.02",
    )


def _content(found: Report) -> Content:
    drifts = axis([end for one in found.variants for end in _ends(one)], least=0.0)
    sets = [found.seed_bench, found.seed_target, *(on for one in found.variants for on in (one.bench, one.target))]
    accuracies = axis([end for on in sets for end in (on.accuracy, *_pair(on.interval))])
    parts = [part for one in found.variants for part in one.categories]
    categories = axis([end for part in parts for end in (part.drift, *_pair(part.interval))], least=0.0)

    def of(on: OnSet) -> OfSet:
        consistent = None if on.position is None else on.position.consistency
        return OfSet(accuracies.interval(on.accuracy, *_pair(on.interval)), on.pairs, on.ties, on.unparsed, consistent)

    lines = [
        Line(
            name=one.rubric_id,
            bench=of(one.bench),
            target=of(one.target),
            drift=drifts.interval(one.drift, *_pair(one.target.drift_interval)),
            adjusted=None if one.adjusted is None else drifts.interval(one.drift, *_pair(one.adjusted)),
            drifted=one.drifted,
            compliant=one.compliant,
            kappa=one.target.kappa,
            flips=one.target.flips,
            mcnemar=one.target.mcnemar_p,
            lost=one.target.lost,
            gained=one.target.gained,
            matrix=list(zip(OUTCOMES, one.target.flip_matrix, strict=True)),
            categories=[
                Category(
                    part.category if part.category is not None else "none",
                    part.pairs,
                    part.seed_accuracy,
                    part.accuracy,
                    categories.interval(part.drift, *_pair(part.interval)),
                )
                for part in one.categories
            ],
        )
        for one in found.variants
    ]
    return Content(
        found.seed,
        found.bench,
        found.target,
        f"{found.confidence:.0%}",
        list(OUTCOMES),
        of(found.seed_bench),
        of(found.seed_target),
        lines,
        drifts,
        accuracies,
        categories,
        bool(parts),
    )


def _ends(one: Variant) -> list[Any]:
    return [one.drift, *_pair(one.target.drift_interval), *_pair(one.adjusted)]


def _pair(one: inference.Interval | None) -> tuple[float | None, float | None]:
    return (None, None) if one is None else (one.low, one.high)
