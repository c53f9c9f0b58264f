"""The unigram model of a corpus: how often each lower-cased token occurs, and the BCI that follows from it.

BCI (TRACEALIGN, arXiv 2508.02063) of a text is minus the sum of ln P(token), P the frequency of the lower-cased token
in the corpus. A token that the corpus lacks has the floor 1 / (total tokens + 1); the authors' code uses 1e-9.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from provkit.index._native import kernel
from provkit.index.counting import columns_of, join, summed
from provkit.index.kernels import word_at
from provkit.index.table import read_parquet


@dataclass(frozen=True, slots=True)
class Unigram:
    """Token counts, sorted by the bytes of the token.

    Attributes:
        data: uint8, the tokens one after another.
        offsets: int64, where each begins in `data`; one more entry than tokens.
        counts: int64.
        total: sum of the counts.
    """

    data: NDArray[np.uint8]
    offsets: NDArray[np.int64]
    counts: NDArray[np.int64]
    total: int

    @classmethod
    def read(cls, paths: Sequence[Path]) -> Unigram:
        """The sum of several tokens.parquet."""
        tables = [read_parquet(path) for path in paths]
        if not tables:
            return cls(np.zeros(0, np.uint8), np.zeros(1, np.int64), np.zeros(0, np.int64), 0)
        data, offsets, counts = columns_of(summed(tables) if len(tables) > 1 else tables[0])
        return cls(data, offsets, counts, int(counts.sum()))

    @property
    def floor(self) -> float:
        """Minus ln P of a token that the corpus lacks."""
        return float(np.log(self.total + 1))

    def counts_of(self, tokens: Sequence[str]) -> NDArray[np.int64]:
        """How often each token occurs, as `str.lower` writes it; 0 for those that the corpus lacks."""
        lowered = [token.lower().encode() for token in tokens]
        ends = np.cumsum(np.fromiter(map(len, lowered), np.int64, len(lowered)))
        data = np.frombuffer(b"".join(lowered) + bytes(8), np.uint8)
        return look_up(self.data, self.offsets, self.counts, data, np.append(0, ends)[:-1], ends)

    def counts_of_joined(self, lowered: bytes) -> NDArray[np.int64]:
        """The same for lower-cased tokens each ended by a newline."""
        data = np.frombuffer(lowered + bytes(8), np.uint8)
        ends = np.flatnonzero(data == ord("\n"))
        starts = np.append(0, ends[:-1] + 1)[: len(ends)]
        return look_up(self.data, self.offsets, self.counts, data, starts, ends)

    def surprise(self, counts: NDArray[np.int64]) -> NDArray[np.float64]:
        """Minus ln P of tokens of these counts, in nats."""
        return np.where(counts > 0, np.log(max(self.total, 1)) - np.log(np.maximum(counts, 1)), self.floor)


def joined_lower(text: NDArray[np.uint8], places: NDArray[np.uint64]) -> bytes:
    """Tokens of a text (offset << 32 | length), lower-cased, each ended by a newline."""
    return join(text, places)[1].tobytes().decode().lower().encode()


@kernel
def look_up(
    data: NDArray[np.uint8],
    offsets: NDArray[np.int64],
    counts: NDArray[np.int64],
    queries: NDArray[np.uint8],
    starts: NDArray[np.int64],
    ends: NDArray[np.int64],
) -> NDArray[np.int64]:
    """The count of each query by binary search; 0 where it is not among the tokens."""
    found = np.zeros(len(starts), np.int64)
    for at in range(len(starts)):
        low, high = 0, len(counts)
        while low < high:
            middle = (low + high) >> 1
            order = compare(data, offsets[middle], offsets[middle + 1], queries, starts[at], ends[at])
            if order == 0:
                found[at] = counts[middle]
                break
            if order < 0:
                low = middle + 1
            else:
                high = middle
    return found


@kernel
def compare(one: NDArray[np.uint8], start: int, end: int, other: NDArray[np.uint8], begin: int, stop: int) -> int:
    """Byte order of two stretches: -1, 0 or 1."""
    shorter = min(end - start, stop - begin)
    step = 0
    while step < shorter:
        left, right = word_at(one, start + step), word_at(other, begin + step)
        if shorter - step < 8:
            mask = ~(np.uint64(0xFFFFFFFFFFFFFFFF) >> np.uint64(8 * (shorter - step)))
            left, right = left & mask, right & mask
        if left != right:
            return -1 if left < right else 1
        step += 8
    if end - start == stop - begin:
        return 0
    return -1 if end - start < stop - begin else 1
