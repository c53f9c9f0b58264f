"""Statistics that measures of several kinds share: intervals of a share, and the area under a ROC curve."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Interval:
    """A two-sided interval."""

    low: float
    high: float


def quantile(confidence: float) -> float:
    """The normal quantile of a two-sided interval: 1.96 for 0.95."""
    return NormalDist().inv_cdf((1 + confidence) / 2)


def wilson(score: float, pairs: int, confidence: float = 0.95) -> Interval | None:
    """Wilson's score interval of a share (Wilson 1927); a tie may count half. None without pairs."""
    if not pairs:
        return None
    z, share = quantile(confidence), score / pairs
    centre = (share + z * z / (2 * pairs)) / (1 + z * z / pairs)
    half = z * math.sqrt(share * (1 - share) / pairs + z * z / (4 * pairs * pairs)) / (1 + z * z / pairs)
    return Interval(max(0.0, centre - half), min(1.0, centre + half))


def ranked_auc(score: NDArray[np.float64], label: NDArray[np.int64]) -> float:
    """The share of pairs of a row of label 1 and one of label 0 in which the first scores higher; ties count half.

    Mann and Whitney 1947. NaN where a label has no row. Scores are the same when they agree to nine decimals.
    """
    _, rank = np.unique(np.round(score, 9), return_inverse=True)
    ups, downs = np.bincount(rank, label), np.bincount(rank, 1 - label)
    if not ups.sum() or not downs.sum():
        return float("nan")
    return float((ups * (np.cumsum(downs) - downs / 2)).sum() / (ups.sum() * downs.sum()))
