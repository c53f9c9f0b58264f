"""Compiled search over one shard: where queries belong among its suffixes, exact counts, longest matches.

Everything read from a file is bounded before it is used: a suffix is a uint32, a text is read only where
`0 <= at < len(text)`, a rank is kept within the suffixes. So a damaged file gives a wrong answer at worst; that
it is not damaged is what digests are for (`manifest.py`).

Of many queries all advance one level of the binary search together, so that their cache misses overlap.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from provkit.index._native import equal_bytes, kernel, load8, prefetch, signed
from provkit.index.words import END, MARK, WORD, decode

STEP = 64  # one key of the prefix directory for so many suffixes
FEW = 8
BLOCK = 512  # queries that advance together


@kernel
def word_at(text: NDArray[np.uint8], at: int) -> np.uint64:
    """Eight bytes at `at >= 0`, big-endian; zero behind the end of the text."""
    size = len(text)
    if at + 8 <= size:
        return load8(text, at)
    word = np.uint64(0)
    for step in range(size - at):
        word |= np.uint64(text[at + step]) << np.uint64(56 - 8 * step)
    return word


@kernel
def leading(length: int) -> np.uint64:
    """A mask of the first `length` bytes of a word."""
    every = np.uint64(0xFFFFFFFFFFFFFFFF)
    return every if length >= 8 else ~(every >> np.uint64(8 * length))


@kernel
def encode(point: int) -> tuple[np.uint64, int]:
    """The UTF-8 bytes of a code point as a number, and how many they are; 0xFF for END."""
    if point < 0x80:
        return np.uint64(point), 1
    if point >= END:
        return np.uint64(0xFF), 1
    if point < 0x800:
        return np.uint64((0xC0 | point >> 6) << 8 | (0x80 | (point & 0x3F))), 2
    tail = (0x80 | (point >> 6 & 0x3F)) << 8 | (0x80 | (point & 0x3F))
    if point < 0x10000:
        return np.uint64((0xE0 | point >> 12) << 16 | tail), 3
    return np.uint64((0xF0 | point >> 18) << 24 | (0x80 | (point >> 12 & 0x3F)) << 16 | tail), 4


@kernel
def common(text: NDArray[np.uint8], place: int, query: NDArray[np.uint8], start: int, end: int) -> int:
    """How many bytes of `text[place:]` and `query[start:end]` agree."""
    longest = min(end - start, len(text) - place)
    step = 0
    while step < longest:
        difference = word_at(text, place + step) ^ word_at(query, start + step)
        if difference:
            return min(step + equal_bytes(difference), longest)
        step += 8
    return max(longest, 0)


@kernel
def holds(text: NDArray[np.uint8], place: int, query: NDArray[np.uint8], start: int, end: int) -> bool:
    """Whether `query[start:end]` stands at `place`. Neighbours in the array differ late: the end is compared first."""
    length = end - start
    if place + length > len(text):
        return False
    if length >= 8 and load8(text, place + length - 8) != load8(query, end - 8):
        return False
    return common(text, place, query, start, end) == length


@kernel
def directory(
    keys: NDArray[np.uint64], number: int, query: NDArray[np.uint8], start: int, end: int, after: bool
) -> tuple[int, int, int, int]:
    """Narrows a search: (low, high, common bytes with the suffix before low, and with the one at high).

    `number` is that of the suffixes. Suffixes before `low` are smaller than the query, those from `high` on are not;
    those that begin with it count as smaller where `after`.
    """
    mask = leading(end - start)
    start_key = word_at(query, start) & mask
    key = start_key | ~mask if after else start_key
    below = np.uint64(0)
    size = np.uint64(len(keys))
    one = np.uint64(1)
    while size > one:  # without a branch: half of them would be guessed wrongly
        half = size >> one
        below += half if keys[below + half - one] < key else np.uint64(0)
        size -= half
    if size and keys[below] < key:
        below += one
    at = signed(below)
    low = left = 0
    if at > 0:
        low = (at - 1) * STEP + 1
        left = agree(keys[at - 1], start_key, mask, end - start)
    above, jump = at, 1
    while above < len(keys) and keys[above] == key:
        at = above + 1
        above += jump
        jump *= 2
    above = min(above, len(keys))
    while at < above:
        middle = (at + above) >> 1
        if keys[middle] == key:
            at = middle + 1
        else:
            above = middle
    high, right = number, 0
    if above < len(keys):
        high = min(above * STEP, number)
        right = agree(keys[above], start_key, mask, end - start)
    return min(low, high), high, left, right


@kernel
def agree(one: np.uint64, other: np.uint64, mask: np.uint64, length: int) -> int:
    """How many leading bytes of two keys agree under a mask, at most `length`."""
    difference = (one ^ other) & mask
    return min(equal_bytes(difference) if difference else 8, length)


@kernel
def insert(
    text: NDArray[np.uint8],
    suffixes: NDArray[np.uint32],
    keys: NDArray[np.uint64],
    query: NDArray[np.uint8],
    starts: NDArray[np.int64],
    ends: NDArray[np.int64],
    rank: NDArray[np.int64],
    left: NDArray[np.int64],
    right: NDArray[np.int64],
    after: bool,
) -> None:
    """For each query the number of smaller suffixes, and the bytes shared with the suffixes before and at that rank.

    Args:
        query: ends in at least eight bytes that belong to no query.
        after: suffixes that begin with the query count as smaller.
        starts, ends: bounds of the queries (at most BLOCK) in `query`.
        rank, left, right: filled in, one entry a query.
    """
    number = len(starts)
    high = np.empty(number, np.int64)
    place = np.empty(number, np.int64)
    waiting = np.empty(number, np.uint64)  # unsigned: numba wraps signed indices
    count = 0
    for at in range(number):
        rank[at], high[at], left[at], right[at] = directory(keys, len(suffixes), query, starts[at], ends[at], after)
        waiting[count] = at
        count += rank[at] < high[at]
    size = len(text)
    while count:
        for step in range(count):
            at = waiting[step]
            place[step] = suffixes[np.uint64((rank[at] + high[at]) >> 1)]
            begin = place[step] + min(left[at], right[at])
            if begin < size:
                prefetch(text, begin)
        kept = 0
        for step in range(count):
            at = waiting[step]
            low, top = rank[at], high[at]
            shared = min(left[at], right[at])
            longest = min(ends[at] - starts[at], size - place[step])
            here = load8(query, starts[at] + shared)
            there = word_at(text, place[step] + shared) if shared < longest else here
            if here == there:
                shared += 8
                if shared < longest:
                    shared += common(text, place[step] + shared, query, starts[at] + shared, ends[at])
                    here, there = word_at(query, starts[at] + shared), word_at(text, place[step] + shared)
            else:
                shared += equal_bytes(here ^ there)
            smaller = there < here
            if shared >= longest:
                shared = max(longest, 0)
                smaller = (starts[at] + shared < ends[at]) | after
            middle = (low + top) >> 1
            low, top = middle + 1 if smaller else low, top if smaller else middle
            rank[at], high[at] = low, top
            left[at] = shared if smaller else left[at]
            right[at] = right[at] if smaller else shared
            waiting[kept] = at
            kept += low < top
        count = kept


@kernel
def first_key(keys: NDArray[np.uint64], low: int, bound: np.uint64, mask: np.uint64) -> int:
    """The first key from `low` on that is at least `bound` under a mask of leading bytes."""
    high = len(keys)
    while low < high:
        middle = (low + high) >> 1
        if keys[middle] & mask < bound:
            low = middle + 1
        else:
            high = middle
    return low


@kernel
def interval(
    text: NDArray[np.uint8],
    suffixes: NDArray[np.uint32],
    keys: NDArray[np.uint64],
    query: NDArray[np.uint8],
    start: int,
    end: int,
    rank: int,
    left: int,
    right: int,
) -> tuple[int, int]:
    """The ranks [a, b) of the suffixes that begin with `query[start:end]`, around the rank where it belongs.

    Gallops from there; what is further away than a step of the directory is narrowed by its keys first.
    `left` and `right` are the bytes shared with the suffixes before and at `rank`; one of them is the whole query.
    """
    length = end - start
    mask = leading(length)
    key = word_at(query, start) & mask
    low = high = rank
    if right >= length:
        inside, jump, limit = rank, 1, len(suffixes)
        while inside + jump < limit and holds(text, signed(suffixes[inside + jump]), query, start, end):
            inside += jump
            jump *= 2
            if jump == STEP:
                above = len(keys)
                if key < mask:
                    above = first_key(keys, inside // STEP + 1, key + (~mask + np.uint64(1)), mask)
                limit = min(limit, above * STEP)
                if length <= 8:
                    inside = max(inside, (above - 1) * STEP)
        high = min(inside + jump, limit)
        while inside + 1 < high:
            middle = (inside + high) >> 1
            if holds(text, signed(suffixes[middle]), query, start, end):
                inside = middle
            else:
                high = middle
    if left >= length:
        inside, jump, limit = rank - 1, 1, -1
        while inside - jump > limit and holds(text, signed(suffixes[inside - jump]), query, start, end):
            inside -= jump
            jump *= 2
            if jump == STEP:
                first = first_key(keys, 0, key, mask)
                limit = min(max(limit, (first - 1) * STEP), inside - 1)
                if length <= 8:
                    inside = min(inside, first * STEP)
        low = max(inside - jump, limit)
        while low + 1 < inside:
            middle = (low + inside) >> 1
            if holds(text, signed(suffixes[middle]), query, start, end):
                inside = middle
            else:
                low = middle
        low += 1
    return low, high


@kernel
def goes_on(classes: NDArray[np.uint8], last: int, point: int) -> bool:
    """Whether a token whose last character has the class `last` goes on with the code point `point`."""
    kind = classes[point]
    return kind == MARK or (kind == WORD and last in (WORD, MARK))


@kernel
def next_edge(edges: NDArray[np.uint32], point: int) -> int:
    """The first edge beyond a code point, or END."""
    low, high = 0, len(edges)
    while low < high:
        middle = (low + high) >> 1
        if edges[middle] <= point:
            low = middle + 1
        else:
            high = middle
    return signed(edges[low]) if low < len(edges) else END


@kernel
def whole(
    text: NDArray[np.uint8],
    suffixes: NDArray[np.uint32],
    keys: NDArray[np.uint64],
    classes: NDArray[np.uint8],
    word_edges: NDArray[np.uint32],
    mark_edges: NDArray[np.uint32],
    low: int,
    high: int,
    length: int,
    last: int,
    runs: NDArray[np.int64],
) -> tuple[int, int]:
    """Among the suffixes [low, high), which share `length` bytes, those where a token ends there.

    UTF-8 order is code-point order, so they form runs: look at the first follower, hop to the first one beyond
    the next edge of the class set, go on.

    Args:
        last: the class of the last character of the shared bytes.
        runs: shape (k, 2), filled with the runs as long as there is room; may be empty.

    Returns:
        The number of such suffixes, and of runs.
    """
    edges = word_edges if last in (WORD, MARK) else mark_edges
    total = number = 0
    at = low
    while at < high:
        point = decode(text, suffixes[at] + length)[0]
        above = high
        if high - at <= FEW:
            above = at + 1  # looking at each is faster than hopping
        elif point < END:
            edge = next_edge(edges, point)
            inside, jump, limit = at, 1, high
            while inside + jump < limit and decode(text, suffixes[inside + jump] + length)[0] < edge:
                inside += jump
                jump *= 2
                if jump == STEP:
                    code, size = encode(edge)
                    if length + size <= 8:
                        shift = np.uint64(8 * (8 - length - size))
                        bound = (word_at(text, signed(suffixes[at])) & leading(length)) | code << shift
                        above = first_key(keys, inside // STEP + 1, bound, leading(length + size))
                        limit = min(limit, above * STEP)
                        inside = max(inside, min((above - 1) * STEP, limit - 1))
            above = min(inside + jump, limit)
            while inside + 1 < above:
                middle = (inside + above) >> 1
                if decode(text, suffixes[middle] + length)[0] < edge:
                    inside = middle
                else:
                    above = middle
        if not goes_on(classes, last, point):
            if number < len(runs):
                runs[number, 0], runs[number, 1] = at, above
            total += above - at
            number += 1
        at = above
    return total, number
