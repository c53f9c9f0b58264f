"""A small set with pairs, sources and axioms, and vectors whose labels lie apart by a known distance."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from provkit.aqi import LabelledRows, labelled

Make = Callable[..., LabelledRows]


@pytest.fixture
def make_rows() -> Make:
    """`make_rows(pairs, axioms=2, sources=3)`: twins "good …" and "bad …" that share all but one word."""

    def make(pairs: int, axioms: int = 2, sources: int = 3, **further: Any) -> LabelledRows:
        each = [
            (
                f"{side}/test/{at}",
                {
                    "input": f"{word} word number {at} {'long ' * (at % 5)}",
                    "axiom": f"axiom {at % axioms}",
                    "safety_label": side,
                    "source_dataset": f"source {at % sources}",
                    "pair_id": f"pair {at}",
                    "row_id": f"{side} {at}",
                    **further,
                },
            )
            for side, word in (("safe", "good"), ("unsafe", "bad"))
            for at in range(pairs)
        ]
        return labelled("small", each)

    return make


@pytest.fixture
def apart() -> Callable[[LabelledRows, float], np.ndarray]:
    """Normal vectors in eight dimensions, unsafe rows moved along the first."""

    def make(rows: LabelledRows, distance: float, seed: int = 0) -> np.ndarray:
        found = np.random.default_rng(seed).normal(size=(len(rows), 8))
        found[:, 0] += distance * rows.label
        return found

    return make
