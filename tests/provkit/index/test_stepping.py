"""Intervals that narrow as a text grows, and continuations that complete a stretch, against brute force."""

from __future__ import annotations

import random
from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
import pytest

from provkit.index.stepping import Continuations, character, closing, meet, narrow
from provkit.index.words import END, SPACE, WORD, current

WORDS = ("a", "aa", "ab", "é", "e\u0301", "京", "-", "b")


@pytest.fixture
def documents() -> list[str]:
    chance = random.Random(1)
    return ["".join(chance.choice(WORDS) + chance.choice(("", " ", " ", "  ")) for _ in range(12)) for _ in range(8)]


def suffixes_of(shard: Any) -> list[bytes]:
    text = shard.text.tobytes()
    return [text[at : text.index(b"\xff", at) + 1] for at in shard.suffixes.tolist()]


def interval_of(suffixes: list[bytes], query: bytes) -> tuple[int, int] | None:
    inside = [at for at, one in enumerate(suffixes) if one.startswith(query)]
    return (inside[0], inside[-1] + 1) if inside else None


def started(shard: Any, suffixes: list[bytes], query: bytes) -> tuple[Any, Any]:
    """The interval of a query that is the beginning of one suffix at least."""
    low, high = interval_of(suffixes, query) or (0, 0)
    return np.array([low]), np.array([high])


def padded(text: bytes) -> np.ndarray[Any, np.dtype[np.uint8]]:
    return np.frombuffer(text + b"\xff" * 9, np.uint8)


def test_growing_byte_by_byte_keeps_the_interval_of_a_new_search(
    documents: list[str], index_of: Callable[..., Any]
) -> None:
    with index_of(documents) as index:
        (shard,) = index.shards
        suffixes = suffixes_of(shard)
        chance = random.Random(2)
        met = 0
        for _ in range(200):
            source = chance.choice(suffixes)[:-1]
            query = source[: chance.randrange(1, 16)] + chance.choice((b"", b"", b"a", "é".encode(), b"z"))
            cut = chance.randrange(1, len(query) + 1)
            low, high = started(shard, suffixes, query[:cut])
            depth = np.array([cut])
            narrow(shard.text, shard.suffixes, low, high, depth, padded(query[cut:]), len(query) - cut)
            expected = interval_of(suffixes, query)
            assert expected == ((int(low[0]), int(high[0])) if low[0] < high[0] else None)
            met += expected is not None
        assert met > 50


def test_what_completes_a_stretch_is_what_brute_force_finds(
    documents: list[str], index_of: Callable[..., Any], reference_tokens: Callable[[str], list[tuple[int, int]]]
) -> None:
    vocabulary = sorted({a + b + c for a in (*WORDS, " ") for b in (*WORDS, " ", "") for c in (" ", "b", "")})
    known = Continuations.of([(one.encode(), at) for at, one in enumerate(vocabulary)])
    stands = set()
    for one in documents:
        bounds = reference_tokens(one)
        stands |= {one[start:end] for at, (start, _) in enumerate(bounds) for _, end in bounds[at:]}
    classes, found = current(), 0
    with index_of(documents) as index:
        (shard,) = index.shards
        for least in (1, 2, 3):
            for one, at in product(documents, range(3)):
                bounds = reference_tokens(one)
                text = one[bounds[at][0] : bounds[at][1]]
                low, high = started(shard, suffixes_of(shard), text.encode())
                size = len(text.encode())
                walk, rows = np.empty(8 * (known.longest + 1), np.int64), np.empty((99, 3), np.int64)
                number = meet(
                    shard.text, shard.suffixes, classes.of, classes.word_edges, classes.mark_edges, known.data, known.offsets,
                    low, high, np.array([size]), np.array([1]), int(classes.of[ord(text[-1])]), 0, 0,
                    least, walk, rows,
                )  # fmt: skip
                ours = {known.texts[token][:depth].decode() for _, token, depth in rows[:number].tolist()}
                beginnings = {token[:end] for token in vocabulary for end in range(1, len(token) + 1)}
                expected = {
                    more
                    for more in beginnings
                    if text + more in stands and reference_tokens(text + more)[-1][1] == len(text + more)
                    and len(reference_tokens(text + more)) >= least
                }  # fmt: skip
                assert ours == expected
                found += len(expected)
    assert found > 20


def test_a_character_that_is_not_whole_or_no_utf_8_is_none() -> None:
    for point in (0x41, 0xE9, 0x7FF, 0x800, 0x4EAC, 0xFFFD, 0x1F642, 0x10FFFF):
        data = chr(point).encode()
        assert character(np.frombuffer(data + b"\xa9", np.uint8), 0, len(data)) == point
        assert character(np.frombuffer(data, np.uint8), 0, len(data) - 1) == END
    for bad in (b"\x80", b"\xc1\x81", b"\xe0\x81\x81", b"\xf0\x80\x81\x81", b"\xf5\x80\x80\x80", b"\xffA", b"\xc3A"):
        assert character(np.frombuffer(bad, np.uint8), 0, len(bad)) == END


def test_a_word_is_closed_by_what_does_not_go_on_with_it() -> None:
    texts = ["car", "car!", "cars", "car\u0301", "car s", "car京"]
    known = Continuations.of([(one.encode(), at) for at, one in enumerate(texts)] + [("caré".encode()[:4], 6)])
    ends, after_space = np.zeros(7, np.bool_), np.zeros(7, np.bool_)
    closing(known.data, known.offsets, current().of, 0, 7, 3, WORD, ends)
    assert sorted(known.ids[ends].tolist()) == [0, 1, 4, 5, 6]
    closing(known.data, known.offsets, current().of, 0, 7, 0, SPACE, after_space)
    assert after_space.all()
