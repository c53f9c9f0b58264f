"""Compiled work on a further shard: what it adds to the spans that are maximal over the shards before.

Where an output's matches end never falls as their starts grow. So of the starts inside a known span the last one says
whether any of them reaches beyond it here, and two searches a span, from its first start and from that last one, take
the place of one a token. Where it does reach beyond, and outside of known spans, each start is searched as in the first
shard.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from provkit.index._native import kernel, signed
from provkit.index.kernels import BLOCK, insert
from provkit.index.matching import (
    FIRST,
    LAST,
    OUTPUT,
    Shard,
    Texts,
    add,
    counted,
    settled,
    spans_of,
)


@kernel
def further_spans(
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
    known: NDArray[np.int64],
    found: NDArray[np.int64],
) -> int:
    """The known spans that occur in this shard too, and those of at least `least` tokens that end beyond them.

    Args:
        query, limits, starts, ends, last, first: the outputs, as in `words.Tokens`.
        known: shape (k, 4), the spans maximal over the shards before, as `matching.find_spans` gives them.
        found: shape (k + tokens, 4), filled in as there.

    Returns:
        The number of spans found. None is contained in another one found; a known span contained in one is left out.
    """
    corpus = (text, suffixes, keys, classes, word_edges, mark_edges, np.empty((0, 2), np.int64))
    tokens = (query, starts, ends, last)
    most = len(known) + 1
    for output in range(len(limits)):
        most = max(most, first[output + 1] - first[output])
    room = np.empty((4, 2 * most), np.int64)
    number = at = 0
    for output in range(len(limits)):
        begin, behind = first[output], first[output + 1]
        until = at
        while until < len(known) and known[until, OUTPUT] == output:
            until += 1
        here = known[at:until]
        at = until
        if begin == behind:
            continue
        beyond = np.zeros(len(here) + 1, np.bool_)
        held = np.zeros((3, len(here) + 1), np.int64)  # where each known span is searched here, if its bytes occur
        look(corpus, tokens, here, limits[output], behind, room, beyond, held)
        chosen = room[3]  # the starts outside of known spans, and those inside that some match reaches beyond
        size = span = 0
        for token in range(begin, behind):
            while span < len(here) and token > last_start(here, span, behind):
                span += 1
            if span == len(here) or token < here[span, FIRST] or beyond[span]:
                chosen[size] = token
                size += 1
        if 2 * size > behind - begin:
            number = spans_of(corpus, tokens, output, begin, behind, limits[output], least, found, number)
            continue
        number = walk(
            corpus, tokens, output, here, held, chosen[:size], limits[output], behind, least, room, found, number
        )
    return number


@kernel
def last_start(known: NDArray[np.int64], span: int, behind: int) -> int:
    """The last token inside a known span before the next one begins."""
    edge = known[span + 1, FIRST] if span + 1 < len(known) else behind
    return signed(min(edge, known[span, LAST])) - 1


@kernel
def search(corpus: Shard, tokens: Texts, chosen: NDArray[np.int64], limit: int, room: NDArray[np.int64]) -> None:
    """The places of the longest matches at chosen tokens, as `insert` gives them, in the first three rows of `room`."""
    begins, until = np.empty(BLOCK, np.int64), np.full(BLOCK, limit)
    for block in range(0, len(chosen), BLOCK):
        size = min(BLOCK, len(chosen) - block)
        for step in range(size):
            begins[step] = tokens[1][chosen[block + step]]
        rank, left, right = room[0][block : block + size], room[1][block : block + size], room[2][block : block + size]
        insert(corpus[0], corpus[1], corpus[2], tokens[0], begins[:size], until[:size], rank, left, right, False)


@kernel
def look(
    corpus: Shard,
    tokens: Texts,
    known: NDArray[np.int64],
    limit: int,
    behind: int,
    room: NDArray[np.int64],
    beyond: NDArray[np.bool_],
    held: NDArray[np.int64],
) -> None:
    """Fills in which known spans a match here reaches beyond, and where those are searched whose bytes occur."""
    _, starts, ends, _ = tokens
    chosen = room[3]
    for span in range(len(known)):
        chosen[2 * span] = known[span, FIRST]
        chosen[2 * span + 1] = last_start(known, span, behind)
    search(corpus, tokens, chosen[: 2 * len(known)], limit, room)
    for span in range(len(known)):
        token, stop = known[span, FIRST], known[span, LAST]
        if starts[token] + max(room[1, 2 * span], room[2, 2 * span]) >= ends[stop - 1]:
            for part in range(3):
                held[part, span] = room[part, 2 * span]
        final = last_start(known, span, behind)
        place, one, other = room[0, 2 * span + 1], room[1, 2 * span + 1], room[2, 2 * span + 1]
        longest = starts[final] + max(one, other)
        if stop < behind and ends[stop] <= longest:
            here = stop + 1
            while here < behind and ends[here] <= longest:
                here += 1
            beyond[span] = settled(corpus, tokens, final, here, place, one, other, limit)[0] > stop


@kernel
def walk(
    corpus: Shard,
    tokens: Texts,
    output: int,
    known: NDArray[np.int64],
    held: NDArray[np.int64],
    chosen: NDArray[np.int64],
    limit: int,
    behind: int,
    least: int,
    room: NDArray[np.int64],
    found: NDArray[np.int64],
    number: int,
) -> int:
    """Adds the spans of one output to `found`: those at chosen tokens that end beyond what is known, and the known."""
    _, starts, ends, _ = tokens
    search(corpus, tokens, chosen, limit, room)
    spots = np.empty((3, len(known) + len(chosen) + 1), np.int64)
    before = number
    reached = 0  # no span that ends at this token or before it is new here
    floor = 0  # the same, by what the shards before have
    span = 0
    for step in range(len(chosen) + 1):
        token = chosen[step] if step < len(chosen) else behind
        stop = total = 0  # of what begins at this token and ends beyond; a total of -1 is still to be counted
        while span < len(known) and known[span, FIRST] < token:
            number, reached = tie(output, known, held, span, reached, found, number, before, spots)
            floor = known[span, LAST]
            span += 1
        if step == len(chosen):
            break
        same = span < len(known) and known[span, FIRST] == token
        if same:
            floor = known[span, LAST]
        least_end = max(reached, floor)
        place, one, other = room[0, step], room[1, step], room[2, step]
        longest = starts[token] + max(one, other)
        here = max(token, least_end)
        if here < behind and ends[here] <= longest:
            while here < behind and ends[here] <= longest:
                here += 1
            if here - token >= least:
                stop, total = settled(corpus, tokens, token, here, place, one, other, limit)
                if stop <= least_end or stop - token < least:
                    stop = 0
        if same:
            if stop == 0:
                number, reached = tie(output, known, held, span, reached, found, number, before, spots)
            span += 1
        if stop > 0:
            add(found, number, output, token, stop, total)
            spots[0, number - before], spots[1, number - before], spots[2, number - before] = place, one, other
            number += 1
            reached = stop
    return counted(corpus, tokens, found, before, number, spots)


@kernel
def tie(
    output: int,
    known: NDArray[np.int64],
    held: NDArray[np.int64],
    span: int,
    reached: int,
    found: NDArray[np.int64],
    number: int,
    before: int,
    spots: NDArray[np.int64],
) -> tuple[int, int]:
    """Adds a known span that occurs here, unless inside one found here; the number of spans and the token reached."""
    if max(held[1, span], held[2, span]) > 0 and known[span, LAST] > reached:
        for part in range(3):
            spots[part, number - before] = held[part, span]
        add(found, number, output, known[span, FIRST], known[span, LAST], -1)
        return number + 1, known[span, LAST]
    return number, reached
