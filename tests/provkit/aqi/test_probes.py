"""Probes that hold a whole axiom or source out, and their controls."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from sklearn.linear_model import Ridge
from sklearn.metrics import roc_auc_score
from sklearn.preprocessing import StandardScaler

from provkit.aqi import LabelledRows
from provkit.aqi.probes import RIDGE, held_out, permuted, probes, ranked_auc

Make = Callable[..., LabelledRows]
Apart = Callable[..., np.ndarray]


@pytest.mark.parametrize("dimensions", [5, 90])
def test_the_probe_is_scikit_learns_ridge_on_standardised_rows(dimensions: int) -> None:
    """In few dimensions and in more than there are rows, where the dual is solved."""
    chance = np.random.default_rng(3)
    vectors, label = chance.normal(size=(80, dimensions)), chance.integers(2, size=80)
    vectors[:, 0] += label
    held = np.arange(80) >= 50
    scaler = StandardScaler().fit(vectors[~held])
    train = scaler.transform(vectors[~held])
    penalty = RIDGE * float((train**2).sum()) / len(train)
    ridge = Ridge(alpha=penalty).fit(train, 2 * label[~held] - 1)
    expected = roc_auc_score(label[held], ridge.predict(scaler.transform(vectors[held])))
    assert held_out(vectors, label[None, :], held)[0] == pytest.approx(expected)


def test_auc_by_hand_and_against_scikit_learn() -> None:
    assert ranked_auc(np.array([1.0, 2, 3, 4]), np.array([0, 0, 1, 1])) == 1.0
    assert ranked_auc(np.array([1.0, 1, 1, 1]), np.array([0, 1, 0, 1])) == 0.5
    assert ranked_auc(np.array([3.0, 1, 2]), np.array([0, 1, 1])) == 0.0
    assert np.isnan(ranked_auc(np.array([1.0, 2]), np.array([1, 1])))
    chance = np.random.default_rng(1)
    score, label = chance.integers(6, size=50).astype(float), chance.integers(2, size=50)
    assert ranked_auc(score, label) == pytest.approx(roc_auc_score(label, score))


def test_each_axiom_and_source_is_held_out_once(make_rows: Make, apart: Apart) -> None:
    rows = make_rows(90)
    found = list(probes(apart(rows, 3.0), rows, "7", 7, controls=10, seed=1))
    assert [(one.by, one.held_out) for one in found] == [
        *(("axiom", f"axiom {at}") for at in range(2)),
        *(("source", f"source {at}") for at in range(3)),
    ]
    assert all(one.auc > 0.9 and one.trained + one.rows == 180 and one.layer == "7" for one in found)
    assert all(abs(one.control - 0.5) < 0.1 and one.control <= one.control_most for one in found)


def test_a_direction_of_one_axiom_is_nothing_on_another(make_rows: Make) -> None:
    """What a probe learns on an axiom need not hold elsewhere: here each has a direction of its own."""
    rows = make_rows(200)
    vectors = np.random.default_rng(2).normal(size=(400, 6))
    for axis, axiom in enumerate(("axiom 0", "axiom 1")):
        at = rows.of(axiom)
        vectors[at, axis] += 4 * rows.label[at]
    held = [one for one in probes(vectors, rows, "x", 0, 10, 1) if one.by == "axiom"]
    assert all(abs(one.auc - 0.5) < 0.12 for one in held)


def test_what_has_one_label_alone_cannot_be_held_out(make_rows: Make, apart: Apart) -> None:
    rows = make_rows(30)
    split = replace(rows, sources=tuple("mmlu" if not one else "harm" for one in rows.label))
    assert {one.by for one in probes(apart(rows, 1.0), split, "x", 0, 2, 1)} == {"axiom"}
    alone = replace(rows, axioms=("one",) * 60, sources=("one",) * 60)
    assert list(probes(apart(rows, 1.0), alone, "x", 0, 2, 1)) == []


def test_controls_keep_each_pair_s_labels() -> None:
    label, pair = np.array([0, 1] * 20), np.repeat(np.arange(20), 2)
    found = permuted(label, pair, 30, seed=4)
    assert np.array_equal(found[0], label)
    assert (found.reshape(31, 20, 2).sum(axis=2) == 1).all()
    assert 0.4 < (found[1:] == label).mean() < 0.6


def test_rows_that_are_all_one_tell_nothing(make_rows: Make) -> None:
    """As the state of the last token at layer 0 of a model whose rows all end in the same token."""
    found = list(probes(np.ones((40, 3)), make_rows(20), "0", 0, 2, 1))
    assert found and all(one.auc == one.control == 0.5 for one in found)
