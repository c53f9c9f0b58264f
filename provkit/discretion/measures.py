"""The measures of alignment discretion (Buyl et al. 2025, arXiv 2502.10441), on preferences as numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Agreement:
    """What the principles say together, row by row: shape (rows,) each.

    Attributes:
        consensus: some principle has a preference other than 0, and all those agree; `sign` is that preference.
        conflict: both signs occur.
        indifference: no principle has a preference other than 0.
    """

    consensus: Mask
    conflict: Mask
    indifference: Mask
    sign: Floats


def agreement(values: Floats) -> Agreement:
    """Of preferences of principles: shape (rows, principles), NaN for none."""
    up: Mask = np.asarray((values > 0).any(axis=1))
    down: Mask = np.asarray((values < 0).any(axis=1))
    return Agreement(up ^ down, up & down, ~up & ~down, np.where(up, 1.0, -1.0))


def arbitrariness(found: Agreement, annotator: Floats, times: npt.NDArray[Any]) -> Floats:
    """DA: of the consensus rows on which the annotator has a preference, the share on which it goes against them.

    Args:
        found: what the principles say.
        annotator: its preferences, shape (rows,); NaN and 0 are none.
        times: how often each row counts, shape (samples, rows): a bootstrap sample is such counts.

    Returns:
        One share a sample, NaN where there is no such row.
    """
    some = found.consensus & (np.nan_to_num(annotator) != 0)
    against = some & (found.sign * np.nan_to_num(annotator) < 0)
    total = times[:, some].sum(axis=1)
    with np.errstate(invalid="ignore"):
        share: Floats = times[:, against].sum(axis=1) / total
    return share


def wins(values: Floats, annotator: Floats, times: npt.NDArray[Any]) -> Floats:
    """How often the annotator sided with principle i against j, of the rows on which they disagree.

    Returns:
        Shape (samples, n, n), out of `times` as for `arbitrariness`.
    """
    sided = np.nan_to_num(values) * np.nan_to_num(annotator)[:, None]
    some = (sided > 0).any(axis=1) & (sided < 0).any(axis=1)
    up, down = sided[some] > 0, sided[some] < 0
    met = (up[:, :, None] & down[:, None, :]).reshape(int(some.sum()), -1).astype(np.float32)
    counted: Floats = (times[:, some].astype(np.float32) @ met).astype(np.float64)  # exact below 2**24
    return counted.reshape(len(times), values.shape[1], values.shape[1])


def supremacy(won: Floats) -> tuple[Floats, Floats]:
    """PS_ij, the share of the rows on which i and j disagree that went to i (NaN without one), and how many: n_ij."""
    total = won + won.T
    with np.errstate(invalid="ignore", divide="ignore"):
        return won / total, total


def kendall(one: Floats, other: Floats) -> float:
    """Kendall's tau-b of two rankings (Kendall 1945); infinities rank as they are, ties count as ties.

    Places that are NaN in either are left out; NaN where a ranking is all ties.
    """
    both = ~(np.isnan(one) | np.isnan(other))
    x, y = one[both], other[both]
    upper = np.triu_indices(len(x), 1)
    a = (x[:, None] > x[None, :]).astype(np.int64) - (x[:, None] < x[None, :])
    b = (y[:, None] > y[None, :]).astype(np.int64) - (y[:, None] < y[None, :])
    a, b = a[upper], b[upper]
    scale = float(np.count_nonzero(a)) * float(np.count_nonzero(b))
    return float((a * b).sum() / np.sqrt(scale)) if scale else float("nan")


def difference(one: Floats, other: Floats) -> float:
    """DD: (1 - tau-b) / 2 of the rankings of principles by two annotators' weights; 0 alike, 1 reversed."""
    return (1 - kendall(one, other)) / 2
