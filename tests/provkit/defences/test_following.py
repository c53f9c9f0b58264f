"""A text that grows token by token keeps the starts and intervals that it has when it is taken whole."""

from __future__ import annotations

import random
from typing import Any

import numpy as np

from provkit.defences.following import Follower, Growth


def same(one: Growth, other: Growth) -> bool:
    arrays = ("depths", "words", "lows", "highs")
    facts = ("text", "tail", "last", "broken")
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in arrays) and all(
        getattr(one, name) == getattr(other, name) for name in facts
    )


def test_pieces_of_any_size_lead_to_the_same_state(planted: Any) -> None:
    follower, chance = Follower(planted.index), random.Random(0)
    live = 0
    for document in planted.documents[:20]:
        text = document.encode()[: chance.randrange(10, 60)]  # may end inside a character
        whole = follower.grow(follower.begin(), text)
        growth, left = follower.begin(), text
        while left:
            size = chance.randrange(1, 5)
            growth, left = follower.grow(growth, left[:size]), left[size:]
        assert same(growth, whole)
        live += len(whole.depths)
    assert live > 60


def test_starts_are_those_from_which_the_corpus_goes_on_so(planted: Any) -> None:
    follower = Follower(planted.index)
    text = "zz " + " ".join(planted.documents[3].split(" ")[2:5])
    growth = follower.grow(follower.begin(), text.encode())
    expected = [end for end in planted.ends(text, 1) if any(begins(one, end, planted) for one in planted.documents)]
    assert [growth.text[-depth:].decode() for depth in growth.depths.tolist()] == expected
    assert [len(planted.ends(end, 1)) for end in expected] == growth.words.tolist()
    total = [sum(begins(one, end, planted) for one in planted.documents) for end in expected]
    assert (growth.highs - growth.lows).sum(axis=0).tolist() == total


def begins(document: str, text: str, planted: Any) -> int:
    """How many token starts of a document have this text."""
    return sum(end.startswith(text) for end in planted.ends(document, 1))


def test_fallback_bytes_that_are_no_text_end_it_all(planted: Any) -> None:
    follower = Follower(planted.index)
    before = follower.grow(follower.begin(), b"the ")
    assert len(before.depths)
    whole = follower.grow(follower.grow(before, b"\xe4", True), "京".encode()[1:], True)
    assert same(whole, follower.grow(before, "京".encode()))
    broken = follower.grow(follower.grow(before, b"\xe4", True), b"\xe4", True)
    assert broken.broken and not len(broken.depths)
    assert follower.grow(broken, b"\x41", True) is broken  # U+FFFD, however much of a letter it is
    after = follower.grow(broken, b"the")
    assert not after.broken and len(after.depths) == 1
