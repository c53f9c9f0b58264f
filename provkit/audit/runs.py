"""Runs of tokens that two sets of texts share: blocks of one side are looked up in the other, and every hit confirmed.

Of one side (the smaller) each text is cut into blocks of ceil(N / 2) tokens, side by side; every run of N tokens holds
a whole block, so looking up each stretch of that length of the other side misses no run. A hit is extended token by
token, bytes compared, until it has N tokens or ends. White space between tokens does not count.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from provkit.index.words import Tokens, current, joined, tokenise

U64 = NDArray[np.uint64]
I64 = NDArray[np.int64]
FACTOR = np.uint64(0x9E3779B97F4A7C15)


def kernel(function: Any) -> Any:
    """Compiles a function without the GIL and keeps the machine code on disk."""
    return numba.njit(cache=True, nogil=True, boundscheck=False, error_model="numpy")(function)


@dataclass(frozen=True, slots=True)
class Tokenised:
    """Texts as tokens: their places in one buffer, a hash each, and the number of tokens before each text."""

    buffer: NDArray[np.uint8]
    starts: I64
    ends: I64
    hashes: U64
    first: I64

    @classmethod
    def of(cls, texts: Sequence[str]) -> Tokenised:
        """Tokenises texts; lone surrogates are replaced."""
        found: Tokens = tokenise(*joined([text.encode("utf-8", "replace") for text in texts]), current())
        hashes = token_hashes(found.buffer, found.starts, found.ends)
        return cls(found.buffer, found.starts, found.ends, hashes, found.first)

    def text(self, start: int, end: int) -> str:
        """The text from token `start` to before token `end`."""
        return self.buffer[self.starts[start] : self.ends[end - 1]].tobytes().decode(errors="replace")


class RunIndex:
    """Blocks of one side's texts, ready to be looked up."""

    def __init__(self, texts: Sequence[str], run: int) -> None:
        self.run, self._block = run, (run + 1) // 2
        self.tokens = Tokenised.of(texts)
        starts, owner = blocks(self.tokens.first, self._block)
        hashes = block_hashes(self.tokens.hashes, starts, self._block)
        order = np.argsort(hashes, kind="stable")
        self._hashes, self._starts, self._owner = hashes[order], starts[order], owner[order]
        bits = max(10, int(np.ceil(np.log2(max(len(starts), 1) * 16))))
        self._filter = np.zeros(1 << max(bits - 3, 0), np.uint8)
        fill(self._filter, self._hashes)

    def mark(self, texts: Sequence[str], seen: I64, first: int) -> I64:
        """Marks in `seen` (-1 before) the indexed texts that share a run with one of these texts, by its number.

        Args:
            texts: of the other side.
            seen: int64, one entry an indexed text; set to `first` + the number of the text that it was found in.
            first: the number of the first of `texts`.

        Returns:
            For each of `texts` an indexed text that it shares a run with, -1 where there is none.
        """
        other = Tokenised.of(texts)
        mine = self.tokens
        hits = np.full(len(texts), -1, np.int64)
        look_up(
            (mine.buffer, mine.starts, mine.ends, mine.first),
            (other.buffer, other.starts, other.ends, other.first, other.hashes),
            (self._hashes, self._starts, self._owner, self._filter),
            (self.run, self._block, first),
            seen,
            hits,
        )
        return hits


@kernel
def token_hashes(buffer: NDArray[np.uint8], starts: I64, ends: I64) -> U64:
    """64 bits of each token's bytes."""
    hashes = np.empty(len(starts), np.uint64)
    for token in range(len(starts)):
        mixed = np.uint64(0xCBF29CE484222325)
        for at in range(starts[token], ends[token]):
            mixed = (mixed ^ np.uint64(buffer[at])) * np.uint64(0x100000001B3)
        mixed ^= mixed >> np.uint64(29)
        hashes[token] = mixed * np.uint64(0xBF58476D1CE4E5B9)
    return hashes


