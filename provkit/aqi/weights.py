"""One representation out of all layers: each layer brought to one scale, and added up under weights that sum to one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from provkit.aqi.layers import Layers
from provkit.aqi.measures import Floats, Labels
from provkit.errors import InputError

PAIRS = 1024  # of a safe and an unsafe row, that weights are learned from
MARGIN = 2.0  # distance that a safe and an unsafe row should have; rows lie 1 from their mean, root mean square


def uniform(layers: int) -> Floats:
    """Every layer alike."""
    return np.full(layers, 1 / layers)


def sparsemax(scores: Sequence[float] | Floats) -> Floats:
    """The point of the simplex nearest to the scores, which leaves out the low ones (Martins and Astudillo 2016,
    arXiv 1602.02068): max(score - tau, 0), with tau such that they sum to 1."""
    found = np.asarray(scores, np.float64)
    ordered = np.sort(found)[::-1]
    summed = np.cumsum(ordered) - 1
    support = int(np.flatnonzero(ordered * np.arange(1, len(found) + 1) > summed)[-1]) + 1
    point: Floats = np.maximum(found - summed[support - 1] / support, 0.0)
    return point


def by_reference(scores: Sequence[float]) -> Floats:
    """Sparsemax of what a reference measured of each layer, brought to a mean of 0 and a spread of 1.

    The reference is another report: weights out of the very figures that they are used for would flatter them.
    """
    found = np.asarray(scores, np.float64)
    spread = found.std()
    return sparsemax((found - found.mean()) / spread if spread else found * 0)


def learned(layers: Layers, label: Labels, seed: int) -> Floats:
    """Weights of a small head: one number a layer under softmax, fitted to the margin loss of arXiv 2506.13901.

    The loss is the mean of max(0, M - |h_i - h_j|) over pairs of a safe row i and an unsafe row j, h being the weighted
    sum of the layers. What it is fitted on must not be measured with it: see `halves`.
    """
    from scipy.optimize import minimize

    chance = np.random.Generator(np.random.PCG64(seed))
    safe, unsafe = (np.flatnonzero(label == side) for side in (0, 1))
    first, second = chance.choice(safe, PAIRS), chance.choice(unsafe, PAIRS)
    apart = []
    for at in range(len(layers.names)):
        vectors = layers.read(at)
        apart.append(((vectors[first] - vectors[second]) / radius(vectors)).astype(np.float32))
    if len({one.shape for one in apart}) > 1:
        raise InputError("its layers differ in their dimensions and have no sum", field="--weights")
    products = np.array([[np.einsum("ij,ij->i", one, other) for other in apart] for one in apart], np.float64)

    def loss(free: Floats) -> tuple[float, Floats]:
        return margin_loss(free, products)

    found = minimize(loss, np.zeros(len(apart)), jac=True, method="L-BFGS-B")
    return softmax(found.x)


def margin_loss(free: Floats, products: Floats) -> tuple[float, Floats]:
    """The loss and its gradient.

    Args:
        free: the parameters, (layers,), whose softmax are the weights.
        products: inner products of a pair's differences in two layers, (layers, layers, pairs).
    """
    weight = softmax(free)
    along = np.einsum("i,ijp->jp", weight, products)
    distance = np.sqrt(np.maximum(np.einsum("j,jp->p", weight, along), 1e-12))
    short = distance < MARGIN
    gradient = -(along[:, short] / distance[short]).sum(axis=1) / len(distance)
    return float(np.maximum(MARGIN - distance, 0.0).mean()), weight * (gradient - weight @ gradient)


def softmax(free: Floats) -> Floats:
    """Positive weights that sum to 1."""
    raised = np.exp(free - free.max())
    return np.asarray(raised / raised.sum())


def radius(vectors: Floats) -> float:
    """The root mean square distance of the rows from their mean; 1 where all are one."""
    return float(np.sqrt(vectors.var(axis=0).sum())) or 1.0


def halves(cluster: Labels, seed: int) -> tuple[Labels, Labels]:
    """Positions to learn from and positions to measure: whole frames or pairs, half of them each."""
    order = np.random.Generator(np.random.PCG64(seed)).permutation(int(cluster.max()) + 1)
    mine = np.isin(cluster, order[: len(order) // 2])
    return np.flatnonzero(mine), np.flatnonzero(~mine)


def weighted(layers: Layers, weight: Floats, name: str) -> Layers:
    """The representation with one layer more, the weighted sum of the others on one scale.

    Raises:
        InputError: when the layers differ in their dimensions.
    """

    def read(at: int) -> Floats:
        if at < len(layers.names):
            return layers.read(at)
        found: Floats | None = None
        for number in np.flatnonzero(weight):
            vectors = layers.read(int(number))
            part = vectors * (weight[number] / radius(vectors))
            if found is not None and found.shape != part.shape:
                raise InputError("its layers differ in their dimensions and have no sum", field="--weights")
            found = part if found is None else found + part
        assert found is not None
        return found

    facts = {**layers.facts, "weights": dict(zip(layers.names, map(float, weight), strict=True)), "weighted": name}
    return Layers(layers.name, (*layers.names, name), read, facts)
