"""How far the verdicts of rubric variants drift from those of their seed, and whether a gate lets them pass."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from provkit.errors import InputError, plain
from provkit.inference import Interval, wilson
from provkit.registry import near
from provkit.rubrics.contrasts import OUTCOMES, Contrasts, contrasts
from provkit.rubrics.measures import Paired, holm, kappa, mcnemar, paired
from provkit.rubrics.position import Position, position
from provkit.rubrics.tables import Verdicts


@dataclass(frozen=True, slots=True)
class OnSet:
    """A rubric on one set of pairs, beside the seed on the same pairs.

    Attributes:
        pairs: pairs that both judged, and of them `labelled`, which the accuracies are about.
        seed_accuracy, accuracy: mean scores; a tie and an unparsed verdict score half.
        interval: Wilson's, of `accuracy`.
        ties, unparsed: shares of the pairs.
        drift: seed_accuracy - accuracy; drift_interval is paired.
        flips: share of the pairs, readable under both, whose outcome changed; flip_matrix[i][j] counts the pairs of
            outcome i under the seed and j under this rubric, in the order A, B, C, unparsed.
        kappa: Cohen's, with the seed's outcomes A, B and C.
        lost, gained: pairs that score less, and more, than under the seed; mcnemar_p is exact and two-sided.
        position: what both orders of each pair say about this rubric; None where pairs were judged in one.
    """

    dataset: str
    pairs: int
    labelled: int
    seed_accuracy: float | None
    accuracy: float | None
    interval: Interval | None
    ties: float | None
    unparsed: float | None
    drift: float | None
    drift_interval: Interval | None
    flips: float | None
    flip_matrix: list[list[int]]
    kappa: float | None
    lost: int
    gained: int
    mcnemar_p: float
    position: Position | None


@dataclass(frozen=True, slots=True)
class ByCategory:
    """Drift of a variant on the target pairs of one category."""

    category: str | None
    pairs: int
    seed_accuracy: float
    accuracy: float
    drift: float
    interval: Interval


@dataclass(frozen=True, slots=True)
class Variant:
    """A variant against the seed.

    Attributes:
        compliant: its bench accuracy is not below the seed's (less the tolerance).
        adjusted: the interval of its drift on the target, at the confidence that Holm's rule gives it.
        drifted: that interval lies above 0, by Holm's step-down rule over all variants.
        fails: the gate fails on it; None without a gate.
    """

    rubric_id: str
    rubric: str
    bench: OnSet
    target: OnSet
    compliant: bool | None
    drift: float | None
    adjusted: Interval | None
    drifted: bool
    fails: bool | None
    categories: list[ByCategory]


@dataclass(frozen=True, slots=True)
class Report:
    """All variants of one seed."""

    seed: str
    seed_digest: str
    judge: dict[str, Any]
    bench: str
    target: str
    confidence: float
    max_drift: float | None
    seed_bench: OnSet
    seed_target: OnSet
    variants: list[Variant]

    @property
    def failing(self) -> list[Variant]:
        """The variants that the gate does not let pass."""
        return [one for one in self.variants if one.fails]

    def plain(self) -> dict[str, Any]:
        """The same as plain data."""
        return asdict(self)


def drift(
    verdicts: Verdicts,
    bench: str,
    target: str,
    seed: str | None = None,
    confidence: float = 0.95,
    max_drift: float | None = None,
    tolerance: float = 0.0,
) -> Report:
    """The measures of every variant against the seed (Rubrics as an Attack Surface, arXiv 2602.13576).

    The gate fails on a variant when its drift reaches `max_drift` and the lower end of its paired interval, adjusted
    over the variants by Holm's rule, is above 0.

    Args:
        verdicts: verdicts of one judge.
        bench: the set that a compliant variant does no worse on.
        target: the set that drift is measured on; it may be the same one.
        seed: name or digest of the rubric to compare with; the one marked as the seed when None.
        confidence: of all intervals.
        max_drift: the limit of the gate; None for none.
        tolerance: how far below the seed's bench accuracy a variant counts as compliant.

    Raises:
        InputError: when there is no such set or rubric, or no variant.
    """
    found = contrasts(verdicts, seed)
    for name in (bench, target):
        if name not in found.datasets:
            said = f"no set '{plain(name, 60)}' among the verdicts{near(name, found.datasets)}"
            raise InputError(said, file=verdicts.name, do="--bench and --target name sets of pairs")
    variants = [at for at in range(len(found.rubrics)) if at != found.seed]
    if not variants:
        raise InputError("one rubric alone: nothing to compare it with", file=verdicts.name, do="judge a variant too")
    on_bench, on_target = (
        [_on(found, at, name, confidence) for at in range(len(found.rubrics))] for name in (bench, target)
    )
    differences = {at: _paired(found, at, target) for at in variants}
    tested = [at for at in variants if differences[at] is not None]
    steps = dict(zip(tested, holm([_p(differences[at]) for at in tested], 1 - confidence), strict=True))
    listed = []
    for at in variants:
        one = Variant(
            found.names[at],
            found.rubrics[at],
            on_bench[at],
            on_target[at],
            _compliant(on_bench[at], tolerance),
            on_target[at].drift,
            None,
            False,
            None,
            _categories(found, at, target, confidence),
        )
        if (difference := differences[at]) is not None:
            level, rejected = steps[at]
            adjusted = difference.interval(level)
            one = replace(one, adjusted=adjusted, drifted=rejected and adjusted.low > 0)
        if max_drift is not None:
            reached = one.drift is not None and one.drift >= max_drift - 1e-12  # 0.02 of 1,000 pairs is reached by 20
            one = replace(one, fails=reached and one.drifted)
        listed.append(one)
    listed.sort(key=lambda one: (-(one.drift if one.drift is not None else -2.0), one.rubric_id))
    first = found.seed
    return Report(
        found.names[first],
        found.rubrics[first],
        verdicts.judge,
        bench,
        target,
        confidence,
        max_drift,
        on_bench[first],
        on_target[first],
        listed,
    )


def _p(difference: Paired | None) -> float:
    assert difference is not None
    return difference.p


def _compliant(bench: OnSet, tolerance: float) -> bool | None:
    if bench.accuracy is None or bench.seed_accuracy is None:
        return None
    return bench.accuracy >= bench.seed_accuracy - tolerance - 1e-12


def _paired(found: Contrasts, at: int, dataset: str) -> Paired | None:
    difference = found.differences(at, dataset)
    return paired(difference.total, difference.squares, difference.pairs)


def _on(found: Contrasts, at: int, dataset: str, confidence: float) -> OnSet:
    table = found.outcomes(at, dataset)
    pairs = int(table.sum())
    scores = found.differences(at, dataset)
    difference = paired(scores.total, scores.squares, scores.pairs)
    readable = table[:3, :3]
    flips = 1 - int(np.trace(readable)) / int(readable.sum()) if readable.sum() else None
    return OnSet(
        dataset,
        pairs,
        scores.pairs,
        scores.seed_score / scores.pairs if scores.pairs else None,
        scores.score / scores.pairs if scores.pairs else None,
        wilson(scores.score, scores.pairs, confidence),
        int(table[:, OUTCOMES.index("C")].sum()) / pairs if pairs else None,
        int(table[:, OUTCOMES.index("unparsed")].sum()) / pairs if pairs else None,
        None if difference is None else difference.mean,
        None if difference is None else difference.interval(confidence),
        flips,
        table.tolist(),
        kappa(readable),
        scores.lost,
        scores.gained,
        mcnemar(scores.lost, scores.gained),
        position(found.orders(at, dataset)),
    )


def _categories(found: Contrasts, at: int, dataset: str, confidence: float) -> list[ByCategory]:
    """Drift by category; none where the pairs have no categories."""
    listed = []
    for category in found.categories(dataset):
        scores = found.differences(at, dataset, category)
        if (difference := paired(scores.total, scores.squares, scores.pairs)) is None:
            continue
        means = (scores.seed_score / scores.pairs, scores.score / scores.pairs, difference.mean)
        listed.append(ByCategory(category, scores.pairs, *means, difference.interval(confidence)))
    return [] if [one.category for one in listed] == [None] else listed
