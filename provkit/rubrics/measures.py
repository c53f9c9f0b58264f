"""Measures on counts of paired judgements: intervals, agreement, exact tests. No row is seen here."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from provkit.inference import Interval, quantile

Counts = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Paired:
    """A mean difference of paired scores, and the estimate and standard error that its interval is made of."""

    mean: float
    centre: float
    error: float

    def interval(self, confidence: float) -> Interval:
        """The two-sided interval at this confidence."""
        half = quantile(confidence) * self.error
        return Interval(self.centre - half, self.centre + half)

    @property
    def p(self) -> float:
        """The two-sided p-value that belongs to these intervals: the one that excludes 0 has confidence 1 - p."""
        return 1.0 if self.error == 0 else 2 * NormalDist().cdf(-abs(self.centre) / self.error)


def paired(total: float, squares: float, pairs: int) -> Paired | None:
    """The mean of `pairs` differences d in [-1, 1] out of their sum and the sum of their squares; None without pairs.

    The interval is the adjusted Wald interval of Agresti and Min 2005 (Statistics in Medicine 24:729): two pairs are
    added, which brings half a count to each cell of the table; half scores enter by the same two sums.
    """
    if not pairs:
        return None
    size = pairs + 2
    centre = total / size
    return Paired(total / pairs, centre, math.sqrt(max(0.0, squares + 1 - size * centre * centre)) / size)


def kappa(table: Counts) -> float | None:
    """Cohen's kappa of a square table of counts; None where agreement by chance is certain, or there is no pair."""
    total = int(table.sum())
    if not total:
        return None
    observed = int(np.trace(table)) / total
    chance = float(table.sum(axis=1) @ table.sum(axis=0)) / (total * total)
    return None if chance >= 1 else (observed - chance) / (1 - chance)


def kappa_error(table: Counts) -> float | None:
    """The large-sample standard error of kappa (Fleiss, Cohen and Everitt 1969); None where kappa is."""
    value, total = kappa(table), int(table.sum())
    if value is None:
        return None
    share = table / total
    rows, columns = share.sum(axis=1), share.sum(axis=0)
    chance = float(rows @ columns)
    diagonal = np.diag(share)
    agree = float((diagonal * (1 - (rows + columns) * (1 - value)) ** 2).sum())
    crossed = (columns[:, None] + rows[None, :]) ** 2 * share
    differ = (1 - value) ** 2 * float(crossed.sum() - np.diag(crossed).sum())
    variance = agree + differ - (value - chance * (1 - value)) ** 2
    return math.sqrt(max(0.0, variance) / total) / (1 - chance)


def mcnemar(lost: int, gained: int) -> float:
    """Two-sided p of the exact McNemar test: pairs that turned one way against pairs that turned the other."""
    total, least = lost + gained, min(lost, gained)
    if not total:
        return 1.0
    steps = np.arange(1, least + 1)
    logs = np.concatenate([[0.0], np.cumsum(np.log(total - steps + 1.0) - np.log(steps))]) - total * math.log(2)
    top = float(logs.max())
    return min(1.0, 2 * math.exp(top) * float(np.exp(logs - top).sum()))


def holm(p_values: Sequence[float], alpha: float = 0.05) -> list[tuple[float, bool]]:
    """For each test the confidence of its interval, and whether it is rejected, by Holm's step-down rule (Holm 1979).

    The test of k-th smallest p-value is held against alpha / (m - k + 1); from the first that stands, all stand.
    """
    order = sorted(range(len(p_values)), key=lambda at: p_values[at])
    done: list[tuple[float, bool]] = [(1 - alpha, False)] * len(order)
    rejecting = True
    for k, at in enumerate(order):
        level = alpha / (len(order) - k)
        rejecting = rejecting and p_values[at] <= level
        done[at] = (1 - level, rejecting)
    return done
