"""Near-duplicates: candidates by MinHash (datasketch), each confirmed by the exact Jaccard similarity."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from provkit.audit.fields import stretches
from provkit.audit.runs import Tokenised

THRESHOLD = 0.8
SHINGLE = 3  # tokens
PERMUTATIONS = 64
BANDS = (12, 5)  # bands and rows of each: a pair at 0.8 is a candidate with probability 0.992, one at 0.9 with 0.9999
CHUNK = 4096  # texts that are tokenised at a time

Shingles = NDArray[np.uint64]


def shingles(texts: Sequence[str]) -> list[Shingles]:
    """The distinct runs of three case-folded tokens of each text, as sorted hashes; of a shorter text, the whole."""
    found: list[Shingles] = []
    for start in range(0, len(texts), CHUNK):
        tokens = Tokenised.of([text.lower() for text in texts[start : start + CHUNK]])
        grams = stretches(tokens.hashes, SHINGLE)
        for first, end in zip(tokens.first[:-1].tolist(), tokens.first[1:].tolist(), strict=True):
            last = max(end - SHINGLE + 1, first)
            mine = grams[first:last] if last > first else tokens.hashes[first:end]
            found.append(np.unique(mine))
    return found


def similarity(mine: Shingles, other: Shingles) -> float:
    """Jaccard similarity of two sets of shingles."""
    both = len(np.intersect1d(mine, other, assume_unique=True))
    union = len(mine) + len(other) - both
    return both / union if union else 0.0


class NearIndex:
    """Texts to find near-duplicates of."""

    def __init__(self) -> None:
        from datasketch import MinHashLSH

        self._lsh = MinHashLSH(num_perm=PERMUTATIONS, params=BANDS)
        self._shingles: dict[int, Shingles] = {}

    def insert(self, number: int, one: Shingles, sketch: Any) -> None:
        """One more text; one without a token is left out."""
        if len(one):
            self._lsh.insert(number, sketch, check_duplication=False)
            self._shingles[number] = one

    def nearest(self, one: Shingles, sketch: Any) -> tuple[int, float] | None:
        """The number of the most similar text here and its similarity, None when none reaches the threshold."""
        if not len(one):
            return None
        near = [(similarity(one, self._shingles[at]), -at) for at in self._lsh.query(sketch)]
        best = max(near, default=(0.0, 0))
        return (-best[1], best[0]) if best[0] >= THRESHOLD else None


def near_pairs(texts: Sequence[str]) -> Iterator[tuple[int, int, float]]:
    """Goes through texts in order and keeps those that are like none kept before.

    Yields:
        For each text that is not kept: its number, that of the kept text it is most like, and the similarity.
    """
    some = shingles(texts)
    index = NearIndex()
    for number, (one, sketch) in enumerate(zip(some, sketches(some), strict=True)):
        twin = index.nearest(one, sketch)
        if twin is None:
            index.insert(number, one, sketch)
        else:
            yield number, *twin


def sketches(some: Sequence[Shingles]) -> Iterator[Any]:
    """The MinHash of each set of shingles; their hashes are taken as they are."""
    from datasketch import MinHash

    empty = MinHash(num_perm=PERMUTATIONS, hashfunc=int)
    for one in some:
        sketch = empty.copy()  # a new one would draw its permutations again
        sketch.update_batch((one >> np.uint64(32)).astype(np.uint32).tolist())
        yield sketch
