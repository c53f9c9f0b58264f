"""What each token of a tokenizer adds to the text, in bytes: byte-level BPE and SentencePiece with byte fallback."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from provkit.errors import InputError, plain

_BYTE = re.compile(r"<0x([0-9A-Fa-f]{2})>")
Turn = Callable[[str | bytes], str | bytes]


@dataclass(frozen=True, slots=True)
class TokenBytes:
    """The bytes of a vocabulary.

    Attributes:
        of: the bytes of each token by its id; empty for special tokens, which are no text, and for unused ids.
        fallback: the ids of tokens that stand for one byte in a vocabulary whose other tokens are whole characters
            (`<0xC3>`). Where a run of them is no UTF-8, decoding writes U+FFFD for each one, not for those at fault.
    """

    of: tuple[bytes, ...]
    fallback: frozenset[int] = frozenset()


def token_bytes(tokenizer: Any) -> TokenBytes:
    """The bytes of a tokenizer: joined, they are what `decode(ids, skip_special_tokens=True)` gives.

    That is without `clean_up_tokenization_spaces`, which removes spaces, and without the one space at the front that a
    SentencePiece decoder takes away.

    Args:
        tokenizer: a fast tokenizer of transformers, or a `tokenizers.Tokenizer`.

    Raises:
        InputError: for a tokenizer without a fast backend, or with a decoder of another kind.
    """
    backend = getattr(tokenizer, "backend_tokenizer", tokenizer)
    if not hasattr(backend, "get_added_tokens_decoder"):
        do = "load it with use_fast=True, or give the bytes of each token as TokenBytes"
        raise InputError("this tokenizer has no fast backend, whose decoder says what its tokens are", do=do)
    special = {number for number, token in backend.get_added_tokens_decoder().items() if token.special}
    special.update(getattr(tokenizer, "all_special_ids", ()))
    turns = _turns(json.loads(backend.decoder.__getstate__()) if backend.decoder is not None else {"type": "none"})
    vocabulary: dict[str, int] = backend.get_vocab(with_added_tokens=True)
    of = [b""] * (max(vocabulary.values(), default=-1) + 1)
    fallback = set()
    for token, number in vocabulary.items():
        if number in special:
            continue
        text: str | bytes = token
        for turn in turns:
            text = turn(text)
        of[number] = text if isinstance(text, bytes) else text.encode()
        if _fallback in turns and _BYTE.fullmatch(token):
            fallback.add(number)
    return TokenBytes(tuple(of), frozenset(fallback))


def _turns(decoder: dict[str, Any]) -> list[Turn]:
    """What a decoder does to one token, step by step."""
    kind = decoder["type"]
    if kind == "Sequence":
        steps = list(decoder["decoders"])
        if len(steps) > 1 and steps[-1]["type"] == "Strip" and steps[-2]["type"] == "Fuse":
            steps.pop()  # spaces at the front or end of the whole text
        return [turn for step in steps for turn in _turns(step)]
    if kind == "Fuse":
        return []
    if kind == "ByteLevel":
        return [_byte_level]
    if kind == "ByteFallback":
        return [_fallback]
    if kind == "Metaspace":
        return [_replacing(decoder["replacement"], " ")]
    if kind == "Replace" and "String" in decoder["pattern"]:
        return [_replacing(decoder["pattern"]["String"], decoder["content"])]
    do = "byte-level BPE and SentencePiece are known; give the bytes of each token as TokenBytes"
    raise InputError(f"a decoder of the kind {plain(str(kind))} is not known", do=do)


def _replacing(old: str, new: str) -> Turn:
    return lambda text: text.replace(old, new) if isinstance(text, str) else text


def _fallback(text: str | bytes) -> str | bytes:
    found = _BYTE.fullmatch(text) if isinstance(text, str) else None
    return bytes([int(found[1], 16)]) if found else text


def _byte_level(text: str | bytes) -> str | bytes:
    """Bytes written as printable characters; a token with any other character (an added one) stands for itself."""
    if isinstance(text, bytes):
        return text
    alphabet = byte_alphabet()
    return bytes(alphabet[one] for one in text) if all(one in alphabet for one in text) else text


@cache
def byte_alphabet() -> dict[str, int]:
    """The characters that byte-level BPE writes bytes with (GPT-2): themselves where printable, else from U+0100 on."""
    printable = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    others = [byte for byte in range(256) if byte not in printable]
    return {chr(byte): byte for byte in printable} | {chr(256 + at): byte for at, byte in enumerate(others)}
