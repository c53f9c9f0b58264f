"""Follows a text through the suffixes of a shard as it grows, and finds which continuations complete a stretch of it.

A start of the text that still stands in the corpus keeps the interval [low, high) of the suffixes that begin with what
has been written since; more text narrows it, instead of being searched anew. `meet` walks such an interval and a sorted
list of continuations together, so that only what both hold is looked at.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from provkit.index._native import kernel, signed
from provkit.index.kernels import goes_on, next_edge
from provkit.index.words import END, MARK, SPACE, WORD, decode, parted

STOP = 0xFF  # begins and ends a document, and is no byte of any text
FIRST, BEHIND, LOW, HIGH, WORDS, LAST, POINT, WAITING = range(8)  # columns of a walk's stack
START, CONTINUATION, DEPTH = range(3)  # columns of what `meet` finds


@dataclass(frozen=True, slots=True)
class Continuations:
    """Byte strings in ascending order.

    Attributes:
        texts: the strings; equal ones may repeat.
        data: uint8, one after another.
        offsets: int64, where each begins in `data`; one more entry than strings.
        ids: int64, the number that each was given with.
        longest: bytes of the longest.
    """

    texts: Sequence[bytes]
    data: NDArray[np.uint8]
    offsets: NDArray[np.int64]
    ids: NDArray[np.int64]
    longest: int

    @classmethod
    def of(cls, numbered: Sequence[tuple[bytes, int]]) -> Continuations:
        """From strings with their numbers, in any order."""
        ordered = sorted(numbered)
        texts = [text for text, _ in ordered]
        sizes = np.fromiter(map(len, texts), np.int64, len(texts))
        data = np.frombuffer(b"".join(texts) + bytes(1), np.uint8)
        offsets = np.append(0, np.cumsum(sizes)).astype(np.int64)
        ids = np.array([number for _, number in ordered], np.int64)
        return cls(texts, data, offsets, ids, int(sizes.max(initial=0)))


@kernel
def byte_of(text: NDArray[np.uint8], at: int) -> int:
    """A byte of the text; STOP outside of it."""
    return signed(text[at]) if 0 <= at < len(text) else STOP


@kernel
def seek(text: NDArray[np.uint8], suffixes: NDArray[np.uint32], low: int, high: int, depth: int, byte: int) -> int:
    """The first suffix of [low, high) whose byte at `depth` is at least `byte`; those bytes ascend. It gallops."""
    if low >= high or byte_of(text, signed(suffixes[low]) + depth) >= byte:
        return low
    inside, jump = low, 1
    while inside + jump < high and byte_of(text, signed(suffixes[inside + jump]) + depth) < byte:
        inside += jump
        jump *= 2
    above = min(inside + jump, high)
    while inside + 1 < above:
        middle = (inside + above) >> 1
        if byte_of(text, signed(suffixes[middle]) + depth) < byte:
            inside = middle
        else:
            above = middle
    return above


@kernel
def narrow(
    text: NDArray[np.uint8],
    suffixes: NDArray[np.uint32],
    lows: NDArray[np.int64],
    highs: NDArray[np.int64],
    depths: NDArray[np.int64],
    more: NDArray[np.uint8],
    size: int,
) -> None:
    """Narrows each interval [low, high) of suffixes that share `depth` bytes by the first `size` bytes of `more`."""
    for start in range(len(lows)):
        low, high, depth = lows[start], highs[start], depths[start]
        for at in range(size):
            if low >= high:
                break
            byte = signed(more[at])
            low = seek(text, suffixes, low, high, depth, byte)
            high = seek(text, suffixes, low, high, depth, byte + 1)
            depth += 1
        lows[start], highs[start] = low, high


@kernel
def ends_there(
    text: NDArray[np.uint8],
    suffixes: NDArray[np.uint32],
    classes: NDArray[np.uint8],
    edges: NDArray[np.uint32],
    low: int,
    high: int,
    length: int,
    last: int,
) -> bool:
    """Whether a token ends behind the `length` bytes that the suffixes [low, high) share, in one of them at least.

    What follows ascends by code points, so where it goes on with the token the search hops to the next of the `edges`
    of the set of characters that do.
    """
    at = low
    while at < high:
        point = decode(text, signed(suffixes[at]) + length)[0]
        if not goes_on(classes, last, point):
            return True
        edge = next_edge(edges, point)
        inside, jump = at, 1
        while inside + jump < high and decode(text, signed(suffixes[inside + jump]) + length)[0] < edge:
            inside += jump
            jump *= 2
        at = min(inside + jump, high)
        while inside + 1 < at:
            middle = (inside + at) >> 1
            if decode(text, signed(suffixes[middle]) + length)[0] < edge:
                inside = middle
            else:
                at = middle
    return False


@kernel
def beyond(data: NDArray[np.uint8], offsets: NDArray[np.int64], first: int, behind: int, level: int, byte: int) -> int:
    """The first continuation of [first, behind) whose byte at `level` is at least `byte`; all are longer."""
    low, high = first, behind
    while low < high:
        middle = (low + high) >> 1
        if data[offsets[middle] + level] < byte:
            low = middle + 1
        else:
            high = middle
    return low


@kernel
def meet(
    text: NDArray[np.uint8],
    suffixes: NDArray[np.uint32],
    classes: NDArray[np.uint8],
    word_edges: NDArray[np.uint32],
    mark_edges: NDArray[np.uint32],
    data: NDArray[np.uint8],
    offsets: NDArray[np.int64],
    lows: NDArray[np.int64],
    highs: NDArray[np.int64],
    depths: NDArray[np.int64],
    words: NDArray[np.int64],
    last: int,
    point: int,
    waiting: int,
    least: int,
    walk: NDArray[np.int64],
    found: NDArray[np.int64],
) -> int:
    """The beginnings of continuations with which a stretch of at least `least` tokens ends, in the corpus too.

    Args:
        data, offsets: of `Continuations`.
        lows, highs, depths: for each start the suffixes that begin with what was written since, and how many bytes.
        words: for each start the tokens begun since; 0 where the next character is to begin the first.
        last: the class of the last whole character.
        point, waiting: of a character that is not complete the bits so far, and how many of its bytes are missing.
        walk: room for eight numbers for each byte of the longest continuation, and for eight more.
        found: shape (k, 3), filled in as far as there is room: number of the start; number of the first continuation
            with that beginning; its bytes. An array made here instead would take numba four times as long to compile.

    Returns:
        How many there are.
    """
    number = 0
    for start in range(len(lows)):
        depth, level = depths[start], 0
        enter(walk, 0, 0, len(offsets) - 1, lows[start], highs[start], words[start], last, point, waiting)
        while level >= 0:
            here = 8 * level
            first, behind = walk[here + FIRST], walk[here + BEHIND]
            low, high = walk[here + LOW], walk[here + HIGH]
            while first < behind and offsets[first + 1] - offsets[first] == level:
                first += 1
            byte = STOP
            if first < behind and low < high:
                byte = signed(data[offsets[first] + level])
            if byte == STOP:
                level -= 1
                continue
            theirs = byte_of(text, signed(suffixes[low]) + depth + level)
            equal = byte == theirs
            above = beyond(data, offsets, first, behind, level, theirs + equal)
            after = seek(text, suffixes, low, high, depth + level, byte + equal)
            walk[here + FIRST], walk[here + LOW] = above, after
            if not equal:
                continue
            begun, kind = walk[here + WORDS], walk[here + LAST]
            code, missing = spelled(walk[here + POINT], walk[here + WAITING], byte)
            if missing == 0:
                before, kind = kind, signed(classes[min(code, END)])
                new = kind != SPACE and parted(before, kind)
                if begun == 0 and not new:
                    continue  # nothing begins here
                begun += new
            level += 1
            enter(walk, level, first, above, low, after, begun, kind, code, missing)
            if missing > 0 or kind == SPACE or begun < least:
                continue
            edges = word_edges if kind in (WORD, MARK) else mark_edges
            if ends_there(text, suffixes, classes, edges, low, after, depth + level, kind):
                if number < len(found):
                    found[number, START], found[number, CONTINUATION], found[number, DEPTH] = start, first, level
                number += 1
    return number


@kernel
def enter(
    walk: NDArray[np.int64],
    level: int,
    first: int,
    behind: int,
    low: int,
    high: int,
    words: int,
    last: int,
    point: int,
    waiting: int,
) -> None:
    """Fills in a level of a walk."""
    at = 8 * level
    walk[at + FIRST], walk[at + BEHIND], walk[at + LOW], walk[at + HIGH] = first, behind, low, high
    walk[at + WORDS], walk[at + LAST], walk[at + POINT], walk[at + WAITING] = words, last, point, waiting


@kernel
def spelled(point: int, waiting: int, byte: int) -> tuple[int, int]:
    """A character with one more byte: its bits so far, and how many bytes are missing."""
    if waiting > 0:
        return point << 6 | (byte & 0x3F), waiting - 1
    if byte < 0x80:
        return byte, 0
    if byte < 0xE0:
        return byte & 0x1F, 1
    if byte < 0xF0:
        return byte & 0x0F, 2
    return byte & 0x07, 3


@kernel
def closing(
    data: NDArray[np.uint8],
    offsets: NDArray[np.int64],
    classes: NDArray[np.uint8],
    first: int,
    behind: int,
    depth: int,
    last: int,
    ends: NDArray[np.bool_],
) -> None:
    """Of the continuations [first, behind), which share `depth` bytes, those that end a token there or stop there.

    Args:
        last: the class of the character that ends at `depth`.
        ends: filled in, one entry for each of them.
    """
    for at in range(first, behind):
        ends[at - first] = not goes_on(classes, last, character(data, offsets[at] + depth, offsets[at + 1]))


@kernel
def character(data: NDArray[np.uint8], at: int, end: int) -> int:
    """The code point of the UTF-8 character at `at`; END where none is complete before `end`, or none begins."""
    if at >= end:
        return END
    byte = signed(data[at])
    if byte < 0x80:
        return byte
    size = 2 if byte < 0xE0 else 3 if byte < 0xF0 else 4
    if byte < 0xC2 or byte > 0xF4 or at + size > end:
        return END
    for step in range(1, size):
        if data[at + step] & 0xC0 != 0x80:
            return END
    point = decode(data, at)[0]
    if (size == 3 and point < 0x800) or (size == 4 and not 0x10000 <= point < END):
        return END
    return point
