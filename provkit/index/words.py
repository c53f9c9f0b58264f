"""Token boundaries: the class of every character, and where tokens begin and end.

A boundary depends on two neighbouring characters alone. There is none between two characters of word or mark,
nor before a mark that follows a non-space; there is one everywhere else. So a word is a run, punctuation marks
and ideographs stand alone, an emoji keeps its variation selector. A token is what lies between two neighbouring
boundaries and is not white space. The classes are stored in each index (`classes.bin`), so that another Unicode
version of Python does not change what an index means.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from provkit.index._native import kernel, signed

OTHER, SPACE, WORD, MARK, IDEOGRAPH = range(5)
CODE_POINTS = 0x110000
END = CODE_POINTS  # what follows the last character of a document; larger than every code point
_IDEOGRAPHS = ("CJK ", "HIRAGANA ", "KATAKANA", "HALFWIDTH KATAKANA ", "HANGUL SYLLABLE ", "IDEOGRAPHIC ")
_PLAIN = {  # categories whose characters all have one class; the rest are asked one by one
    **dict.fromkeys(("Mn", "Mc", "Me"), MARK),
    **dict.fromkeys(("Lu", "Ll", "Lt", "Nd", "No"), WORD),
    **dict.fromkeys(("Pd", "Ps", "Pe", "Pi", "Pf", "Po", "Sm", "Sc", "Sk", "So", "Co", "Cs", "Cn"), OTHER),
}


@dataclass(frozen=True, slots=True)
class Classes:
    """The class of every code point, and the two sets that decide where a span may end.

    Attributes:
        of: uint8, one class a code point, 0x110001 long; the last one stands for the end of a document.
        word_edges: uint32, ascending: code points where the answer to "word or mark?" differs from that of the
            code point before.
        mark_edges: the same for "mark?".
    """

    of: NDArray[np.uint8]
    word_edges: NDArray[np.uint32]
    mark_edges: NDArray[np.uint32]

    def to_bytes(self) -> bytes:
        """The content of classes.bin: one uint32 a run, `first code point << 3 | class`."""
        table = self.of[:CODE_POINTS]
        first = np.concatenate([[0], np.flatnonzero(np.diff(table)) + 1]).astype(np.uint32)
        return (first << 3 | table[first]).astype("<u4").tobytes()

    @classmethod
    def from_bytes(cls, data: bytes) -> Classes:
        """Reads what `to_bytes` wrote.

        Raises:
            ValueError: when the runs do not ascend from 0, or a class is unknown.
        """
        runs = np.frombuffer(data, "<u4") if len(data) % 4 == 0 else np.zeros(0, "<u4")
        first, kinds = (runs >> 3).astype(np.int64), (runs & 7).astype(np.uint8)
        if (
            not len(runs)
            or first[0]
            or (np.diff(first) <= 0).any()
            or first[-1] >= CODE_POINTS
            or kinds.max() > IDEOGRAPH
        ):
            raise ValueError("this is no table of character classes")
        return cls.from_table(np.repeat(kinds, np.diff(first, append=CODE_POINTS)))

    @classmethod
    def from_table(cls, table: NDArray[np.uint8]) -> Classes:
        """From one class a code point, 0x110000 of them."""
        of = np.append(table, np.uint8(SPACE))
        of.setflags(write=False)
        mark = table == MARK
        return cls(of, _edges(mark | (table == WORD)), _edges(mark))


def _edges(answer: NDArray[np.bool_]) -> NDArray[np.uint32]:
    edges = (np.flatnonzero(answer[1:] != answer[:-1]) + 1).astype(np.uint32)
    edges.setflags(write=False)
    return edges


@cache
def current() -> Classes:
    """The classes by the Unicode version of this Python (`unicodedata.unidata_version`)."""
    table = np.full(CODE_POINTS, OTHER, np.uint8)
    for first in (*range(0, 0x40000, 0x1000), 0xE0000):  # all the others are unassigned or private: OTHER
        characters = list(map(chr, range(first, first + 0x1000)))
        kinds = map(_PLAIN.get, map(unicodedata.category, characters))
        settled = [class_of(characters[at]) if kind is None else kind for at, kind in enumerate(kinds)]
        table[first : first + 0x1000] = settled
    return Classes.from_table(table)


def class_of(character: str) -> int:
    """The class of one character: space (all separators), word (letters, digits, `_`), mark, ideograph, other."""
    category = unicodedata.category(character)
    if category[0] == "Z" or character.isspace():
        return SPACE
    if category[0] == "M" or character == "\u200d":
        return MARK
    if category in ("Lo", "Lm", "Nl") and unicodedata.name(character, "").startswith(_IDEOGRAPHS):
        return IDEOGRAPH
    return WORD if category[0] in "LN" or character == "_" else OTHER


@dataclass(frozen=True, slots=True)
class Tokens:
    """The tokens of several texts joined into one buffer.

    Attributes:
        buffer: uint8, 0xFF and the UTF-8 bytes of each text, and at least nine bytes of 0xFF at the end.
        begins, limits: int64, the bounds of each text in `buffer`.
        starts, ends: int64, token bounds in bytes of `buffer`, ascending.
        last: uint8, the class of the last character of each token.
        first: int64, for each text the number of tokens before it; one more entry than texts.
    """

    buffer: NDArray[np.uint8]
    begins: NDArray[np.int64]
    limits: NDArray[np.int64]
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    last: NDArray[np.uint8]
    first: NDArray[np.int64]


def joined(texts: Sequence[bytes]) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """0xFF and the bytes of each text, text after text; and where each 0xFF is, with the end of all."""
    sizes = np.fromiter(map(len, texts), np.int64, len(texts))
    buffer = np.frombuffer(b"\xff" + b"\xff".join(texts), np.uint8) if len(texts) else np.zeros(0, np.uint8)
    return buffer, np.append(0, np.cumsum(sizes + 1)).astype(np.int64)


def tokenise(text: NDArray[np.uint8], starts: NDArray[np.int64], classes: Classes) -> Tokens:
    """Finds the tokens of texts that are joined as `joined` does."""
    buffer = np.append(text, np.full(9, 0xFF, np.uint8))
    buffer.setflags(write=False)
    token_starts, token_ends, last = token_bounds(buffer, len(text), classes.of)
    first = np.searchsorted(token_starts, starts).astype(np.int64)
    return Tokens(buffer, starts[:-1] + 1, starts[1:].copy(), token_starts, token_ends, last, first)


@kernel
def decode(text: NDArray[np.uint8], at: int) -> tuple[int, int]:
    """Code point at a byte offset, and its length. 0xFF, damage and the end of the text give (END, 1)."""
    size = len(text)
    if at < 0 or at >= size:
        return END, 1
    byte = signed(text[at])
    if byte < 0x80:
        return byte, 1
    if byte < 0xE0 and at + 1 < size:
        return (byte & 0x1F) << 6 | (signed(text[at + 1]) & 0x3F), 2
    if byte < 0xF0 and at + 2 < size:
        return (byte & 0x0F) << 12 | (signed(text[at + 1]) & 0x3F) << 6 | (signed(text[at + 2]) & 0x3F), 3
    if byte < 0xF5 and at + 3 < size:
        point = (byte & 0x07) << 18 | (signed(text[at + 1]) & 0x3F) << 12
        point |= (signed(text[at + 2]) & 0x3F) << 6 | (signed(text[at + 3]) & 0x3F)
        return min(point, END), 4
    return END, 1


@kernel
def parted(before: int, after: int) -> bool:
    """Whether a boundary stands between two neighbouring characters of these classes."""
    if after == MARK:
        return before == SPACE
    return not (after == WORD and before in (WORD, MARK))


@kernel
def token_bounds(
    text: NDArray[np.uint8], size: int, classes: NDArray[np.uint8]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.uint8]]:
    """Starts, ends and last character classes of the tokens in the first `size` bytes; 0xFF ends a document."""
    starts = np.empty(size, np.int64)
    ends = np.empty(size, np.int64)
    last = np.empty(size, np.uint8)
    number = 0
    inside = False
    before = SPACE
    at = 0
    while at < size:
        point, length = decode(text, at)
        kind = classes[point]
        if parted(before, kind):
            if inside:
                ends[number] = at
                last[number] = before
                number += 1
            inside = kind != SPACE
            if inside:
                starts[number] = at
        before = kind
        at += length
    if inside:
        ends[number] = size
        last[number] = before
        number += 1
    return starts[:number].copy(), ends[:number].copy(), last[:number].copy()


@kernel
def characters(text: NDArray[np.uint8], start: int, end: int) -> int:
    """The number of characters in a stretch of UTF-8; bounds outside the text are cut."""
    number = 0
    for at in range(max(start, 0), min(end, len(text))):
        number += (text[at] & 0xC0) != 0x80
    return number
