"""The step `near_dedup`: near duplicates by MinHash, each confirmed by its exact Jaccard similarity."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from provkit.builders.transforms.texts import texts
from provkit.registry import builder
from provkit.row import Row
from provkit.table import Order, Rows, Selection

if TYPE_CHECKING:
    from provkit.builders.transforms.minhash import Runs


@builder
class NearDedup:
    """Keeps the first of rows that are nearly equal and drops the later ones.

    MinHash (Broder 1997) over runs of tokens, with locality-sensitive hashing whose bands datasketch chooses for the
    threshold. A candidate is dropped only when its exact Jaccard similarity to a row that is kept reaches the
    threshold; its detail names that row and the similarity. A pair at the threshold itself is found with a
    probability of about 0.9, one above it by 0.05 nearly always. Texts are compared in lower case and without their
    white space.

    Args:
        by: what is compared: the answer, the prompt, or all text of the row.
        threshold: Jaccard similarity from which two rows are one.
        ngram: how many tokens a run has; a shorter text is one run.
        permutations: how many hash functions; more find more.
    """

    by: Literal["answer", "prompt", "row"] = "row"
    threshold: Annotated[float, Field(gt=0, le=1)] = 0.8
    ngram: Annotated[int, Field(ge=1)] = 3
    permutations: Annotated[int, Field(ge=16, le=1024)] = 128

    def select(self, rows: Rows) -> Selection:
        """The first of each group of near duplicates, in order."""
        from provkit.builders.transforms.minhash import Runs

        runs = Runs.of((self.text(row) for row in rows.rows()), self.ngram)
        twin, likeness = first_alike(runs, self.permutations, self.threshold)
        dropped = np.flatnonzero(twin >= 0)
        names = zip(rows.locators(twin[dropped]), likeness[dropped].tolist(), strict=True)
        details = [f"like {name}, similarity {similarity:.3g}" for name, similarity in names]
        return Selection(np.flatnonzero(twin < 0), dropped, f"near-duplicate {self.by}", details)

    def text(self, row: Row) -> str:
        """What is compared of a row."""
        if self.by == "row":
            return "\n".join(texts(row))
        return row.answer if self.by == "answer" else row.prompt


def first_alike(runs: Runs, permutations: int, threshold: float) -> tuple[Order, NDArray[np.float64]]:
    """For each text the first kept one that it is like, -1 where it is kept itself, and how like they are."""
    from provkit.builders.transforms.minhash import first_like

    twin = np.full(len(runs), -1, np.int64)
    likeness = np.zeros(len(runs))
    if not len(runs):
        return twin, likeness
    bands = runs.bands(permutations, threshold)
    _, places, sizes = np.unique(bands, return_inverse=True, return_counts=True)
    shared = sizes[places.reshape(bands.shape)] > 1
    kept: dict[int, list[int]] = defaultdict(list)  # by band key: the kept texts that have it
    for at in np.flatnonzero(shared.any(axis=1)).tolist():
        keys = bands[at, shared[at]].tolist()
        others = sorted({other for key in keys for other in kept.get(key, ())})
        if others:
            twin[at], likeness[at] = first_like(runs.hashes, runs.begins, at, np.array(others), threshold)
        if twin[at] < 0:
            for key in keys:
                kept[key].append(at)
    return twin, likeness
