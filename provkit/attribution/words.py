"""Texts as arrays of token numbers, by the tokens and the vocabulary of an index."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from provkit.index import Index
from provkit.index.queries import prepare
from provkit.index.unigram import joined_lower, look_up


@dataclass(frozen=True, slots=True)
class Words:
    """The tokens of one text.

    Attributes:
        numbers: int64, shape (tokens,): each token's number in the vocabulary of the corpus, from 1; 0 for a token
            that the corpus lacks.
        starts, ends: int64, in UTF-8 bytes of the text (of the folded text, for a folded index).
    """

    numbers: NDArray[np.int64]
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]


def words_of(index: Index, texts: Sequence[str]) -> list[Words]:
    """The tokens of each text."""
    if not texts:
        return []
    tokens = prepare(texts, index.classes, None).tokens
    places = tokens.starts.astype(np.uint64) << np.uint64(32) | (tokens.ends - tokens.starts).astype(np.uint64)
    data = np.frombuffer(joined_lower(tokens.buffer, places) + bytes(8), np.uint8)
    stops = np.flatnonzero(data == ord("\n"))
    begins = np.append(0, stops[:-1] + 1)[: len(stops)]
    model = index.unigram
    numbers = look_up(model.data, model.offsets, np.arange(1, len(model.counts) + 1), data, begins, stops)
    return [
        Words(numbers[first:end], tokens.starts[first:end] - begin, tokens.ends[first:end] - begin)
        for first, end, begin in zip(tokens.first, tokens.first[1:], tokens.begins, strict=False)
    ]
