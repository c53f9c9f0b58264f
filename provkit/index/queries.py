"""Texts made ready for the kernels, and what one shard says about them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from provkit.index.fold import Fold, unfolded
from provkit.index.further import further_spans
from provkit.index.kernels import BLOCK, FEW, insert, whole
from provkit.index.matching import FIRST, LAST, NUMBER, OUTPUT, count_queries, find_spans, merge_spans
from provkit.index.reading import ShardFiles
from provkit.index.words import Classes, Tokens, joined, tokenise


@dataclass(frozen=True, slots=True)
class Prepared:
    """Texts, joined and tokenised; folded where the index folds.

    Attributes:
        tokens: of the (folded) texts.
        original, starts: the texts joined before folding, and where each one's 0xFF is, with the end.
        breaks: int64, shape (2, k): the map from folded to original offsets, see `fold.Folded`.
        classes: of the index.
    """

    tokens: Tokens
    original: NDArray[np.uint8]
    starts: NDArray[np.int64]
    breaks: NDArray[np.int64]
    classes: Classes

    @property
    def bounds(self) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.uint8]]:
        """Start of the first token, end of the last and its last class, for each text; empty where it has none."""
        first, last = self.tokens.first[:-1], self.tokens.first[1:] - 1
        some = last >= first
        starts, ends = np.zeros(len(first), np.int64), np.zeros(len(first), np.int64)
        kinds = np.zeros(len(first), np.uint8)
        starts[some] = self.tokens.starts[first[some]]
        ends[some] = self.tokens.ends[last[some]]
        kinds[some] = self.tokens.last[last[some]]
        return starts, ends, kinds


@dataclass(frozen=True, slots=True)
class SpanColumns:
    """The maximal spans of many outputs as columns, ascending by output and start; int64 each, as in `Span`."""

    output: NDArray[np.int64]
    start: NDArray[np.int64]
    end: NDArray[np.int64]
    byte_start: NDArray[np.int64]
    byte_end: NDArray[np.int64]
    tokens: NDArray[np.int64]
    count: NDArray[np.int64]

    def of_span(self) -> tuple[NDArray[np.int64], ...]:
        """The columns in the order of the fields of `Span`."""
        return self.start, self.end, self.byte_start, self.byte_end, self.tokens, self.count

    @classmethod
    def joined(cls, parts: Sequence[SpanColumns]) -> SpanColumns:
        """Columns one below another."""
        if len(parts) == 1:
            return parts[0]
        rows = [(part.output, *part.of_span()) for part in parts]
        empty = np.zeros(0, np.int64)
        return cls(*(np.concatenate(column) for column in zip(*rows, (empty,) * 7, strict=True)))


def prepare(texts: Sequence[str], classes: Classes, fold: Fold | None) -> Prepared:
    """Joins, folds and tokenises texts.

    Raises:
        UnicodeEncodeError: for a lone surrogate.
    """
    original, starts = joined([text.encode() for text in texts])
    if fold is None:
        return Prepared(tokenise(original, starts, classes), original, starts, np.zeros((2, 0), np.int64), classes)
    folded = fold.joined(original, starts)
    return Prepared(tokenise(folded.text, folded.starts, classes), original, starts, folded.breaks, classes)


def counts(prepared: Prepared, shard: ShardFiles) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Exact counts of the texts in a shard, and the ranks (shape (texts, 2)) of what begins with their bytes."""
    starts, ends, last = prepared.bounds
    found, ranks = np.zeros(len(starts), np.int64), np.zeros((len(starts), 2), np.int64)
    of = prepared.classes
    count_queries(
        shard.text,
        shard.suffixes,
        shard.keys,
        of.of,
        of.word_edges,
        of.mark_edges,
        prepared.tokens.buffer,
        starts,
        ends,
        last,
        found,
        ranks,
    )
    return found, ranks


def places(
    shard: ShardFiles,
    classes: Classes,
    ranks: NDArray[np.int64],
    length: int,
    last: int,
    chosen: NDArray[np.int64],
) -> NDArray[np.int64]:
    """Where the occurrences with these ordinals (ascending) stand, among the suffixes that begin with a query.

    Args:
        ranks: [low, high) of those suffixes.
        length, last: bytes of the query, and the class of its last character.
    """
    runs = np.zeros((len(classes.word_edges) + 2 + FEW, 2), np.int64)
    low, high = int(ranks[0]), int(ranks[1])
    _, number = whole(
        shard.text,
        shard.suffixes,
        shard.keys,
        classes.of,
        classes.word_edges,
        classes.mark_edges,
        low,
        high,
        length,
        last,
        runs,
    )
    runs = runs[: min(number, len(runs))]
    before = np.append(0, np.cumsum(runs[:, 1] - runs[:, 0]))
    chosen = chosen[chosen < before[-1]]
    run = np.searchsorted(before, chosen, "right") - 1
    found: NDArray[np.int64] = shard.suffixes[runs[run, 0] + chosen - before[run]].astype(np.int64)
    return found


def touch(prepared: Prepared, shard: ShardFiles, part: int, parts: int) -> None:
    """Looks up every `parts`-th token, so that what a query needs is read from disk; several do so at a time."""
    starts = prepared.tokens.starts[part::parts]
    text = np.searchsorted(prepared.tokens.limits, starts)
    for at in range(0, len(starts), BLOCK):
        some = starts[at : at + BLOCK].copy()
        ends = prepared.tokens.limits[text[at : at + BLOCK]]
        rank, left, right = (np.empty(len(some), np.int64) for _ in range(3))
        insert(shard.text, shard.suffixes, shard.keys, prepared.tokens.buffer, some, ends, rank, left, right, False)


def spans(prepared: Prepared, shards: Sequence[ShardFiles], least: int) -> NDArray[np.int64]:
    """The spans of at least `least` tokens that are maximal over all shards; columns as in `matching`."""
    tokens, of = prepared.tokens, prepared.classes
    classes = (of.of, of.word_edges, of.mark_edges)
    outputs = (tokens.buffer, tokens.limits, tokens.starts, tokens.ends, tokens.last, tokens.first)
    known = np.empty((0, 4), np.int64)
    for shard in shards:
        corpus = (shard.text, shard.suffixes, shard.keys, *classes)
        found = np.empty((len(known) + len(tokens.starts), 4), np.int64)
        if shard is shards[0]:
            known = found[: find_spans(*corpus, *outputs, least, found)]
            continue
        number = further_spans(*corpus, *outputs, least, known, found)
        both = np.concatenate([known, found[:number]])
        bounds = np.array([0, len(known), len(both)], np.int64)
        known = np.empty_like(both)
        known = known[: merge_spans(both, bounds, known)]
    return known.copy()


def columns(prepared: Prepared, found: NDArray[np.int64], first: int) -> SpanColumns:
    """Spans with their offsets in the original texts, which are numbered from `first` on."""
    output = found[:, OUTPUT]
    begins = prepared.starts[output] + 1
    starts = unfolded(prepared.breaks, prepared.tokens.starts[found[:, FIRST]])
    ends = unfolded(prepared.breaks, prepared.tokens.ends[found[:, LAST] - 1])
    before = np.append(0, np.cumsum((prepared.original & 0xC0) != 0x80))
    return SpanColumns(
        output + first,
        before[starts] - before[begins],
        before[ends] - before[begins],
        starts - begins,
        ends - begins,
        found[:, LAST] - found[:, FIRST],
        found[:, NUMBER].copy(),
    )
