"""MinHash: texts as sets of hashed token runs, their signatures and bands, and the exact similarity of two sets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from provkit.index._native import kernel
from provkit.index.words import current, joined, tokenise

Hashes = NDArray[np.uint64]
Places = NDArray[np.int64]

BLOCK = 4096  # texts that are hashed at once
SEED = 42  # of the hash functions: what is near does not depend on the recipe's seed
RECALL = (0.1, 0.9)  # weights of false positives, which are cheap since each is checked, and of false negatives
PRIME = np.uint64(0x100000001B3)
FACTOR = np.uint64(0x9E3779B97F4A7C15)
STIR = np.uint64(0xBF58476D1CE4E5B9)
HALF = np.uint64(29)


@dataclass(frozen=True, slots=True)
class Runs:
    """The distinct runs of tokens of each text: sorted 64-bit hashes, text after text, and where each text begins."""

    hashes: Hashes
    begins: Places  # one more entry than texts

    def __len__(self) -> int:
        return len(self.begins) - 1

    @classmethod
    def of(cls, texts: Iterable[str], ngram: int) -> Runs:
        """The runs of `ngram` tokens, in lower case; a shorter text is one run, so empty texts are alike."""
        rest = iter(texts)
        found = [one for block in iter(lambda: list(islice(rest, BLOCK)), []) for one in _runs(block, ngram)]
        begins = np.cumsum([0, *map(len, found)], dtype=np.int64)
        return cls(np.concatenate(found) if found else np.empty(0, np.uint64), begins)

    def signatures(self, permutations: int) -> NDArray[np.uint32]:
        """For each text, under each hash function, the least hash of its runs: shape (texts, permutations)."""
        chance = np.random.Generator(np.random.PCG64(SEED))
        factors = chance.integers(0, 2**32, permutations, np.uint32) | np.uint32(1)
        shifts = chance.integers(0, 2**32, permutations, np.uint32)
        return least(self.hashes.astype(np.uint32), self.begins, factors, shifts)

    def bands(self, permutations: int, threshold: float) -> Hashes:
        """A key for each band of each signature; texts that share one are candidates. Shape (texts, bands).

        How many bands, of how many hash functions each, is datasketch's choice for the threshold.
        """
        from datasketch import MinHashLSH

        chosen = MinHashLSH(threshold=threshold, num_perm=permutations, weights=RECALL)
        signed = self.signatures(permutations)[:, : chosen.b * chosen.r].reshape(len(self), chosen.b, chosen.r)
        keys = np.tile(np.arange(chosen.b, dtype=np.uint64), (len(self), 1))
        for at in range(chosen.r):
            keys = (keys ^ signed[:, :, at]) * FACTOR
            keys = (keys ^ keys >> HALF) * STIR
        return keys


def _runs(block: list[str], ngram: int) -> Iterator[Hashes]:
    tokens = tokenise(*joined([text.lower().encode("utf-8", "replace") for text in block]), current())
    hashes, begins = hashed(tokens.buffer, tokens.starts, tokens.ends, tokens.first, ngram)
    for start, end in zip(begins[:-1].tolist(), begins[1:].tolist(), strict=True):
        yield np.unique(hashes[start:end])


@kernel
def hashed(buffer: NDArray[np.uint8], starts: Places, ends: Places, first: Places, ngram: int) -> tuple[Hashes, Places]:
    """The hash of each run of tokens, and where the runs of each text begin."""
    tokens = np.empty(len(starts), np.uint64)
    for token in range(len(starts)):
        mixed = np.uint64(0xCBF29CE484222325)
        for at in range(starts[token], ends[token]):
            mixed = (mixed ^ np.uint64(buffer[at])) * PRIME
        tokens[token] = (mixed ^ (mixed >> HALF)) * STIR
    begins = np.zeros(len(first), np.int64)
    for text in range(len(first) - 1):
        begins[text + 1] = begins[text] + max(first[text + 1] - first[text] - ngram + 1, 1)
    runs = np.empty(begins[-1], np.uint64)
    for text in range(len(first) - 1):
        for run in range(begins[text], begins[text + 1]):
            start = first[text] + run - begins[text]
            mixed = np.uint64(0)
            for token in range(start, min(start + ngram, first[text + 1])):
                mixed = (mixed + tokens[token]) * FACTOR
            runs[run] = (mixed ^ (mixed >> HALF)) * STIR
    return runs, begins


@kernel
def least(
    hashes: NDArray[np.uint32], begins: Places, factors: NDArray[np.uint32], shifts: NDArray[np.uint32]
) -> NDArray[np.uint32]:
    """The least of `factor * hash + shift` (mod 2**32) over the runs of each text: shape (texts, factors)."""
    found = np.empty((len(begins) - 1, len(factors)), np.uint32)
    for text in range(len(begins) - 1):
        own = hashes[begins[text] : begins[text + 1]]
        for number in range(len(factors)):
            factor, shift = factors[number], shifts[number]
            lowest = np.uint32(0xFFFFFFFF)
            for one in own:
                lowest = min(lowest, np.uint32(factor * one + shift))
            found[text, number] = lowest
    return found


@kernel
def jaccard(hashes: Hashes, begins: Places, one: int, other: int) -> float:
    """Shared runs of two texts over all their runs."""
    at, end = begins[one], begins[one + 1]
    to, limit = begins[other], begins[other + 1]
    every = end - at + limit - to
    shared = 0
    while at < end and to < limit:
        mine, its = hashes[at], hashes[to]
        shared += mine == its
        at += mine <= its
        to += its <= mine
    return float(shared / (every - shared))


@kernel
def first_like(hashes: Hashes, begins: Places, one: int, others: Places, threshold: float) -> tuple[int, float]:
    """The first of `others` whose similarity to a text reaches the threshold, and that; -1 when none does."""
    for other in others:
        similarity = jaccard(hashes, begins, one, other)
        if similarity >= threshold:
            return other, similarity
    return -1, 0.0
