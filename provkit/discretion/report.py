"""All measures of recorded preferences, with bootstrap intervals over the rows."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from provkit.discretion.bradley_terry import weights
from provkit.discretion.measures import agreement, arbitrariness, difference, supremacy, wins
from provkit.discretion.preferences import Preferences

Floats = npt.NDArray[np.float64]
SOME = 100  # bootstrap samples that are taken at a time


@dataclass(frozen=True, slots=True)
class Estimate:
    """A measure and its bootstrap interval; None where it is not defined, an infinity as text."""

    value: float | str | None
    low: float | str | None
    high: float | str | None


@dataclass(frozen=True, slots=True)
class Annotator:
    """One annotator.

    Attributes:
        rows: rows on which it has a preference, and of them `consensus_rows` on which the principles agree.
        arbitrariness: DA.
        weights: of each principle, w*.
        supremacy: PS, [i][j] of the principles in their order; compared: n_ij.
    """

    name: str
    rows: int
    consensus_rows: int
    arbitrariness: Estimate
    weights: dict[str, Estimate]
    supremacy: list[list[float | None]]
    compared: list[list[int]]


@dataclass(frozen=True, slots=True)
class Report:
    """The shares of rows by what the principles say, the annotators, and how far these differ (DD)."""

    rows: int
    principles: list[str]
    consensus: Estimate
    conflict: Estimate
    indifference: Estimate
    annotators: list[Annotator]
    differences: list[tuple[str, str, Estimate]]
    samples: int
    confidence: float
    notes: tuple[str, ...]

    def plain(self) -> dict[str, Any]:
        """The same as plain data."""
        return asdict(self)


def measure(
    found: Preferences,
    samples: int = 1000,
    confidence: float = 0.95,
    seed: int = 42,
    progress: Callable[[int, int], None] = lambda *_: None,
) -> Report:
    """The measures; intervals are percentiles over `samples` samples of the rows, the same for all annotators.

    Args:
        found: the preferences.
        samples: bootstrap samples; 0 for none.
        confidence: of the intervals.
        seed: of the samples.
        progress: called with samples done, and in all.
    """
    names = list(found.annotators)
    point = _all(found, np.ones((1, len(found.rows))))
    chance = np.random.Generator(np.random.PCG64(seed))
    drawn: dict[str, list[Floats]] = {key: [] for key in point}
    for first in range(0, samples, SOME):
        some = min(SOME, samples - first)
        taken = chance.integers(0, len(found.rows), (some, len(found.rows)))
        for key, values in _all(
            found, np.stack([np.bincount(one, minlength=len(found.rows)) for one in taken])
        ).items():
            drawn[key].append(values)
        progress(first + some, samples)
    sampled = {key: np.concatenate(several) if several else np.empty((0, 1)) for key, several in drawn.items()}

    def estimate(key: str, place: int = 0) -> Estimate:
        low, high = _interval(sampled[key][:, place] if samples else np.empty(0), confidence)
        return Estimate(_spelled(point[key][0, place]), _spelled(low), _spelled(high))

    annotators = []
    consensus = agreement(found.values).consensus
    for name in names:
        mine = found.annotators[name]
        some = np.nan_to_num(mine) != 0
        share, total = supremacy(wins(found.values, mine, np.ones((1, len(found.rows))))[0])
        annotators.append(
            Annotator(
                name,
                int(some.sum()),
                int((some & consensus).sum()),
                estimate(f"DA {name}"),
                {one: estimate(f"w {name}", at) for at, one in enumerate(found.principles)},
                [[None if math.isnan(one) else float(one) for one in row] for row in share],
                total.astype(np.int64).tolist(),
            )
        )
    pairs = [(one, other) for at, one in enumerate(names) for other in names[at + 1 :]]
    differences = [(one, other, estimate(f"DD {one} {other}")) for one, other in pairs]
    consensus_share, conflict, indifference = (estimate("shares", place) for place in range(3))
    return Report(
        len(found.rows),
        found.principles,
        consensus_share,
        conflict,
        indifference,
        annotators,
        differences,
        samples,
        confidence,
        found.notes,
    )


def _all(found: Preferences, times: npt.NDArray[Any]) -> dict[str, Floats]:
    """Every measure on rows that count so often: `times` has shape (samples, rows), a measure (samples, values)."""
    said = agreement(found.values)
    total = times.sum(axis=1)
    kinds = (said.consensus, said.conflict, said.indifference)
    done: dict[str, Floats] = {"shares": np.stack([times[:, kind].sum(axis=1) / total for kind in kinds], axis=1)}
    for name, mine in found.annotators.items():
        done[f"DA {name}"] = arbitrariness(said, mine, times)[:, None]
        done[f"w {name}"] = np.stack([weights(won) for won in wins(found.values, mine, times)])
    names = list(found.annotators)
    for at, one in enumerate(names):
        for other in names[at + 1 :]:
            both = zip(done[f"w {one}"], done[f"w {other}"], strict=True)
            done[f"DD {one} {other}"] = np.array([[difference(mine, theirs)] for mine, theirs in both])
    return done


def _interval(values: Floats, confidence: float) -> tuple[float, float]:
    """Percentiles of the samples in which a measure is defined; no value lies between an infinity and a number."""
    values = values[~np.isnan(values)]
    if not len(values):
        return float("nan"), float("nan")
    tail = (1 - confidence) / 2
    low, high = np.quantile(values, [tail, 1 - tail], method="inverted_cdf")
    return float(low), float(high)


def _spelled(value: float) -> float | str | None:
    """A number as JSON has it: an infinity as `infinity` or `-infinity`, None for NaN."""
    if math.isnan(value):
        return None
    return float(value) if math.isfinite(value) else "infinity" if value > 0 else "-infinity"
