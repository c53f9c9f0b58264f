"""Where each row lies between the two means, and on a plane for the picture; the texts masked unless asked for."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from provkit.aqi.measures import Floats, divided
from provkit.aqi.model import Placed
from provkit.aqi.rows import LabelledRows
from provkit.markup import masked

LONGEST = 200  # characters of a shown one


def place(vectors: Floats, rows: LabelledRows, excerpts: bool) -> Iterator[Placed]:
    """Each row with its projection on the difference of the means, and its first two principal components."""
    means = [vectors[rows.label == side].mean(axis=0) for side in (0, 1)]
    axis = means[1] - means[0]
    scores = divided((vectors - means[0]) @ axis, float(axis @ axis))
    plane = components(vectors)
    for at, text in enumerate(rows.texts):
        yield Placed(
            at,
            rows.keys[at],
            rows.row_ids[at],
            rows.pairs[at],
            rows.axioms[at],
            "unsafe" if rows.label[at] else "safe",
            rows.sources[at],
            float(scores[at]),
            float(plane[at, 0]),
            float(plane[at, 1]),
            text[:LONGEST] if excerpts else masked(text),
        )


def components(vectors: Floats) -> Floats:
    """The rows on their first two principal components, each with its largest entry positive: (rows, 2)."""
    centred = vectors - vectors.mean(axis=0)
    if centred.shape[1] <= len(centred):
        axes = np.linalg.eigh(centred.T @ centred)[1][:, ::-1][:, :2]
        found = centred @ axes
    else:
        values, axes = np.linalg.eigh(centred @ centred.T)
        found = axes[:, ::-1][:, :2] * np.sqrt(np.maximum(values[::-1][:2], 0.0))
    if found.shape[1] < 2:
        found = np.hstack([found, np.zeros((len(found), 2 - found.shape[1]))])
    largest = np.abs(found).argmax(axis=0)
    signs = np.sign(found[largest, np.arange(2)])
    return np.asarray(found * np.where(signs == 0, 1.0, signs))
