"""Weights of layers: sparsemax against its definition, the margin loss against differences, and what is learned."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from provkit.aqi import Options, add_weighted, measure, of_matrix, write
from provkit.aqi.rows import LabelledRows, labelled
from provkit.aqi.weights import (
    by_reference,
    halves,
    learned,
    margin_loss,
    radius,
    softmax,
    sparsemax,
    uniform,
    weighted,
)
from provkit.errors import InputError

QUICK = Options(draws=20, permutations=19, controls=0)


@given(st.lists(st.floats(-5, 5), min_size=1, max_size=8))
def test_sparsemax_is_the_nearest_point_of_the_simplex(scores: list[float]) -> None:
    """Against the definition: no point of the simplex is nearer; by the variational inequality at the corners."""
    found = sparsemax(scores)
    assert found.sum() == pytest.approx(1) and (found >= 0).all()
    for corner in np.eye(len(scores)):
        assert (np.array(scores) - found) @ (corner - found) <= 1e-9


def test_sparsemax_by_hand() -> None:
    assert sparsemax([0.0, 0.0]).tolist() == [0.5, 0.5]
    assert sparsemax([3.0, 1.0, 0.0]).tolist() == [1.0, 0.0, 0.0]
    assert sparsemax([1.0, 0.5, -1.0]) == pytest.approx([0.75, 0.25, 0.0])


def test_a_reference_without_differences_gives_every_layer_alike() -> None:
    assert by_reference([2.0, 2.0, 2.0]) == pytest.approx(uniform(3))
    found = by_reference([0.0, 0.0, 0.0, 10.0])
    assert found.argmax() == 3 and found[3] > 0.9


def test_the_gradient_of_the_margin_loss() -> None:
    chance = np.random.default_rng(2)
    apart = chance.normal(size=(3, 40, 6)) * np.array([0.2, 0.5, 1.0])[:, None, None]
    products = np.einsum("ipd,jpd->ijp", apart, apart)
    free = chance.normal(size=3)
    value, gradient = margin_loss(free, products)
    weight = softmax(free)
    distances = np.linalg.norm(np.einsum("i,ipd->pd", weight, apart), axis=1)
    assert value == pytest.approx(np.maximum(0, 2.0 - distances).mean())
    for at in range(3):
        step = np.eye(3)[at] * 1e-6
        slope = (margin_loss(free + step, products)[0] - margin_loss(free - step, products)[0]) / 2e-6
        assert gradient[at] == pytest.approx(slope, abs=1e-6)


@pytest.fixture
def rows() -> LabelledRows:
    each = [
        (str(at), {"input": f"text {at}", "axiom": "A", "safety_label": ("safe", "unsafe")[at % 2], "pair_id": at // 2})
        for at in range(200)
    ]
    return labelled("set", each)


@pytest.fixture
def stack(rows: LabelledRows) -> np.ndarray:
    """Four layers of noise, the third of which separates the labels; they differ in scale."""
    found = np.random.default_rng(0).normal(size=(4, 200, 10)) * np.array([1, 10, 100, 0.1])[:, None, None]
    found[2, :, 0] += 600 * rows.label
    return found


def test_the_weighted_layer_is_the_sum_of_layers_on_one_scale(stack: np.ndarray) -> None:
    weight = np.array([0.5, 0.0, 0.25, 0.25])
    layers = weighted(of_matrix("x", stack), weight, "mine")
    assert layers.names == ("0", "1", "2", "3", "mine")
    expected = sum(weight[at] * stack[at] / np.sqrt(stack[at].var(axis=0).sum()) for at in (0, 2, 3))
    assert layers.read(4) == pytest.approx(expected)
    assert np.array_equal(layers.read(1), stack[1])
    assert radius(stack[1]) == pytest.approx(np.sqrt(((stack[1] - stack[1].mean(axis=0)) ** 2).sum(axis=1).mean()))


def test_the_head_learns_the_layer_that_separates(stack: np.ndarray, rows: LabelledRows) -> None:
    found = learned(of_matrix("x", stack), rows.label, seed=1)
    assert found.argmax() == 2 and found[2] > 0.9
    assert np.array_equal(found, learned(of_matrix("x", stack), rows.label, seed=1))


def test_what_is_learned_from_is_not_measured(stack: np.ndarray, rows: LabelledRows) -> None:
    mine, others = halves(rows.cluster, seed=3)
    assert len(mine) == len(others) == 100 and set(mine) | set(others) == set(range(200))
    assert not set(rows.cluster[mine]) & set(rows.cluster[others])
    left, layers = add_weighted(rows, of_matrix("x", stack), "learned", None, seed=3)
    assert left.texts == tuple(rows.texts[at] for at in others)
    assert left.digest != rows.digest and left.label.tolist() == rows.label[others].tolist()
    assert np.array_equal(layers.read(0), stack[0][others]) and layers.names[-1] == "learned"


def test_sparsemax_follows_another_report(stack: np.ndarray, rows: LabelledRows, tmp_path: Path) -> None:
    layers = of_matrix("x", stack)
    write(measure(rows, layers, QUICK), tmp_path / "reference")
    same, found = add_weighted(rows, layers, "sparsemax", tmp_path / "reference", seed=1)
    assert same is rows
    assert found.facts["weights"]["2"] > 0.9
    with pytest.raises(InputError, match="sparsemax weights follow a reference"):
        add_weighted(rows, layers, "sparsemax", None, seed=1)
    with pytest.raises(InputError, match="it has no layer 4"):
        add_weighted(rows, of_matrix("x", np.concatenate([stack, stack[:1]])), "sparsemax", tmp_path / "reference", 1)


def test_one_layer_alone_has_no_weights(stack: np.ndarray, rows: LabelledRows) -> None:
    with pytest.raises(InputError, match="there is one layer alone"):
        add_weighted(rows, of_matrix("x", stack[0]), "uniform", None, seed=1)
