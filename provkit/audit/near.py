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

        self._lsh = MinHashLSH(threshold=THRESHOLD, num_perm=PERMUTATIONS)
        self._shingles: list[Shingles] = []

    def add(self, some: Sequence[Shingles]) -> None:
        """More texts; those without a token are left out."""
        for one, sketch in zip(some, sketches(some), strict=True):
            if len(one):
                self._lsh.insert(len(self._shingles), sketch, check_duplication=False)
            self._shingles.append(one)

    def twins(self, some: Sequence[Shingles]) -> Iterator[tuple[int, int, float]]:
        """For each of these texts that has a near-duplicate here: its number, the nearest one's, the similarity."""
        for number, (one, sketch) in enumerate(zip(some, sketches(some), strict=True)):
            if not len(one):
                continue
            near = [(similarity(one, self._shingles[at]), -at) for at in self._lsh.query(sketch)]
            if near and (best := max(near))[0] >= THRESHOLD:
                yield number, -best[1], best[0]

    def pairs(self, some: Sequence[Shingles]) -> Iterator[tuple[int, int, float]]:
        """Adds texts one by one; yields each that has a near-duplicate before it, as `twins`."""
        for one, sketch in zip(some, sketches(some), strict=True):
            number = len(self._shingles)
            if len(one):
                near = [(similarity(one, self._shingles[at]), -at) for at in self._lsh.query(sketch)]
                if near and (best := max(near))[0] >= THRESHOLD:
                    yield number, -best[1], best[0]
                self._lsh.insert(number, sketch, check_duplication=False)
            self._shingles.append(one)


def sketches(some: Sequence[Shingles]) -> Iterator[Any]:
    """The MinHash of each set of shingles; their hashes are taken as they are."""
    from datasketch import MinHash

    for one in some:
        sketch = MinHash(num_perm=PERMUTATIONS, hashfunc=int)
        sketch.update_batch((one >> np.uint64(32)).astype(np.uint32).tolist())
        yield sketch