@kernel
def blocks(first: I64, size: int) -> tuple[I64, I64]:
    """Where the blocks of each text start, in tokens, and the text that each belongs to."""
    count = 0
    for text in range(len(first) - 1):
        count += (first[text + 1] - first[text]) // size
    starts, owner = np.empty(count, np.int64), np.empty(count, np.int64)
    at = 0
    for text in range(len(first) - 1):
        for number in range((first[text + 1] - first[text]) // size):
            starts[at], owner[at] = first[text] + number * size, text
            at += 1
    return starts, owner


@kernel
def block_hashes(hashes: U64, starts: I64, size: int) -> U64:
    """The hash of each block: a polynomial of its tokens' hashes."""
    found = np.empty(len(starts), np.uint64)
    for block in range(len(starts)):
        mixed = np.uint64(0)
        for at in range(starts[block], starts[block] + size):
            mixed = mixed * FACTOR + hashes[at]
        found[block] = mixed
    return found


@kernel
def fill(bits: NDArray[np.uint8], hashes: U64) -> None:
    """Sets the bit of each hash."""
    mask = np.uint64(8 * len(bits) - 1)
    for one in hashes:
        spot = (one ^ (one >> np.uint64(31))) & mask
        bits[spot >> np.uint64(3)] |= np.uint8(1) << np.uint8(spot & np.uint64(7))


@kernel
def same_token(mine: Any, at: int, its: Any, to: int) -> bool:
    """Whether two tokens have the same bytes."""
    start, other = mine[1][at], its[1][to]
    length = mine[2][at] - start
    if its[2][to] - other != length:
        return False
    for step in range(length):  # noqa: SIM110 - numba knows no all() of a generator
        if mine[0][start + step] != its[0][other + step]:
            return False
    return True


@kernel
def shared(mine: Any, block: int, owner: int, its: Any, place: int, text: int, run: int, size: int) -> bool:
    """Whether the run of same tokens around a block has `run` tokens or more."""
    for step in range(size):
        if not same_token(mine, block + step, its, place + step):
            return False
    count = size
    at, to = block + size, place + size
    while count < run and at < mine[3][owner + 1] and to < its[3][text + 1] and same_token(mine, at, its, to):
        count, at, to = count + 1, at + 1, to + 1
    at, to = block - 1, place - 1
    while count < run and at >= mine[3][owner] and to >= its[3][text] and same_token(mine, at, its, to):
        count, at, to = count + 1, at - 1, to - 1
    return count >= run


@kernel
def look_up(mine: Any, its: Any, index: Any, sizes: Any, seen: I64, hits: I64) -> None:
    """Looks up every stretch of `its` tokens among the blocks; see `RunIndex.mark`."""
    hashes, starts, owners, bits = index
    run, size, number = sizes
    mask = np.uint64(8 * len(bits) - 1)
    power = np.uint64(1)
    for _ in range(size):
        power *= FACTOR
    for text in range(len(its[3]) - 1):
        begin, end = its[3][text], its[3][text + 1]
        mixed = np.uint64(0)
        for at in range(begin, end):
            mixed = mixed * FACTOR + its[4][at]
            if at - begin >= size:
                mixed -= power * its[4][at - size]
            place = at - size + 1
            if place < begin:
                continue
            spot = (mixed ^ (mixed >> np.uint64(31))) & mask
            if not bits[spot >> np.uint64(3)] >> np.uint8(spot & np.uint64(7)) & np.uint8(1):
                continue
            low, high = 0, len(hashes)
            while low < high:
                middle = (low + high) >> 1
                if hashes[middle] < mixed:
                    low = middle + 1
                else:
                    high = middle
            while low < len(hashes) and hashes[low] == mixed:
                owner = owners[low]
                if (seen[owner] < 0 or hits[text] < 0) and shared(
                    mine, starts[low], owner, its, place, text, run, size
                ):
                    if hits[text] < 0:
                        hits[text] = owner
                    if seen[owner] < 0:
                        seen[owner] = number + text
                low += 1
