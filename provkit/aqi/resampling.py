"""Intervals and tests that respect how rows belong together: bootstrap over clusters, permutation within strata.

Neither copies rows. A draw of the bootstrap is a weight for each cluster, and the scatter under weights follows from
count, sum and sum of squares of each cluster and label; a permutation keeps the total scatter, so that only the sum of
the rows labelled unsafe is new. Both are products of matrices over all draws.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from provkit.aqi.measures import Floats, Labels, Scatter, divided, scatter, separation

CELLS = 4_000_000  # of a matrix of draws by rows that is held at once
LEVEL = (2.5, 97.5)  # percentiles of an interval


@dataclass(frozen=True, slots=True)
class Drawn:
    """The scatter of each bootstrap draw, and its Davies-Bouldin index: arrays of shape (draws,).

    A draw without rows of one label has NaN.
    """

    scatter: Scatter
    davies_bouldin: Floats


@dataclass(frozen=True, slots=True)
class Permuted:
    """Separation under permuted labels.

    Attributes:
        p: (1 + permutations that separate at least as far) / (1 + permutations), uniform where the label means nothing.
        mean: what they give on average: the null of just these rows, paired as they are.
    """

    p: float
    mean: float


def weights(clusters: int, draws: int, seed: int) -> Floats:
    """How often each cluster is drawn, as often in all as there are clusters: shape (draws, clusters)."""
    chance = np.random.Generator(np.random.PCG64(seed))
    taken = chance.integers(clusters, size=(draws, clusters)) + np.arange(draws)[:, None] * clusters
    return np.bincount(taken.ravel(), minlength=draws * clusters).reshape(draws, clusters).astype(np.float64)


def bootstrap(vectors: Floats, label: Labels, cluster: Labels, drawn: Floats) -> Drawn:
    """The measures under each draw of clusters.

    Args:
        vectors: (rows, dimensions).
        label: 0 or 1, (rows,).
        cluster: the cluster of each row, numbers from 0, (rows,).
        drawn: `weights` of these clusters, (draws, clusters).
    """
    centred = vectors - vectors.mean(axis=0)
    squares = np.einsum("ij,ij->i", centred, centred)
    clusters, draws = drawn.shape[1], len(drawn)
    counts, means, within, spreads = [], [], np.zeros(draws), np.zeros(draws)
    for side in (0, 1):
        rows = np.flatnonzero(label == side)
        own = cluster[rows]
        sums = np.zeros((clusters, vectors.shape[1]))
        np.add.at(sums, own, centred[rows])
        count = drawn @ np.bincount(own, minlength=clusters)
        mean = divided(drawn @ sums, count[:, None])
        within += drawn @ np.bincount(own, squares[rows], clusters) - count * np.einsum("ij,ij->i", mean, mean)
        spreads += _spread(centred[rows], squares[rows], drawn, own, mean) / np.where(count, count, np.nan)
        counts.append(count)
        means.append(mean)
    apart = ((means[0] - means[1]) ** 2).sum(axis=1)
    found = Scatter(counts[0], counts[1], np.maximum(within, 0.0), apart)
    return Drawn(found, divided(spreads, np.sqrt(apart)))


def _spread(vectors: Floats, squares: Floats, drawn: Floats, cluster: Labels, means: Floats) -> Floats:
    """For each draw the distances of its rows to their mean, summed: shape (draws,)."""
    found = np.zeros(len(drawn))
    known = np.nan_to_num(means)
    for part in parts(len(drawn), len(vectors)):
        far = vectors @ known[part].T
        far *= -2.0
        far += squares[:, None]
        far += np.einsum("ij,ij->i", known[part], known[part])[None, :]
        np.sqrt(np.maximum(far, 0.0, out=far), out=far)
        summed = np.zeros((drawn.shape[1], far.shape[1]))
        np.add.at(summed, cluster, far)
        found[part] = np.einsum("ij,ji->i", drawn[part], summed)
    return found


def permute(vectors: Floats, label: Labels, stratum: Labels, permutations: int, seed: int) -> Permuted:
    """Tests separation against labels that are permuted among the rows of each stratum: a pair, or an axiom.

    Args:
        vectors: (rows, dimensions).
        label: 0 or 1, (rows,).
        stratum: rows of equal number exchange their labels, (rows,).
        permutations: how many.
        seed: of the permutations.
    """
    seen = scatter(vectors, label)
    if not permutations or np.isnan(seen.within):
        return Permuted(float("nan"), float("nan"))
    centred = vectors - vectors.mean(axis=0)
    total = float(np.einsum("ij,ij->", centred, centred))
    unsafe = int(label.sum())
    safe = len(label) - unsafe
    found = np.empty(permutations)
    chance = np.random.Generator(np.random.PCG64(seed))
    order = np.argsort(stratum, kind="stable")
    ordered, given = stratum[order].astype(np.float64), label[order].astype(np.float64)
    for part in parts(permutations, len(label)):
        places = np.argsort(ordered + chance.random((part.stop - part.start, len(label))), axis=1)
        sums = given[places] @ centred[order]
        apart = np.einsum("ij,ij->i", sums, sums) * (1 / unsafe + 1 / safe) ** 2  # centred: the two sums are opposite
        between = safe * unsafe / len(label) * apart
        found[part] = separation(Scatter(safe, unsafe, np.maximum(total - between, 0.0), apart))
    observed = float(separation(seen))
    least = observed * (1 - 1e-12)  # a permutation that gives the labels back counts, whatever its rounding
    return Permuted((1 + int((found >= least).sum())) / (1 + permutations), float(found.mean()))


def recentred(draws: Floats, seen: float) -> Floats:
    """Draws of separation without the bootstrap's bias: moved until their mean is what was seen, and not below 0.

    A draw separates more than its rows do, by about their null, since its means vary about means that vary already; in
    many dimensions the percentiles as they are can leave out the very figure that they are to hold.
    """
    known = draws[np.isfinite(draws)]
    return np.maximum(draws - (known.mean() - seen if len(known) else 0.0), 0.0)


def rescaled(draws: Floats, seen: float) -> Floats:
    """The same for an index that the bias divides, Davies-Bouldin: multiplied until the mean logarithm is that seen."""
    known = draws[np.isfinite(draws) & (draws > 0)]
    return draws * (seen / np.exp(np.log(known).mean()) if len(known) and np.isfinite(seen) else 1.0)


def interval(values: Floats) -> tuple[float, float]:
    """The 2.5 and 97.5 percentiles of the draws that are defined; NaN where fewer than half of them are."""
    known = values[~np.isnan(values)]
    if 2 * len(known) < len(values) or not len(known):
        return float("nan"), float("nan")
    low, high = np.percentile(known, LEVEL, method="inverted_cdf")  # never between a finite and an infinite one
    return float(low), float(high)


def parts(draws: int, rows: int) -> Iterator[slice]:
    """Slices of the draws whose matrices of draws by rows are not too large."""
    step = max(1, CELLS // max(rows, 1))
    for first in range(0, draws, step):
        yield slice(first, min(first + step, draws))


def numbered(names: NDArray[np.str_] | list[str]) -> Labels:
    """Numbers from 0 for names, equal for equal names: shape (names,)."""
    return np.unique(np.asarray(names), return_inverse=True)[1].astype(np.int64)
