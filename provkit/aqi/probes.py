"""Linear probes that are tested where they were not fitted: a whole axiom or a whole source is held out.

A probe can reach any AUC on rows like its own; what it does on a category that it has not seen is the test ("Detection
Is Cheap, Routing Is Learned"). Beside each stand probes of permuted labels, which answer what the same fit finds in
nothing.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from provkit.aqi.measures import Floats, Labels
from provkit.aqi.model import Probe
from provkit.aqi.rows import LabelledRows
from provkit.inference import ranked_auc

RIDGE = 0.1  # of the mean squared length of the rows


def probes(vectors: Floats, rows: LabelledRows, layer: str, position: int, controls: int, seed: int) -> Iterator[Probe]:
    """The probes of one layer; a part is left out where it, or what remains, has not both labels."""
    labels = permuted(rows.label, rows.stratum, controls, seed)
    for by, names in (("axiom", rows.axioms), ("source", rows.sources)):
        of = np.array(names)
        for name in sorted(set(names)):
            held = of == name
            if len(set(rows.label[held])) < 2 or len(set(rows.label[~held])) < 2:
                continue
            found = held_out(vectors, labels, held)
            control = found[1:]
            yield Probe(
                layer,
                position,
                by,
                name,
                int((~held).sum()),
                int(held.sum()),
                float(found[0]),
                float(control.mean()) if controls else float("nan"),
                float(control.max()) if controls else float("nan"),
            )


def permuted(label: Labels, stratum: Labels, controls: int, seed: int) -> Labels:
    """The labels and, behind them, `controls` permutations within strata: shape (1 + controls, rows)."""
    chance = np.random.Generator(np.random.PCG64(seed))
    order = np.argsort(stratum, kind="stable")
    ordered, found = stratum[order].astype(np.float64), np.tile(label, (1 + controls, 1))
    for control in range(1, 1 + controls):
        places = np.argsort(ordered + chance.random(len(label)))
        found[control, order] = label[order][places]
    return found


def held_out(vectors: Floats, labels: Labels, held: np.ndarray) -> Floats:
    """The AUC on the held-out rows of a ridge classifier of each labelling, fitted on the others: shape (labellings,).

    Ridge regression on labels of -1 and 1 over standardised dimensions, with a penalty of a tenth of the rows' mean
    squared length; all labellings share one factorisation.
    """
    train = vectors[~held]
    centre, scale = train.mean(axis=0), train.std(axis=0)
    scale[scale == 0] = 1.0
    train, test = (train - centre) / scale, (vectors[held] - centre) / scale
    wanted = 2.0 * labels[:, ~held].T - 1.0
    wanted -= wanted.mean(axis=0)
    penalty = max(RIDGE * float(np.einsum("ij,ij->", train, train)) / len(train), 1e-12)  # rows that are all one
    if train.shape[1] <= len(train):
        weights = np.linalg.solve(train.T @ train + penalty * np.eye(train.shape[1]), train.T @ wanted)
    else:
        weights = train.T @ np.linalg.solve(train @ train.T + penalty * np.eye(len(train)), wanted)
    scores = test @ weights
    return np.array([ranked_auc(scores[:, at], labels[at, held]) for at in range(len(labels))])
