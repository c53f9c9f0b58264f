"""The first pass over a shard's text: where tokens start, and how often each one occurs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from provkit.index._native import kernel, load8, prefetch, signed
from provkit.index.table import int64s
from provkit.index.words import SPACE, WORD, Classes, decode, parted

T = TypeVar("T", bound=np.generic)
HASH, HEAD, PLACE, COUNT = range(4)  # columns of the table: hash, first 8 bytes, offset << 32 | length, count
FIRST_SLOTS = 1 << 14
WAITING = 64  # tokens whose slots are fetched before they are looked at


@dataclass(frozen=True, slots=True)
class Counted:
    """What the pass found.

    Attributes:
        starts: uint8, one bit a byte of text (bit `at & 7` of byte `at >> 3`), set where a token starts.
        tokens: how many there are.
        table: uint64, shape (slots, 4): the distinct raw tokens; a slot of count 0 is free.
    """

    starts: NDArray[np.uint8]
    tokens: int
    table: NDArray[np.uint64]


def count_tokens(text: NDArray[np.uint8], classes: Classes, slots: int = FIRST_SLOTS) -> Counted:
    """Marks the token starts of a text and counts its raw tokens; 0xFF ends a document.

    The kernel stops whenever the table is half full; it is doubled, and the kernel goes on.
    """
    starts = zeros(len(text) // 8 + 1, np.uint8)
    table = zeros((slots, 4), np.uint64)
    state = np.zeros(3, np.int64)  # next byte, tokens, used slots
    while not scan(text, classes.of, starts, table, state):
        table = rehash(table, zeros((2 * len(table), 4), np.uint64))
    return Counted(starts, int(state[1]), table)


def lower_cased(text: NDArray[np.uint8], table: NDArray[np.uint64]) -> pa.Table:
    """The unigram counts: columns token (str.lower of the raw tokens, ascending) and count (int64).

    All distinct raw tokens are lowered in one call, joined by newlines, which no token contains.
    """
    used = table[table[:, COUNT] > 0]
    _, data = join(text, used[:, PLACE].copy())
    lowered = np.frombuffer(data.tobytes().decode().lower().encode(), np.uint8)
    # Always anew: one token may shrink by as many bytes as another grows.
    offsets = np.append(0, np.flatnonzero(lowered == ord("\n")) + 1)
    return grouped(lowered, offsets, used[:, COUNT].copy(), 1)


def summed(tables: Sequence[pa.Table]) -> pa.Table:
    """Adds up the counts of equal tokens in several tables of `lower_cased`."""
    parts, ends, size = [], [np.zeros(1, np.int64)], 0
    for table in tables:
        data, offsets, _ = columns_of(table)
        parts.append(data)
        ends.append(offsets[1:] + size)
        size += len(data)
    counts = np.concatenate([columns_of(table)[2] for table in tables]).astype(np.uint64)
    return grouped(np.concatenate(parts), np.concatenate(ends), counts, 0)


def columns_of(table: pa.Table) -> tuple[NDArray[np.uint8], NDArray[np.int64], NDArray[np.int64]]:
    """The bytes of the tokens, where each begins (from 0; one more entry), and the counts."""
    table = table.cast(pa.schema([("token", pa.large_string()), ("count", pa.int64())])).combine_chunks()
    if not len(table):
        return np.zeros(0, np.uint8), np.zeros(1, np.int64), np.zeros(0, np.int64)
    token, count = table.column("token").chunk(0), table.column("count").chunk(0)
    _, offsets, data = token.buffers()
    bounds = np.frombuffer(offsets, np.int64)[token.offset : token.offset + len(token) + 1]
    counts = np.frombuffer(count.buffers()[1], np.int64)[count.offset : count.offset + len(count)]
    return np.frombuffer(data, np.uint8)[bounds[0] : bounds[-1]], bounds - bounds[0], counts


def grouped(data: NDArray[np.uint8], offsets: NDArray[np.int64], counts: NDArray[np.uint64], gap: int) -> pa.Table:
    """Adds up the counts of equal strings, with `gap` bytes between one and the next; ascending by their bytes.

    A hash table of ours: Arrow's group_by takes ten times as long.
    """
    table = zeros((max(2, 2 ** (2 * len(counts)).bit_length()), 4), np.uint64)
    regroup(data, offsets, counts, gap, table)
    table = table[table[:, COUNT] > 0]
    offsets, data = join(data, table[:, PLACE].copy())
    offsets -= np.arange(len(offsets))
    tokens = pa.LargeStringArray.from_buffers(len(table), pa.py_buffer(offsets), pa.py_buffer(data[data != ord("\n")]))
    return pa.table({"token": tokens, "count": int64s(table[:, COUNT])}).sort_by("token").combine_chunks()


def zeros(shape: int | tuple[int, ...], kind: type[T]) -> NDArray[T]:
    """Zeros in huge pages: numpy asks for these in `empty` only, and random access is a third faster with them."""
    array = np.empty(shape, kind)
    array.fill(0)
    return array


@kernel
def scan(
    text: NDArray[np.uint8],
    classes: NDArray[np.uint8],
    starts: NDArray[np.uint8],
    table: NDArray[np.uint64],
    state: NDArray[np.int64],
) -> bool:
    """Goes through the text from `state[0]` on; False when the table is half full and must grow."""
    size = len(text)
    at, tokens = state[0], state[1]
    begins, lengths = np.empty(WAITING, np.int64), np.empty(WAITING, np.int64)
    heads, hashes = np.empty(WAITING, np.uint64), np.empty(WAITING, np.uint64)
    mask = np.uint64(len(table) - 1)
    waiting = 0
    flat = table.reshape(-1)
    while at < size:
        byte = text[at]
        kind = classes[byte] if byte < 0x80 else 0
        length = 1
        if byte >= 0x80:
            point, length = decode(text, at)
            kind = classes[point]
        if kind == SPACE:
            at += length
            continue
        # `at` is a token start: the character before it was a space, or the last one of the token before.
        if waiting == WAITING:
            state[2] += add_all(text, table, begins, lengths, heads, hashes, waiting)
            waiting = 0
        if waiting == 0 and state[2] + WAITING > len(table) // 2:
            state[0], state[1] = at, tokens
            return False
        begin = at
        while True:
            before = kind
            at += length
            if at >= size:
                break
            byte = text[at]
            if byte < 0x80:
                kind = classes[byte]
                length = 1
                if kind == WORD and before == WORD:
                    continue
            else:
                point, length = decode(text, at)
                kind = classes[point]
            if parted(before, kind):
                break
        starts[begin >> 3] |= np.uint8(1 << (begin & 7))
        tokens += 1
        begins[waiting], lengths[waiting] = begin, at - begin
        heads[waiting] = head(text, begin, at - begin)
        hashes[waiting] = hash_of(text, begin, at - begin, heads[waiting])
        prefetch(flat, 4 * signed(hashes[waiting] & mask))
        waiting += 1
    state[2] += add_all(text, table, begins, lengths, heads, hashes, waiting)
    state[0], state[1] = size, tokens
    return True


@kernel
def add_all(
    text: NDArray[np.uint8],
    table: NDArray[np.uint64],
    begins: NDArray[np.int64],
    lengths: NDArray[np.int64],
    heads: NDArray[np.uint64],
    hashes: NDArray[np.uint64],
    number: int,
) -> int:
    """Counts the first `number` tokens of a list; returns how many are new."""
    new = 0
    for at in range(number):
        slot = slot_for(text, table, begins[at], lengths[at], heads[at], hashes[at])
        new += table[slot, COUNT] == 0
        table[slot, COUNT] += np.uint64(1)
    return new


@kernel
def head(text: NDArray[np.uint8], at: int, length: int) -> np.uint64:
    """The first min(8, length) bytes at `at`, left-aligned in a word that is zero behind them."""
    if at + 8 <= len(text):
        word = load8(text, at)
        return word if length >= 8 else word & ~(np.uint64(0xFFFFFFFFFFFFFFFF) >> np.uint64(8 * length))
    word = np.uint64(0)
    for step in range(min(length, 8)):
        word |= np.uint64(text[at + step]) << np.uint64(56 - 8 * step)
    return word


@kernel
def hash_of(text: NDArray[np.uint8], at: int, length: int, first: np.uint64) -> np.uint64:
    """A 64-bit hash of a stretch of text whose `head` is `first`."""
    factor = np.uint64(0x9E3779B97F4A7C15)
    value = (first ^ np.uint64(length)) * factor
    value ^= value >> np.uint64(32)
    step = 8
    while step < length:
        value = (value ^ head(text, at + step, length - step)) * factor
        value ^= value >> np.uint64(32)
        step += 8
    return value


@kernel
def same(text: NDArray[np.uint8], one: int, other: int, length: int) -> bool:
    """Whether two stretches of the text are equal."""
    step = 0
    while step < length:
        if head(text, one + step, length - step) != head(text, other + step, length - step):
            return False
        step += 8
    return True


@kernel
def slot_for(
    text: NDArray[np.uint8],
    table: NDArray[np.uint64],
    begin: int,
    length: int,
    first: np.uint64,
    value: np.uint64,
) -> int:
    """The slot that holds a token of this head and hash, or the free one where it belongs, filled but for its count."""
    mask = len(table) - 1
    slot = signed(value & np.uint64(mask))
    while table[slot, COUNT] != 0:
        if table[slot, HASH] == value and table[slot, HEAD] == first:
            place = table[slot, PLACE]
            if signed(place & np.uint64(0xFFFFFFFF)) == length and (
                length <= 8 or same(text, begin, signed(place >> np.uint64(32)), length)
            ):
                return slot
        slot = (slot + 1) & mask
    table[slot, HASH] = value
    table[slot, HEAD] = first
    table[slot, PLACE] = np.uint64(begin) << np.uint64(32) | np.uint64(length)
    return slot


@kernel
def slot_of(text: NDArray[np.uint8], table: NDArray[np.uint64], begin: int, length: int) -> int:
    """As `slot_for`, from the token alone."""
    first = head(text, begin, length)
    return slot_for(text, table, begin, length, first, hash_of(text, begin, length, first))


@kernel
def regroup(
    data: NDArray[np.uint8],
    offsets: NDArray[np.int64],
    counts: NDArray[np.uint64],
    gap: int,
    table: NDArray[np.uint64],
) -> None:
    """Adds up the counts of equal strings, with `gap` bytes between them, in an empty table of enough slots."""
    for at in range(len(counts)):
        slot = slot_of(data, table, offsets[at], offsets[at + 1] - offsets[at] - gap)
        table[slot, COUNT] += counts[at]


@kernel
def rehash(table: NDArray[np.uint64], larger: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Moves all used slots into a larger, empty table."""
    mask = len(larger) - 1
    for row in range(len(table)):
        if table[row, COUNT] == 0:
            continue
        slot = signed(table[row, HASH] & np.uint64(mask))
        while larger[slot, COUNT] != 0:
            slot = (slot + 1) & mask
        larger[slot] = table[row]
    return larger


@kernel
def join(text: NDArray[np.uint8], places: NDArray[np.uint64]) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    """Stretches of the text, each ended by a newline, and where each begins (one more entry)."""
    offsets = np.empty(len(places) + 1, np.int64)
    offsets[0] = 0
    for row in range(len(places)):
        offsets[row + 1] = offsets[row] + signed(places[row] & np.uint64(0xFFFFFFFF)) + 1
    data = np.empty(offsets[-1], np.uint8)
    for row in range(len(places)):
        begin = signed(places[row] >> np.uint64(32))
        to, end = offsets[row], offsets[row + 1] - 1
        data[to:end] = text[begin : begin + (end - to)]
        data[end] = 10
    return offsets, data
