"""Folding: an index over lower-cased text or with runs of white space as one space, and the way back.

What is searched is the folded text; what is reported are offsets and text of the original. A map lists the places
behind which the distance between the two changes: nothing for ordinary lower-casing, one entry for each run of
white space that shrank. Case is `str.lower` of a whole document; a query is folded by the same functions.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from provkit.index._native import kernel, signed
from provkit.index.words import CODE_POINTS, SPACE, Classes, decode

KINDS = ("case", "space")


@dataclass(frozen=True, slots=True)
class Folded:
    """Documents before and after folding; both begin each document with 0xFF.

    Attributes:
        text, starts: the folded bytes (uint8), and where each document's 0xFF is, with the end (int64).
        original, original_starts: the same before folding.
        breaks: int64, shape (2, k), ascending: folded and original offset behind each character or run of white
            space whose length changed.
    """

    text: NDArray[np.uint8]
    starts: NDArray[np.int64]
    original: NDArray[np.uint8]
    original_starts: NDArray[np.int64]
    breaks: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Fold:
    """How an index folds.

    Attributes:
        kinds: "case", "space" or both, in this order.
        classes: of the index; they say what is white space.
    """

    kinds: tuple[str, ...]
    classes: Classes

    def joined(self, original: NDArray[np.uint8], starts: NDArray[np.int64]) -> Folded:
        """Folds documents that each begin with 0xFF, at `starts` (the end is its last entry)."""
        lowered, sizes = original, np.zeros(0, np.uint8)
        if "case" in self.kinds:
            # A newline in place of 0xFF: no case rule looks across it.
            text = original.tobytes().replace(b"\xff", b"\n").decode().lower()
            lowered, sizes = np.frombuffer(text.encode(), np.uint8), lowered_sizes()
        if "space" not in self.kinds and len(lowered) == len(original) and not changes(original, sizes):
            text_ = lowered.copy()
            text_[starts[:-1]] = 0xFF
            return Folded(text_, starts, original, starts, np.zeros((2, 0), np.int64))
        spaces = "space" in self.kinds
        limit = len(lowered)
        text_, folded_starts, breaks = fold_bytes(original, starts, lowered, sizes, self.classes.of, spaces, limit)
        return Folded(text_, folded_starts, original, starts, breaks)


def parse(fold: str | Iterable[str]) -> tuple[str, ...]:
    """The foldings named: `none`, `case`, `space`, `case,space`.

    Raises:
        ValueError: for any other.
    """
    names = set(fold.split(",") if isinstance(fold, str) else fold) - {"none", ""}
    if not names <= set(KINDS):
        raise ValueError(
            f"unknown folding {', '.join(sorted(names - set(KINDS)))}; there are none, case, space, case,space"
        )
    return tuple(kind for kind in KINDS if kind in names)


def unfolded(breaks: NDArray[np.integer[Any]], offsets: NDArray[np.int64]) -> NDArray[np.int64]:
    """Original offsets of folded ones that are token boundaries or starts of documents."""
    if not breaks.shape[1]:
        return offsets
    # Equal types, or numpy would copy the whole map.
    before = np.searchsorted(breaks[0], offsets.astype(breaks.dtype), "right") - 1
    found = breaks[:, np.maximum(before, 0)].astype(np.int64)
    return offsets + np.where(before >= 0, found[1] - found[0], 0)


@cache
def lowered_sizes() -> NDArray[np.uint8]:
    """How many bytes of UTF-8 the lower-case form of each code point has, where it differs from its own; else 0."""
    sizes = np.zeros(CODE_POINTS + 1, np.uint8)
    for point in range(0x80, 0x20000):  # no cased character lies beyond
        character = chr(point)
        lower = character.lower()
        if lower != character:
            size = len(lower.encode())
            sizes[point] = size if size != len(character.encode()) else 0
    return sizes


@kernel
def changes(original: NDArray[np.uint8], sizes: NDArray[np.uint8]) -> bool:
    """Whether lower-casing changed the length of any character."""
    if len(sizes) == 0:
        return False
    at = 0
    while at < len(original):
        if original[at] < 0x80:
            at += 1
            continue
        point, length = decode(original, at)
        if sizes[point]:
            return True
        at += length
    return False


@kernel
def fold_bytes(
    original: NDArray[np.uint8],
    starts: NDArray[np.int64],
    lowered: NDArray[np.uint8],
    sizes: NDArray[np.uint8],
    classes: NDArray[np.uint8],
    spaces: bool,
    limit: int,
) -> tuple[NDArray[np.uint8], NDArray[np.int64], NDArray[np.int64]]:
    """Walks the original and its lower-case form together; returns the folded text, its starts and the breaks."""
    text = np.empty(limit, np.uint8)
    folded_starts = np.empty(len(starts), np.int64)
    breaks = np.empty((1024, 2), np.int64)
    number = document = at = lower = to = 0
    size = len(original)
    while at < size:
        if original[at] == 0xFF:
            folded_starts[document] = to
            document += 1
            text[to] = 0xFF
            at, lower, to = at + 1, lower + 1, to + 1
            continue
        point, length = decode(original, at)
        begin, start = at, to
        if spaces and classes[point] == SPACE:
            while at < size and original[at] != 0xFF:
                point, length = decode(original, at)
                if classes[point] != SPACE:
                    break
                at += length
            lower += at - begin
            text[to] = 0x20
            to += 1
        else:
            new = length
            if len(sizes) and sizes[point]:
                new = signed(sizes[point])
            for step in range(new):
                text[to + step] = lowered[lower + step]
            at, lower, to = at + length, lower + new, to + new
        if at - begin != to - start:
            if number == len(breaks):
                grown = np.empty((2 * number, 2), np.int64)
                grown[:number] = breaks
                breaks = grown
            breaks[number, 0], breaks[number, 1] = to, at
            number += 1
    folded_starts[document] = to
    return text[:to].copy(), folded_starts, breaks[:number].T.copy()
