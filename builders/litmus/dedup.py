"""The step `litmus_dedup`: one of each text, of near equal texts, and of texts that mean the same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from provkit.builders.litmus.axiom import text_of
from provkit.embed import DEFAULT
from provkit.registry import builder
from provkit.table import Order, Rows, Selection

BLOCK = 512  # rows that are compared with all before them at once
Share = Annotated[float, Field(gt=0, le=1)]


@builder
class LitmusDedup:
    """Keeps the first of equal texts, whatever their label, and of near ones within a label.

    A contrast of one word between a safe and an unsafe text is what a matched pair is for, so near texts of two labels
    both stay. Pairs out of the grammar, whose frames make them alike by design, are compared for equality alone.

    Args:
        near: Jaccard similarity of runs of three tokens from which two texts are one (MinHash, each confirmed); at 1
            only equal texts are.
        semantic: cosine of sentence embeddings from which they are one (extra embed); not asked where left out.
        model: the embedding model.
    """

    near: Share = 0.8
    semantic: Share | None = None
    model: str = DEFAULT

    def select(self, rows: Rows) -> Selection:
        """The rows that stay, in their order."""
        contents = list(rows.contents())
        texts = [" ".join(text_of(one).lower().split()) for one in contents]
        labels = [str(one.get("safety_label")) for one in contents]
        reasons: dict[int, tuple[str, int, float]] = {}
        first: dict[str, int] = {}
        for at, text in enumerate(texts):
            before = first.setdefault(text, at)
            if before != at:
                told = labels[before] == labels[at]
                reasons[at] = ("equal text" if told else "equal text of the other label", before, 1.0)
        for label in sorted(set(labels)):
            mine = [at for at in range(len(rows)) if labels[at] == label and at not in reasons and _free(contents[at])]
            for at, before, likeness in self._near(mine, texts):
                reasons[at] = ("near text", before, likeness)
            left = [at for at in mine if at not in reasons]
            for at, before, likeness in self._semantic(left, contents):
                reasons[at] = ("same meaning", before, likeness)
        dropped = np.array(sorted(reasons), np.int64)
        kept = np.setdiff1d(np.arange(len(rows)), dropped)
        found = [reasons[at] for at in dropped.tolist()]
        names = rows.locators(np.array([before for _, before, _ in found], np.int64)) if found else []
        details = [f"as {name}, {one[2]:.3g}" for name, one in zip(names, found, strict=True)]
        return Selection(kept, dropped, [one[0] for one in found], details)

    def _near(self, positions: Sequence[int], texts: Sequence[str]) -> list[tuple[int, int, float]]:
        if self.near == 1 or not positions:
            return []
        from provkit.builders.transforms.minhash import Runs
        from provkit.builders.transforms.near_dedup import first_alike

        twin, likeness = first_alike(Runs.of((texts[at] for at in positions), 3), 128, self.near)
        return [
            (positions[at], positions[int(twin[at])], float(likeness[at])) for at in np.flatnonzero(twin >= 0).tolist()
        ]

    def _semantic(self, positions: Sequence[int], contents: Sequence[dict[str, Any]]) -> list[tuple[int, int, float]]:
        if self.semantic is None or not positions:
            return []
        from provkit.embed import Embedder

        vectors = Embedder(self.model).encode([text_of(contents[at]) for at in positions])
        twin, cosine = first_of_meaning(vectors, self.semantic)
        return [
            (positions[at], positions[int(twin[at])], float(cosine[at])) for at in np.flatnonzero(twin >= 0).tolist()
        ]


def first_of_meaning(vectors: NDArray[np.float32], threshold: float) -> tuple[Order, NDArray[np.float64]]:
    """For each unit vector the first kept one before it of that cosine, -1 where it is kept itself, and the cosine."""
    twin, cosine = np.full(len(vectors), -1, np.int64), np.zeros(len(vectors))
    kept = np.ones(len(vectors), bool)
    for start in range(0, len(vectors), BLOCK):
        end = min(start + BLOCK, len(vectors))
        cosines = vectors[start:end] @ vectors[:end].T
        for at in range(start, end):
            hits = np.flatnonzero((cosines[at - start, :at] >= threshold) & kept[:at])
            if len(hits):
                twin[at], cosine[at], kept[at] = hits[0], cosines[at - start, hits[0]], False
    return twin, cosine


def _free(content: dict[str, Any]) -> bool:
    return content.get("frame") is None
