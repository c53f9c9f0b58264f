"""A vocabulary in order of its bytes: which tokens close a word, and which hold whole stretches."""

from __future__ import annotations

from collections.abc import Sequence

from provkit.defences.token_bytes import TokenBytes
from provkit.defences.vocabulary import Vocabulary
from provkit.index.words import IDEOGRAPH, OTHER, SPACE, WORD, current

HALF = "京".encode()[:2]
TOKENS = (b"", b"a", b"ab", b"a b", b" a b c", b"a,", HALF, "京".encode()[2:] + b" a b", b"a" + HALF, b"--", b" ")


def made(least: int, vetoed: Sequence[str] = ()) -> Vocabulary:
    vocabulary = Vocabulary(TokenBytes(TOKENS), current(), least)
    vocabulary.settle(lambda texts: [text for text in texts if text in vetoed])
    return vocabulary


def test_lists_hold_the_tokens_with_which_so_many_words_can_begin() -> None:
    lists = {need: sorted(known.ids.tolist()) for need, known in made(5).lists.items()}
    # The end of a character counts as a word: it may be one. An empty token and spaces begin none.
    assert lists == {1: [1, 2, 3, 4, 5, 7, 8, 9], 2: [3, 4, 5, 7, 9], 3: [4, 7]}
    assert made(2).lists.keys() == {1, 2}
    assert all(list(known.texts) == sorted(known.texts) for known in made(3).lists.values())


def test_a_token_closes_a_word_where_it_stops_or_does_not_go_on_with_it() -> None:
    vocabulary = made(2)
    assert sorted(vocabulary.closing(b"a", WORD).tolist()) == [1, 3, 5, 8]  # not "ab"
    assert vocabulary.closing(b"ab", WORD).tolist() == [2]
    assert vocabulary.closing(b"-", OTHER).tolist() == [9]
    assert vocabulary.closing(b"z", WORD).tolist() == []


def test_a_stretch_within_a_token_counts_where_a_word_begins_with_it() -> None:
    vocabulary = made(2, ["a b", "--"])
    # " a b c" and the token that ends a character hold it whatever is before; "a b" does not after a letter.
    for before in (SPACE, OTHER, IDEOGRAPH):
        assert vocabulary.alone(before).tolist() == [3, 4, 7, 9]
    assert vocabulary.alone(WORD).tolist() == [4, 7, 9]
    assert made(3, ["a b"]).alone(SPACE).tolist() == []
