"""Compiled work on one shard and a batch of outputs: maximal spans, counts, and the merge over shards."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from provkit.index._native import kernel, prefetch, signed
from provkit.index.kernels import BLOCK, FEW, goes_on, insert, interval, whole
from provkit.index.words import decode

Shard = tuple[Any, ...]  # text, suffixes, keys, classes, word_edges, mark_edges, no runs
Texts = tuple[Any, ...]  # query, starts, ends, last
OUTPUT, FIRST, LAST, NUMBER = range(4)  # columns of found spans: output, first token, last token + 1, count


@kernel
def add(found: NDArray[np.int64], row: int, output: int, first: int, last: int, number: int) -> None:
    """Writes a span into its row; `last` is the token behind it."""
    found[row, OUTPUT], found[row, FIRST], found[row, LAST], found[row, NUMBER] = output, first, last, number


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
    corpus = (text, suffixes, keys, classes, word_edges, mark_edges, np.empty((0, 2), np.int64))
    spots = np.empty((3, BLOCK), np.int64)
    for block in range(0, len(starts), BLOCK):
        end = min(block + BLOCK, len(starts))
        begins, until = starts[block:end], ends[block:end]
        insert(text, suffixes, keys, query, begins, until, spots[0], spots[1], spots[2], False)
        count_around(corpus, query, begins, until, last[block:end], spots, counts[block:end], ranks[block:end])


@kernel
def count_around(
    corpus: Shard,
    query: NDArray[np.uint8],
    starts: NDArray[np.int64],
    ends: NDArray[np.int64],
    last: NDArray[np.uint8],
    spots: NDArray[np.int64],
    counts: NDArray[np.int64],
    ranks: NDArray[np.int64],
) -> None:
    """Exact counts of at most BLOCK queries, where what begins with each lies around a place that is known.

    Args:
        starts, ends, last, counts, ranks: as in `count_queries`.
        spots: shape (3, BLOCK): for each a rank, and the bytes shared with the suffixes before and at it.
    """
    text, suffixes, keys, classes, word_edges, mark_edges, none = corpus
    here, begins, until = np.empty(BLOCK, np.int64), np.empty(BLOCK, np.int64), np.empty(BLOCK, np.int64)
    rank, left, right = np.empty(BLOCK, np.int64), np.empty(BLOCK, np.int64), np.empty(BLOCK, np.int64)
    for side in range(2):  # the first suffix where one before the place fits, the end where the one at it does
        some = 0
        for at in range(len(starts)):
            ranks[at, side] = spots[0, at]
            length = ends[at] - starts[at]
            if length > 0 and spots[1 + side, at] >= length:
                here[some], begins[some], until[some] = at, starts[at], ends[at]
                some += 1
        insert(text, suffixes, keys, query, begins[:some], until[:some], rank, left, right, side == 1)
        for step in range(some):
            ranks[here[step], side] = rank[step]
    for at in range(len(starts)):
        length = ends[at] - starts[at]
        for place in range(ranks[at, 0], min(ranks[at, 0] + FEW, ranks[at, 1])):
            if suffixes[place] + length < len(text):
                prefetch(text, suffixes[place] + length)
    for at in range(len(starts)):
        low, high, length = ranks[at, 0], ranks[at, 1], ends[at] - starts[at]
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
    corpus = (text, suffixes, keys, classes, word_edges, mark_edges, np.empty((0, 2), np.int64))
    tokens = (query, starts, ends, last)
    number = 0
    for output in range(len(limits)):
        number = spans_of(
            corpus, tokens, output, first[output], first[output + 1], limits[output], least, found, number
        )
    return number


@kernel
def spans_of(
    corpus: Shard,
    tokens: Texts,
    output: int,
    begin: int,
    behind: int,
    limit: int,
    least: int,
    found: NDArray[np.int64],
    number: int,
) -> int:
    """Adds the spans of one output, tokens [begin, behind) that end at byte `limit`, to the `number` found."""
    text, suffixes, keys, _, _, _, _ = corpus
    query, starts, ends, _ = tokens
    rank, left, right = np.empty(BLOCK, np.int64), np.empty(BLOCK, np.int64), np.empty(BLOCK, np.int64)
    until = np.empty(BLOCK, np.int64)
    spots = np.empty((3, behind - begin), np.int64)
    before = number
    reached = block = begin  # no span that ends at the token `reached` or before it is new
    width = 4 * FEW
    while block < behind:
        end = min(block + width, behind)
        width = min(4 * width, BLOCK)
        if reached > end:
            block = passed(corpus, tokens, block, end, reached, limit, behind)
            if block == end:
                continue
            end, width = min(block + FEW, behind), 4 * FEW
        until[: end - block] = limit
        insert(text, suffixes, keys, query, starts[block:end], until[: end - block], rank, left, right, False)
        here = block  # the tokens before this one end within the longest match
        for token in range(block, end):
            place, one, other = rank[token - block], left[token - block], right[token - block]
            longest = starts[token] + max(one, other)
            here = max(here, token)
            while here > token and ends[here - 1] > longest:
                here -= 1
            while here < behind and ends[here] <= longest:
                here += 1
            if here <= reached or here - token < least:
                continue
            stop, total = settled(corpus, tokens, token, here, place, one, other, limit)
            if stop <= reached or stop - token < least:
                continue
            reached = stop
            add(found, number, output, token, stop, total)
            spots[0, number - before], spots[1, number - before], spots[2, number - before] = place, one, other
            number += 1
        block = end
    return counted(corpus, tokens, found, before, number, spots)


@kernel
def counted(
    corpus: Shard, tokens: Texts, found: NDArray[np.int64], before: int, number: int, spots: NDArray[np.int64]
) -> int:
    """Counts those of the spans [before, number) whose NUMBER is negative, all together; the number of spans then.

    `spots` has a column for each of these spans: rank, left and right of the match at its first token.
    """
    query, starts, ends, last = tokens
    begins, until, kinds = np.empty(BLOCK, np.int64), np.empty(BLOCK, np.int64), np.empty(BLOCK, np.uint8)
    rows, counts, ranks = np.empty(BLOCK, np.int64), np.empty(BLOCK, np.int64), np.empty((BLOCK, 2), np.int64)
    some = 0
    for row in range(before, number):
        if found[row, NUMBER] < 0:
            final = found[row, LAST] - 1
            begins[some], until[some], kinds[some] = starts[found[row, FIRST]], ends[final], last[final]
            rows[some] = row
            for part in range(3):
                spots[part, some] = spots[part, row - before]
            some += 1
        if some == BLOCK or (some and row + 1 == number):
            count_around(corpus, query, begins[:some], until[:some], kinds[:some], spots, counts, ranks)
            for step in range(some):
                found[rows[step], NUMBER] = counts[step]
            some = 0
    kept = before
    for row in range(before, number):
        if found[row, NUMBER] > 0:  # always, unless a file was damaged
            for column in range(4):
                found[kept, column] = found[row, column]
            kept += 1
    return kept


@kernel
def passed(corpus: Shard, tokens: Texts, block: int, end: int, reached: int, limit: int, behind: int) -> int:
    """The first token of [block, end) whose match ends beyond `reached`, or `end`: the way through a long copy.

    Ends never fall as starts grow, so the last start of the block reaches furthest, and halving finds the first.
    """
    if exact_end(corpus, tokens, end - 1, limit, behind) <= reached:
        return end
    low, high = block, end - 1
    while low < high:
        middle = (low + high) >> 1
        if exact_end(corpus, tokens, middle, limit, behind) > reached:
            high = middle
        else:
            low = middle + 1
    return low


@kernel
def exact_end(corpus: Shard, tokens: Texts, token: int, limit: int, behind: int) -> int:
    """The token behind the longest match that begins at one token; `behind` is the one behind the output."""
    query, starts, ends, _ = tokens
    rank, left, right = np.empty(1, np.int64), np.empty(1, np.int64), np.empty(1, np.int64)
    until = np.full(1, limit)
    insert(corpus[0], corpus[1], corpus[2], query, starts[token : token + 1], until, rank, left, right, False)
    longest = starts[token] + max(left[0], right[0])
    low, high = token, behind
    while low < high:
        middle = (low + high) >> 1
        if ends[middle] <= longest:
            low = middle + 1
        else:
            high = middle
    if low == token:
        return token
    return settled(corpus, tokens, token, low, rank[0], left[0], right[0], limit)[0]


@kernel
def settled(
    corpus: Shard, tokens: Texts, token: int, here: int, place: int, one: int, other: int, limit: int
) -> tuple[int, int]:
    """Where the longest match ends by whole tokens in the corpus too, and its count where it had to be taken, or -1.

    `here` is where it ends by bytes. If no suffix ends its token there, the token end before is certain: a whole
    character after it was matched.
    """
    text, suffixes, _, classes, _, _, _ = corpus
    query, starts, ends, last = tokens
    length = ends[here - 1] - starts[token]
    if follows(query, ends[here - 1], limit, starts[token] + max(one, other)):
        return here, -1
    hand = signed(suffixes[place if other >= one else place - 1])
    if not goes_on(classes, signed(last[here - 1]), decode(text, hand + length)[0]):
        return here, -1
    total = span_count(corpus, tokens, token, here, place, one, other)
    if total > 0:
        return here, total
    return here - 1, -1


@kernel
def span_count(corpus: Shard, tokens: Texts, token: int, here: int, place: int, one: int, other: int) -> int:
    """How often the tokens [token, here) occur, around the rank where the longest match at `token` belongs."""
    text, suffixes, keys, classes, word_edges, mark_edges, none = corpus
    query, starts, ends, last = tokens
    begin, end = starts[token], ends[here - 1]
    low, high = interval(text, suffixes, keys, query, begin, end, place, one, other)
    kind = signed(last[here - 1])
    return whole(text, suffixes, keys, classes, word_edges, mark_edges, low, high, end - begin, kind, none)[0]


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
            add(merged, number, output, token, end, total)
            number += 1
