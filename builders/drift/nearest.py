"""Which benign prompt is nearest to which harmful one: most words in common among those of like length."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from heapq import heappop, heappush

import numpy as np
from numpy.typing import NDArray

WORD = re.compile(r"\w+")
KEPT = 32  # nearest prompts that are remembered for each; when all are given away it looks again


@dataclass(frozen=True, slots=True)
class Near:
    """The place of a benign prompt in the pool, and how like it is: Jaccard similarity of the sets of words."""

    at: int
    similarity: float


class Pool:
    """Benign prompts of which each is given away once.

    Args:
        prompts: in their order, which decides between prompts that are alike near.
        tolerance: by what share of the longer prompt two lengths (characters) may differ.
    """

    def __init__(self, prompts: Sequence[str], tolerance: float) -> None:
        self.tolerance = tolerance
        self.lengths = np.array([len(prompt) for prompt in prompts], np.int64)
        words = [words_of(prompt) for prompt in prompts]
        self.sizes = np.array([len(one) for one in words], np.int64)
        held: dict[str, list[int]] = defaultdict(list)
        for at, one in enumerate(words):
            for word in sorted(one):
                held[word].append(at)
        self._held = {word: np.array(places, np.int64) for word, places in held.items()}

    def alike(self, prompt: str) -> NDArray[np.bool_]:
        """Which prompts of the pool have about the length of this one: shape (pool,)."""
        longer = np.maximum(self.lengths, len(prompt))
        return np.asarray(np.abs(self.lengths - len(prompt)) <= self.tolerance * longer)

    def similarity(self, prompt: str) -> NDArray[np.float64]:
        """Words in common over all words of both: shape (pool,)."""
        words = words_of(prompt)
        shared = np.zeros(len(self.lengths), np.int64)
        for word in words:
            if word in self._held:
                shared[self._held[word]] += 1
        return np.asarray(shared / np.maximum(self.sizes + len(words) - shared, 1))

    def give(self, prompts: Sequence[str]) -> dict[int, Near]:
        """A prompt of the pool for each of these that still finds one, by its place among them.

        Of all pairs of like length the one of most words in common comes first, then the next of what is left, and so
        on. Among equals the nearer lengths come first, then the order of the prompts, then that of the pool.
        """
        free = np.ones(len(self.lengths), bool)
        waiting = [self._nearest(prompt, free) for prompt in prompts]
        found: dict[int, Near] = {}
        heap: list[tuple[float, int, int, int]] = []

        def offer(turn: int) -> None:
            """Puts the nearest prompt that is still free for this one on the heap."""
            while waiting[turn] and not free[waiting[turn][-1][2]]:
                waiting[turn].pop()
            if not waiting[turn]:
                waiting[turn] = self._nearest(prompts[turn], free)
            if waiting[turn]:
                likeness, off, at = waiting[turn][-1]
                heappush(heap, (likeness, off, turn, at))

        for turn in range(len(prompts)):
            offer(turn)
        while heap:
            likeness, _, turn, at = heappop(heap)
            if free[at]:
                found[turn] = Near(at, -likeness)
                free[at] = False
            else:
                offer(turn)
        return found

    def _nearest(self, prompt: str, free: NDArray[np.bool_]) -> list[tuple[float, int, int]]:
        """Negated similarity, difference of length and place of the nearest free prompts, the nearest last."""
        able = np.flatnonzero(free & self.alike(prompt))
        likeness, off = -self.similarity(prompt)[able], np.abs(self.lengths[able] - len(prompt))
        best = np.lexsort((able, off, likeness))[:KEPT][::-1]
        return list(zip(likeness[best].tolist(), off[best].tolist(), able[best].tolist(), strict=True))


def words_of(prompt: str) -> set[str]:
    """The distinct words of a prompt, in lower case."""
    return set(WORD.findall(prompt.lower()))
