"""Adds the weighted sum of all layers to a representation, by the kind of weights that a person asks for."""

from __future__ import annotations

from pathlib import Path

from provkit.aqi.layers import Layers
from provkit.aqi.measures import Floats
from provkit.aqi.report import read
from provkit.aqi.rows import LabelledRows
from provkit.aqi.weights import by_reference, halves, learned, uniform, weighted
from provkit.errors import InputError


def add_weighted(
    rows: LabelledRows, layers: Layers, kind: str, reference: Path | None, seed: int
) -> tuple[LabelledRows, Layers]:
    """The representation with one layer more, `uniform`, `sparsemax` or `learned`, and the rows to measure.

    Learned weights are fitted on half of the frames (or pairs), and what comes back is the other half.

    Raises:
        InputError: when there is one layer alone, or sparsemax has no report of the same layers to follow.
    """
    if len(layers.names) < 2:
        raise InputError("there is one layer alone", field="--weights", do="take hidden states: --pool mean or last")
    if kind == "learned":
        mine, others = halves(rows.cluster, seed)
        found = learned(layers.take(mine), rows.label[mine], seed)
        return rows.take(others), weighted(layers.take(others), found, kind)
    weight = uniform(len(layers.names)) if kind == "uniform" else _sparsemax(layers, reference)
    return rows, weighted(layers, weight, kind)


def _sparsemax(layers: Layers, reference: Path | None) -> Floats:
    if reference is None:
        do = "name another report of these layers with --reference DIR, for example of a reference model"
        raise InputError("sparsemax weights follow a reference", field="--reference", do=do)
    figures = read(reference).rows("figures")
    known = {one["layer"]: one["corrected"] for one in figures if one["axiom"] is None}
    if missing := [name for name in layers.names if known.get(name) is None]:
        raise InputError(f"it has no layer {missing[0]}", file=reference, field="--reference")
    return by_reference([known[name] for name in layers.names])
