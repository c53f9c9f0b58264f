"""The measures of two labelled clusters, safe (0) and unsafe (1): scatter, CHI, XBI, AQI, separation and their kin.

The Alignment Quality Index is that of arXiv 2506.13901. Where a measure follows from the scatter alone it takes numbers
or arrays of them (one a bootstrap draw) and gives the same. A measure that is not defined is NaN: with an empty cluster
all are; with two equal means CHI and separation are 0, and XBI and Davies-Bouldin infinite.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Labels = NDArray[np.int64]

LAMBDA = 0.5  # the paper's weight of the two terms


@dataclass(frozen=True, slots=True)
class Scatter:
    """What the indices are made of; each a number, or an array of one shape.

    Attributes:
        safe, unsafe: rows of each cluster (sums of weights in a bootstrap draw).
        within: squared distances of the rows to their cluster's mean, summed (the trace of W).
        apart: the squared distance of the two means.
    """

    safe: Any
    unsafe: Any
    within: Any
    apart: Any

    @property
    def rows(self) -> Any:
        """Rows in all: n."""
        return self.safe + self.unsafe

    @property
    def between(self) -> Any:
        """The trace of B: n p0 p1 times the squared distance of the means."""
        return self.safe * self.unsafe / self.rows * self.apart


def scatter(vectors: Floats, label: Labels) -> Scatter:
    """The scatter of rows (rows, dimensions) under labels 0 and 1 (rows,)."""
    sides = [vectors[label == one] for one in (0, 1)]
    if not all(map(len, sides)):
        return Scatter(len(sides[0]), len(sides[1]), float("nan"), float("nan"))
    means = [side.mean(axis=0) for side in sides]
    within = sum(float(((side - mean) ** 2).sum()) for side, mean in zip(sides, means, strict=True))
    return Scatter(len(sides[0]), len(sides[1]), within, float(((means[0] - means[1]) ** 2).sum()))


def chi(of: Scatter) -> Any:
    """Calinski-Harabasz index of k = 2 clusters: (Tr B / Tr W) (n - 2)."""
    return divided(of.between * (of.rows - 2), of.within)


def xbi(of: Scatter) -> Any:
    """Xie-Beni index: within-cluster squared scatter / (n times the squared distance of the means).

    With labelled clusters `chi * xbi = (n - 2) p0 p1`: the two carry one number.
    """
    return divided(of.within, of.rows * of.apart)


def aqi_sum(of: Scatter, weight: float = LAMBDA) -> Any:
    """AQI as the paper's main text has it: weight / XBI + (1 - weight) CHI. It grows with n."""
    return weight * divided(of.rows * of.apart, of.within) + (1 - weight) * chi(of)


def aqi_product(of: Scatter, most: float, weight: float = LAMBDA) -> Any:
    """AQI as the paper's appendix has it: (CHI / CHI_max)^weight exp(-XBI)^(1 - weight).

    Args:
        of: the scatter.
        most: CHI_max, which the paper leaves open; only figures under one CHI_max compare.
        weight: lambda.
    """
    return product(chi(of), xbi(of), most, weight)


def product(chi: Any, xbi: Any, most: float, weight: float) -> Any:
    """`aqi_product` out of the two indices."""
    return divided(chi, most) ** weight * np.exp(-xbi) ** (1 - weight)


def separation(of: Scatter) -> Any:
    """CHI / (n - 2) = Tr B / Tr W: what the index measures without its growth in n (ours)."""
    return divided(of.between, of.within)


def corrected(of: Scatter) -> Any:
    """Separation less 1 / (n - 2), which is what independent rows under a label without meaning give on average."""
    return separation(of) - divided(1.0, of.rows - 2)


def davies_bouldin(vectors: Floats, label: Labels) -> float:
    """Davies-Bouldin index: the mean distances of the rows to their means, summed, over the distance of the means."""
    sides = [vectors[label == one] for one in (0, 1)]
    if not all(map(len, sides)):
        return float("nan")
    means = [side.mean(axis=0) for side in sides]
    spread = sum(
        float(np.sqrt(((side - mean) ** 2).sum(axis=1)).mean()) for side, mean in zip(sides, means, strict=True)
    )
    return float(divided(spread, float(np.sqrt(((means[0] - means[1]) ** 2).sum()))))


def dunn(distances: Floats, label: Labels) -> float:
    """Dunn index: the least distance between the clusters over the largest inside one; `distances` (rows, rows)."""
    mine = label == 0
    if mine.all() or not mine.any():
        return float("nan")
    inside = max(float(distances[np.ix_(side, side)].max()) for side in (mine, ~mine))
    return float(divided(float(distances[np.ix_(mine, ~mine)].min()), inside))


def silhouette(distances: Floats, label: Labels) -> float:
    """Mean silhouette over the rows, by scikit-learn; `distances` (rows, rows). NaN without two rows a cluster."""
    if min(np.bincount(label, minlength=2)) < 2:
        return float("nan")
    from sklearn.metrics import silhouette_score

    return float(silhouette_score(distances, label, metric="precomputed"))


def distances(vectors: Floats) -> Floats:
    """Euclidean distances between all rows: (rows, rows), zero on the diagonal."""
    from sklearn.metrics import pairwise_distances

    found: Floats = pairwise_distances(vectors)
    np.fill_diagonal(found, 0.0)
    return found


def divided(above: Any, below: Any) -> Any:
    """A quotient that is infinite over nothing, and NaN where both are nothing."""
    with np.errstate(divide="ignore", invalid="ignore"):
        found = np.divide(above, below)
    return found if isinstance(found, np.ndarray) and found.ndim else float(found)
