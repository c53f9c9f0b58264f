"""Compiled work on one shard and a batch of outputs: maximal spans, counts, and the merge over shards."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from provkit.index._native import kernel, prefetch, signed
from provkit.index.kernels import BLOCK, goes_on, insert, interval, whole
from provkit.index.words import decode

OUTPUT, FIRST, LAST, NUMBER = range(4)  # columns of found spans: output, first token, last token + 1, count


@kernel
def count_queries(
    text: NDArray[np.uint8],
    suffixes: NDArray[np.uint32],
    keys: NDArray[np.uint64],
    classes: NDArray[np.uint8],
    word_edges: NDArray[np.uint32],
    mark_edges: NDArray[np.uint32],
    query: NDArray[np.uint8],
    starts: NDArray[np.int64],
    ends: NDArray[np.int64],
    last: NDArray[np.uint8],
    counts: NDArray[np.int64],
    ranks: NDArray[np.int64],
) -> None:
    """Exact counts of many queries, each from a token start to a token end.

    Args:
        last: the class of the last character of each query.
        counts: filled in.
        ranks: shape (queries, 2), filled in: the suffixes that begin with the bytes of the query.
    """
    rank, left, right = np.empty(BLOCK, np.int64), np.empty(BLOCK, np.int64), np.empty(BLOCK, np.int64)
    none = np.empty((0, 2), np.int64)
    for block in range(0, len(starts), BLOCK):
        end = min(block + BLOCK, len(starts))
        insert(text, suffixes, keys, query, starts[block:end], ends[block:end], rank, left, right)
        for at in range(block, end):
            length = ends[at] - starts[at]
            low = high = rank[at - block]
            if length > 0 and right[at - block] >= length:
                low, high = interval(text, suffixes, keys, query, starts[at], ends[at], low, 0, right[at - block])
            ranks[at, 0], ranks[at, 1] = low, high
            counts[at] = whole(
                text, suffixes, keys, classes, word_edges, mark_edges, low, high, length, signed(last[at]), none
            )[0]


@kernel
def find_spans(
    text: NDArray[np.uint8],
    suffixes: NDArray[np.uint32],
    keys: NDArray[np.uint64],
    classes: NDArray[np.uint8],
    word_edges: NDArray[np.uint32],
    mark_edges: NDArray[np.uint32],
    query: NDArray[np.uint8],
    limits: NDArray[np.int64],
    starts: NDArray[np.int64],
    ends: NDArray[np.int64],
    last: NDArray[np.uint8],
    first: NDArray[np.int64],
    least: int,
    found: NDArray[np.int64],
) -> int:
    """The spans of at least `least` tokens that are maximal in this shard, with their counts in it.

    Args:
        query, limits, starts, ends, last, first: the outputs, as in `words.Tokens`.
        found: shape (tokens, 4), filled in: output, first token, last token + 1 (both within all), count; ascending.

    Returns:
        The number of spans.
    """
    rank, left, right = np.empty(BLOCK, np.int64), np.empty(BLOCK, np.int64), np.empty(BLOCK, np.int64)
    until = np.empty(BLOCK, np.int64)
    none = np.empty((0, 2), np.int64)
    number = 0
    for output in range(len(limits)):
        reached = first[output]  # no span that ends at this token or before it is new
        for block in range(first[output], first[output + 1], BLOCK):
            end = min(block + BLOCK, first[output + 1])
            until[: end - block] = limits[output]
            insert(text, suffixes, keys, query, starts[block:end], until[: end - block], rank, left, right)
            here = block  # the tokens before this one end within the longest match
            fetched = reached
            for token in range(block, end):
                longest = starts[token] + max(left[token - block], right[token - block])
                here = max(here, token)
                while here > token and ends[here - 1] > longest:
                    here -= 1
                while here < first[output + 1] and ends[here] <= longest:
                    here += 1
                until[token - block] = here
                if here > fetched and here - token >= least:
                    fetched = here
                    fetch(text, suffixes, rank[token - block], ends[here - 1] - starts[token])
            for token in range(block, end):
                begin = starts[token]
                place, one, other = rank[token - block], left[token - block], right[token - block]
                longest = begin + max(one, other)
                here = until[token - block]
                if here <= reached or here - token < least:
                    continue
                low = high = -1
                total = 0
                if not follows(query, ends[here - 1], limits[output], longest):
                    hand = signed(suffixes[place if other >= one else place - 1])
                    length = ends[here - 1] - begin
                    kind = signed(last[here - 1])
                    if goes_on(classes, kind, decode(text, hand + length)[0]):
                        low, high = interval(text, suffixes, keys, query, begin, ends[here - 1], place, one, other)
                        total = whole(
                            text, suffixes, keys, classes, word_edges, mark_edges, low, high, length, kind, none
                        )[0]
                        if total == 0:
                            here -= 1  # this one is certain: a whole character after it was matched
                            low = -1
                            if here <= reached or here - token < least:
                                continue
                if low < 0:
                    length = ends[here - 1] - begin
                    kind = signed(last[here - 1])
                    low, high = interval(text, suffixes, keys, query, begin, ends[here - 1], place, one, other)
                    total = whole(text, suffixes, keys, classes, word_edges, mark_edges, low, high, length, kind, none)[
                        0
                    ]
                reached = here
                if total > 0:
                    found[number, OUTPUT], found[number, FIRST] = output, token
                    found[number, LAST], found[number, NUMBER] = here, total
                    number += 1
    return number


@kernel
def fetch(text: NDArray[np.uint8], suffixes: NDArray[np.uint32], rank: int, length: int) -> None:
    """Asks for the text where the neighbours of a rank end, before they are looked at one after another."""
    for near in range(max(rank - 3, 0), min(rank + 4, len(suffixes))):
        place = suffixes[near] + length
        if place < len(text):
            prefetch(text, place)


@kernel
def follows(query: NDArray[np.uint8], end: int, limit: int, longest: int) -> bool:
    """Whether a whole character after `end` was matched too: then the span is exact somewhere."""
    return end < limit and end + decode(query, end)[1] <= longest


@kernel
def merge_spans(shards: NDArray[np.int64], bounds: NDArray[np.int64], merged: NDArray[np.int64]) -> int:
    """Spans maximal in each shard to spans maximal over all: per start the longest, equal ones added up.

    Args:
        shards: shape (spans, 4), those of one shard behind those of another, each ascending.
        bounds: where the spans of each shard begin; one more entry than shards.
        merged: as `shards` and as long; filled in.

    Returns:
        The number of merged spans.
    """
    at = bounds[:-1].copy()
    number = 0
    while True:
        output = token = -1
        for shard in range(len(at)):
            if at[shard] < bounds[shard + 1]:
                row = shards[at[shard]]
                if output < 0 or row[OUTPUT] < output or (row[OUTPUT] == output and row[FIRST] < token):
                    output, token = row[OUTPUT], row[FIRST]
        if output < 0:
            return number
        end = total = 0
        for shard in range(len(at)):
            if at[shard] < bounds[shard + 1]:
                row = shards[at[shard]]
                if row[OUTPUT] == output and row[FIRST] == token:
                    at[shard] += 1
                    if row[LAST] > end:
                        end, total = row[LAST], 0
                    if row[LAST] == end:
                        total += row[NUMBER]
        # Starts ascend, so only the span before can contain this one.
        if number == 0 or merged[number - 1, OUTPUT] != output or merged[number - 1, LAST] < end:
            merged[number, OUTPUT], merged[number, FIRST] = output, token
            merged[number, LAST], merged[number, NUMBER] = end, total
            number += 1
