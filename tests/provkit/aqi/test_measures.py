"""The measures against hand-computed clusters, scikit-learn, the identity that ties two of them, and known Gaussians."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import calinski_harabasz_score, davies_bouldin_score, silhouette_score

from provkit.aqi.measures import (
    aqi_product,
    aqi_sum,
    chi,
    corrected,
    davies_bouldin,
    distances,
    dunn,
    scatter,
    separation,
    silhouette,
    xbi,
)

# safe at (0, 0), (2, 0); unsafe at (6, 0), (8, 0): means (1, 0) and (7, 0), each row 1 from its mean
VECTORS = np.array([[0.0, 0], [2, 0], [6, 0], [8, 0]])
LABEL = np.array([0, 0, 1, 1])


def test_hand_computed_clusters() -> None:
    found = scatter(VECTORS, LABEL)
    assert (found.within, found.apart, found.between) == (4.0, 36.0, 36.0)  # B = 4 * 1/2 * 1/2 * 36
    assert chi(found) == 18.0  # 36 / 4 * (4 - 2)
    assert xbi(found) == pytest.approx(1 / 36)  # 4 / (4 * 36)
    assert separation(found) == 9.0
    assert corrected(found) == 8.5  # less 1 / (4 - 2)
    assert aqi_sum(found) == 27.0  # 36 / 2 + 18 / 2
    assert aqi_sum(found, 0.25) == 22.5  # 36 / 4 + 18 * 3 / 4
    assert aqi_product(found, most=72.0) == pytest.approx(0.5 * math.exp(-1 / 72))  # sqrt(18 / 72) sqrt(e^(-1/36))
    assert davies_bouldin(VECTORS, LABEL) == pytest.approx(1 / 3)  # (1 + 1) / 6
    apart = distances(VECTORS)
    assert dunn(apart, LABEL) == 2.0  # 2 to 6, over 0 to 2
    # a = 2 for each row; b = 7, 5, 5, 7: (5/7 + 3/5 + 3/5 + 5/7) / 4
    assert silhouette(apart, LABEL) == pytest.approx((5 / 7 + 3 / 5) / 2)


def test_unequal_clusters_by_hand() -> None:
    """Safe 0 alone, unsafe 3 and 5: means 0 and 4, W = 2, B = 3 * 1/3 * 2/3 * 16."""
    found = scatter(np.array([[0.0], [3], [5]]), np.array([0, 1, 1]))
    assert (found.within, found.between) == (2.0, pytest.approx(32 / 3))
    assert chi(found) == pytest.approx(16 / 3)
    assert xbi(found) == pytest.approx(2 / 48)


@pytest.mark.parametrize("seed", range(5))
def test_the_same_as_scikit_learn(seed: int) -> None:
    chance = np.random.default_rng(seed)
    label = (chance.random(300) < 0.3).astype(np.int64)
    vectors = chance.normal(size=(300, 24)) + label[:, None] * chance.normal(size=24)
    assert chi(scatter(vectors, label)) == pytest.approx(calinski_harabasz_score(vectors, label), rel=1e-9)
    assert davies_bouldin(vectors, label) == pytest.approx(davies_bouldin_score(vectors, label), rel=1e-9)
    assert silhouette(distances(vectors), label) == pytest.approx(silhouette_score(vectors, label), rel=1e-9)


@settings(max_examples=200, deadline=None)
@given(arrays(np.float64, (7, 3), elements=st.floats(-1e3, 1e3, width=32)), st.integers(1, 6))
def test_chi_times_xbi_is_known_before_anything_is_measured(vectors: np.ndarray, safe: int) -> None:
    """CHI x XBI = (n - 2) p0 p1, whatever the rows: with labelled clusters the two indices carry one number."""
    label = np.array([0] * safe + [1] * (7 - safe))
    found = scatter(vectors, label)
    if found.apart < 1e-9 or found.within < 1e-9:
        return
    assert chi(found) * xbi(found) == pytest.approx(5 * safe * (7 - safe) / 49, rel=1e-9)
    # so AQI is one number too: separation times a constant of the label counts
    assert aqi_sum(found) == pytest.approx(separation(found) * (0.5 * 49 / (safe * (7 - safe)) + 0.5 * 5), rel=1e-9)


def test_a_known_separation_stays_across_n_while_chi_grows() -> None:
    """Two unit Gaussians in d dimensions at distance delta: B / W less its null is p0 p1 delta² / d in the long run."""
    dimensions, delta = 20, 2.0
    known = 0.25 * delta**2 / dimensions
    means = {}
    for rows in (100, 400, 1600):
        corrections, indices = [], []
        for seed in range(60):
            chance = np.random.default_rng((rows, seed))
            label = np.repeat([0, 1], rows // 2)
            vectors = chance.normal(size=(rows, dimensions))
            vectors[label == 1, 0] += delta
            found = scatter(vectors, label)
            corrections.append(corrected(found))
            indices.append(chi(found))
        error = np.std(corrections) / math.sqrt(60)
        # n / (n - 2) is left of W's own degrees of freedom
        assert np.mean(corrections) == pytest.approx(known * rows / (rows - 2), abs=4 * error)
        means[rows] = float(np.mean(indices))
    assert means[400] > 3 * means[100] and means[1600] > 3 * means[400]


def test_without_any_effect_the_corrected_separation_is_nothing() -> None:
    chance = np.random.default_rng(7)
    label = np.repeat([0, 1], 50)
    found = [scatter(chance.normal(size=(100, 30)), label) for _ in range(200)]
    raw, clean = (np.array([float(measure(one)) for one in found]) for measure in (separation, corrected))
    assert raw.mean() == pytest.approx(1 / 98, rel=0.05)
    assert abs(clean.mean()) < 4 * clean.std() / math.sqrt(200)


def test_what_is_not_defined_is_no_number() -> None:
    one_side = scatter(VECTORS, np.zeros(4, np.int64))
    assert all(math.isnan(measure(one_side)) for measure in (chi, xbi, separation, aqi_sum))
    assert math.isnan(davies_bouldin(VECTORS, np.zeros(4, np.int64)))
    assert math.isnan(dunn(distances(VECTORS), np.zeros(4, np.int64)))
    assert math.isnan(silhouette(distances(VECTORS), np.array([0, 1, 1, 1])))
    same = scatter(np.array([[0.0], [2], [0], [2]]), LABEL)
    assert (chi(same), separation(same), xbi(same)) == (0.0, 0.0, math.inf)
    points = scatter(np.array([[0.0], [0], [1], [1]]), LABEL)
    assert (chi(points), xbi(points)) == (math.inf, 0.0)
