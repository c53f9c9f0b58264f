"""The bytes of tokens, against what the tokenizers themselves decode."""

from __future__ import annotations

import random
from itertools import groupby
from typing import Any

import pytest

from provkit.defences.token_bytes import TokenBytes, byte_alphabet, token_bytes
from provkit.errors import InputError


def decoded(known: TokenBytes, ids: list[int]) -> str:
    """The text of tokens: a run of fallback tokens is one text, or U+FFFD for each where it is none."""
    text = ""
    for fallback, run in groupby(
        (number for number in ids if known.of[number]), lambda number: number in known.fallback
    ):
        parts = [known.of[number] for number in run]
        if not fallback:
            text += b"".join(parts).decode(errors="replace")
            continue
        try:
            text += b"".join(parts).decode()
        except UnicodeDecodeError:
            text += "\ufffd" * len(parts)
    return text


def test_joined_bytes_are_what_the_tokenizer_decodes(tokenizer: Any) -> None:
    known = token_bytes(tokenizer)
    assert len(known.of) == tokenizer.get_vocab_size()
    chance = random.Random(0)
    for _ in range(500):
        ids = [chance.randrange(len(known.of)) for _ in range(chance.randrange(1, 12))]
        text = decoded(known, ids)
        expected = tokenizer.decode(ids, skip_special_tokens=True)
        assert expected in ([text] if not known.fallback else [text, text.removeprefix(" ")])


def test_characters_split_over_tokens_come_together(tokenizer: Any, segmented: Any) -> None:
    known, text = token_bytes(tokenizer), "café 京 ☺\ufe0f naïve"
    assert b"".join(known.of[number] for number in tokenizer.encode(text).ids).decode().strip() == text
    ids = segmented(known, text, random.Random(0))
    assert any(not known.of[number].decode(errors="ignore") for number in ids)
    assert tokenizer.decode(ids) == text


def test_special_tokens_are_no_text_and_added_ones_are(byte_level: Any) -> None:
    known = token_bytes(byte_level)
    assert known.of[byte_level.token_to_id("<eos>")] == b""
    assert known.of[byte_level.token_to_id("<car>")] == b"<car>"
    assert known.of[byte_level.token_to_id("red car")] == b"red car"


def test_the_alphabet_is_a_bijection_of_all_bytes() -> None:
    alphabet = byte_alphabet()
    assert sorted(alphabet.values()) == list(range(256))
    assert (alphabet["A"], alphabet["Ġ"], alphabet["Ċ"], alphabet["é"]) == (0x41, 0x20, 0x0A, 0xE9)


def test_a_decoder_that_turns_signs_into_spaces_alone_is_read() -> None:
    tokenizers = pytest.importorskip("tokenizers", reason="needs transformers")
    made = tokenizers.Tokenizer(tokenizers.models.BPE(vocab={"▁the": 0, "car": 1, "▁": 2, "<0x41>": 3}, merges=[]))
    made.decoder = tokenizers.decoders.Metaspace()
    known = token_bytes(made)
    assert known == TokenBytes((b" the", b"car", b" ", b"<0x41>"))
    assert b"".join(known.of[number] for number in (1, 0, 2, 3)).decode() == made.decode([1, 0, 2, 3])


def test_an_unknown_decoder_and_a_slow_tokenizer_are_refused() -> None:
    tokenizers = pytest.importorskip("tokenizers", reason="needs transformers")
    made = tokenizers.Tokenizer(tokenizers.models.WordPiece())
    made.decoder = tokenizers.decoders.WordPiece()
    with pytest.raises(InputError, match="a decoder of the kind WordPiece is not known"):
        token_bytes(made)
    with pytest.raises(InputError, match="no fast backend"):
        token_bytes(object())
