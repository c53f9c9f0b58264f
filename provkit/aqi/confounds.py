"""The baselines that a separation stands beside: how well length alone, and words alone, tell the label."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from provkit.aqi.measures import Labels


def baselines(texts: Sequence[str], label: Labels, cluster: Labels) -> tuple[float | None, float | None]:
    """AUC of the label from the length, and from a bag of words, each as max(AUC, 1 - AUC).

    Five folds by cluster (frame or pair), as the audit's rules X001 and X002 measure them. None for both below 40 rows
    of a label, or ten clusters.
    """
    from provkit.audit.confounds import FOLDS, LEAST, auc_alone, bag, lengths

    _, own = np.unique(cluster, return_inverse=True)
    if min(np.bincount(label, minlength=2)) < LEAST or own.max() + 1 < 2 * FOLDS:
        return None, None
    group = own.astype(np.int64)
    by_length = auc_alone(lengths(texts, [""] * len(texts)), label, group)
    return by_length, auc_alone(bag(texts), label, group)
