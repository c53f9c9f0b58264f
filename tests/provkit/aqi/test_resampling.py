"""Bootstrap and permutation against resampled copies of the rows, and the tests against what they promise."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from provkit.aqi.measures import chi, davies_bouldin, scatter, separation, xbi
from provkit.aqi.resampling import bootstrap, interval, numbered, permute, recentred, rescaled, weights


def test_a_draw_is_what_a_resampled_copy_of_the_rows_gives() -> None:
    chance = np.random.default_rng(1)
    cluster = chance.integers(12, size=90)
    label = (chance.random(90) < 0.4).astype(np.int64)
    vectors = chance.normal(size=(90, 5)) + label[:, None] + 100.0  # far from the origin: nothing may cancel
    drawn = weights(12, 40, seed=3)
    found = bootstrap(vectors, label, cluster, drawn)
    for draw in range(40):
        rows = np.concatenate([np.tile(np.flatnonzero(cluster == one), int(drawn[draw, one])) for one in range(12)])
        copy = scatter(vectors[rows], label[rows])
        for measure in (chi, xbi, separation):
            assert measure(found.scatter)[draw] == pytest.approx(measure(copy), rel=1e-9)
        assert found.davies_bouldin[draw] == pytest.approx(davies_bouldin(vectors[rows], label[rows]), rel=1e-9)


def test_draws_take_as_many_clusters_as_there_are_and_follow_the_seed() -> None:
    drawn = weights(9, 500, seed=1)
    assert (drawn.sum(axis=1) == 9).all() and drawn.shape == (500, 9)
    assert drawn.mean(axis=0) == pytest.approx(np.ones(9), abs=0.2)
    assert np.array_equal(drawn, weights(9, 500, seed=1)) and not np.array_equal(drawn, weights(9, 500, seed=2))


def test_a_draw_without_rows_of_one_label_is_no_number() -> None:
    vectors, label, cluster = np.array([[0.0], [1], [5], [6]]), np.array([0, 0, 1, 1]), np.array([0, 0, 1, 1])
    found = bootstrap(vectors, label, cluster, np.array([[2.0, 0.0], [1.0, 1.0]]))
    assert math.isnan(separation(found.scatter)[0]) and math.isnan(found.davies_bouldin[0])
    assert separation(found.scatter)[1] == 25.0


def test_permutations_within_pairs_are_all_the_exchanges_of_twins() -> None:
    """Three pairs have eight labellings; the p-value is the share of them that separate at least as far."""
    vectors = np.array([[0.0], [1.0], [0.5], [2.5], [4.0], [4.2]])
    label, pair = np.array([0, 1, 0, 1, 0, 1]), np.array([0, 0, 1, 1, 2, 2])
    swapped = (label ^ np.repeat(swaps, 2) for swaps in itertools.product((0, 1), repeat=3))
    every = [float(separation(scatter(vectors, one))) for one in swapped]
    seen = float(separation(scatter(vectors, label)))
    found = permute(vectors, label, pair, 4000, seed=5)
    assert found.p == pytest.approx(np.mean([one >= seen * (1 - 1e-12) for one in every]), abs=0.03)
    assert found.mean == pytest.approx(np.mean(every), rel=0.05)


def test_permutations_without_pairs_exchange_labels_within_the_stratum_alone() -> None:
    """Strata of one label each leave nothing to permute: every permutation is the labelling itself."""
    vectors = np.random.default_rng(0).normal(size=(8, 2))
    label = np.repeat([0, 1], 4)
    found = permute(vectors, label, label, 50, seed=1)
    assert found.p == 1.0
    assert found.mean == pytest.approx(float(separation(scatter(vectors, label))), rel=1e-9)


def test_the_p_value_of_a_label_that_means_nothing_is_uniform() -> None:
    """Twins that share most of what they are, and a label thrown for each pair: p below q in a share q of the sets."""
    values = []
    for seed in range(400):
        chance = np.random.default_rng((11, seed))
        shared = np.repeat(chance.normal(size=(25, 4)), 2, axis=0)
        vectors = shared + 0.5 * chance.normal(size=(50, 4))
        first = chance.integers(2, size=25)
        label = np.stack([first, 1 - first], axis=1).ravel()
        values.append(permute(vectors, label, np.repeat(np.arange(25), 2), 99, seed).p)
    ordered = np.sort(values)
    # Kolmogorov-Smirnov distance to the uniform law on 1/100 … 1: below 1.63 / sqrt(400) in 99 of 100 runs
    steps = np.arange(1, 101) / 100
    distance = np.abs(np.searchsorted(ordered, steps, "right") / 400 - steps).max()
    assert distance < 1.63 / math.sqrt(400)


def test_an_interval_holds_the_truth_about_as_often_as_it_says() -> None:
    """Twins with a shared part in 30 dimensions; the truth is the expected separation of sets of this size."""
    inside = raw = 0
    for seed in range(120):
        chance = np.random.default_rng((5, seed))
        shared = chance.normal(size=(80, 30))
        vectors = np.concatenate([shared + chance.normal(size=(80, 30)) for _ in (0, 1)])
        vectors[80:, 0] += 1.0
        label, pair = np.repeat([0, 1], 80), np.tile(np.arange(80), 2)
        draws = separation(bootstrap(vectors, label, pair, weights(80, 300, seed)).scatter)
        truth = 0.25 * (1.0 + 30 * 2 / 80) / (2 * 30 * (1 - 1 / 80))
        low, high = interval(recentred(draws, float(separation(scatter(vectors, label)))))
        inside += low <= truth <= high
        low, high = interval(draws)
        raw += low <= truth <= high
    assert inside >= 108  # 95 % of 120 is 114, four standard errors below it 104; it errs on the wide side
    assert raw < 90  # what the plain percentiles would give


def test_recentring_and_rescaling_by_hand() -> None:
    assert recentred(np.array([2.0, 4.0]), 1.0).tolist() == [0.0, 2.0]
    assert recentred(np.array([0.0, 4.0]), 1.0).tolist() == [0.0, 3.0]  # -1 is no separation
    assert rescaled(np.array([1.0, 4.0]), 4.0) == pytest.approx([2.0, 8.0])


def test_intervals_are_percentiles_of_the_draws_that_are_defined() -> None:
    values = np.arange(1, 1001, dtype=np.float64)
    assert interval(values) == (25.0, 975.0)
    assert interval(np.concatenate([values, np.full(500, np.nan)])) == (25.0, 975.0)
    assert all(map(math.isnan, interval(np.concatenate([values, np.full(1500, np.nan)]))))
    assert interval(np.array([1.0, 2.0, np.inf])) == (1.0, math.inf)


def test_equal_names_have_equal_numbers() -> None:
    assert numbered(["b", "a", "b"]).tolist() == [1, 0, 1]
