"""What a further shard adds: the same as each shard searched alone and all of it merged."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from provkit.index import queries
from provkit.index.matching import find_spans, merge_spans


def alone(prepared: Any, shards: Any, least: int) -> NDArray[np.int64]:
    """The maximal spans of each shard by itself, merged."""
    tokens, of = prepared.tokens, prepared.classes
    parts = []
    for shard in shards:
        found = np.empty((len(tokens.starts), 4), np.int64)
        number = find_spans(
            shard.text, shard.suffixes, shard.keys, of.of, of.word_edges, of.mark_edges, tokens.buffer, tokens.limits,
            tokens.starts, tokens.ends, tokens.last, tokens.first, least, found,
        )  # fmt: skip
        parts.append(found[:number])
    joined = np.concatenate(parts)
    merged = np.empty_like(joined)
    bounds = np.append(0, np.cumsum([len(part) for part in parts])).astype(np.int64)
    return merged[: merge_spans(joined, bounds, merged)]


@pytest.mark.parametrize(("seed", "words", "shard_bytes"), [(1, 2, 60), (2, 3, 200), (3, 8, 90), (4, 40, 400)])
def test_shards_in_turn_find_what_each_alone_finds(index_of: Any, seed: int, words: int, shard_bytes: int) -> None:
    chance = random.Random(seed)
    vocabulary = ["a", "b", ".", "ab", "the", "car", "cartoon", *(f"w{number}" for number in range(33))][:words]

    def text(most: int) -> str:
        return " ".join(chance.choice(vocabulary) for _ in range(chance.randint(0, most)))

    documents = [text(40) for _ in range(30)]
    outputs = ["", *(text(80) for _ in range(60)), *(one[chance.randrange(4) :] for one in documents)]
    outputs += [" ".join(chance.sample(documents, 3)) for _ in range(40)]
    with index_of(documents, shard_bytes=shard_bytes) as index:
        assert len(index.shards) > 3
        prepared = queries.prepare(outputs, index.classes, None)
        for least in (1, 2, 3, 6):
            expected = alone(prepared, index.shards, least)
            np.testing.assert_array_equal(queries.spans(prepared, index.shards, least), expected)
            assert len(expected)
