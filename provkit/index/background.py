"""The BCI of ordinary corpus text by length: background.parquet, and the percentile of a span against it.

BCI grows with length, so a span's is compared with windows of the same token count. 20,000 token starts are drawn
uniformly over the corpus; for each length only the windows that stay inside their document count. Beyond 64 tokens
every fifth is enough: the mean over many tokens varies less.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from provkit.index._native import kernel, signed
from provkit.index.counting import COUNT, PLACE, rehash, slot_of
from provkit.index.manifest import BACKGROUND, CLASSES, SHARDS, File, Manifest, file_of
from provkit.index.model import Percentile
from provkit.index.shard import SUFFIXES, TEXT, TOKENS
from provkit.index.table import int64s, read_parquet
from provkit.index.unigram import Unigram, joined_lower
from provkit.index.words import END, SPACE, Classes, decode, parted

SAMPLES = 20_000
SEED = 0
LENGTHS = np.array([1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024])
FEWEST = 100  # windows a length must have to be used
QUANTILES = 101
SHORT, FIFTH = 64, 5  # beyond SHORT tokens only every FIFTH window of a sample
CHUNK = 1000  # windows at a time


@dataclass(frozen=True, slots=True)
class Background:
    """Quantiles of bci / tokens by window length.

    Attributes:
        lengths: int64, ascending, those with at least FEWEST windows.
        quantiles: float64, shape (lengths, 101).
    """

    lengths: NDArray[np.int64]
    quantiles: NDArray[np.float64]

    @classmethod
    def read(cls, path: Path) -> Background:
        """Reads background.parquet."""
        table = read_parquet(path)
        rows = [row for row in table.to_pylist() if row["windows"] >= FEWEST]
        quantiles = np.array([row["quantiles"] for row in rows], np.float64).reshape(-1, QUANTILES)
        return cls(np.array([row["tokens"] for row in rows], np.int64), quantiles)

    def percentile(self, tokens: int, bci: float) -> Percentile:
        """Rank of a BCI among windows of as many tokens, interpolated between lengths, mid-rank among equals."""
        if not len(self.lengths) or tokens < 1:
            return Percentile(math.nan, False)
        density = bci / tokens
        lengths: list[int] = self.lengths.tolist()  # for single values bisect is ten times faster than numpy's search
        above = bisect_left(lengths, tokens)
        if above == len(lengths):
            return Percentile(float(round(self._rank(above - 1, density))), tokens > lengths[-1])
        value = self._rank(above, density)
        if lengths[above] != tokens:  # lengths begin at 1, so there is one below
            low, high = math.log(lengths[above - 1]), math.log(lengths[above])
            part = (math.log(tokens) - low) / (high - low)
            value = (1 - part) * self._rank(above - 1, density) + part * value
        return Percentile(float(round(value)), False)

    def _rank(self, row: int, density: float) -> float:
        quantiles: list[float] = self.quantiles[row].tolist()
        slack = 1e-9 * max(abs(density), 1.0)  # sums in another order are the same number
        low, high = bisect_left(quantiles, density - slack), bisect_right(quantiles, density + slack)
        if low < high:
            return (low + high - 1) / 2
        if low in (0, QUANTILES):
            return 0.0 if low == 0 else float(QUANTILES - 1)
        below, above = quantiles[low - 1], quantiles[low]
        return low - 1 + (density - below) / (above - below)


def write_background(path: Path, manifest: Manifest) -> File:
    """Samples the corpus and writes background.parquet: columns tokens, windows, quantiles."""
    sampled: list[list[NDArray[np.float64]]] = [[] for _ in LENGTHS]
    shards = [path / SHARDS / shard.name for shard in manifest.shards]
    unigram = Unigram.read([shard / TOKENS for shard in shards])
    classes = Classes.from_bytes((path / CLASSES).read_bytes())
    total = manifest.tokens
    for ranks, directory in zip(sampled_ranks(manifest), shards, strict=True):
        if len(ranks):
            text = np.memmap(directory / TEXT, np.uint8, "r")
            places = np.memmap(directory / SUFFIXES, np.uint32, "r")[ranks].astype(np.int64)
            for kept, found in zip(
                sampled, windows(np.asarray(text), places, classes, unigram, total > SAMPLES), strict=True
            ):
                kept.append(found)
    joined = [np.concatenate([*parts, np.zeros(0)]) for parts in sampled]
    grid = np.linspace(0, 1, QUANTILES)
    quantiles = [np.quantile(one, grid) if len(one) else np.zeros(0) for one in joined]
    bounds = np.append(0, np.cumsum([len(one) for one in quantiles])).astype(np.int32)
    values = np.concatenate(quantiles)
    table = pa.table(
        {
            "tokens": int64s(LENGTHS),
            "windows": int64s(np.array([len(one) for one in joined])),
            "quantiles": pa.ListArray.from_arrays(
                pa.Int32Array.from_buffers(pa.int32(), len(bounds), [None, pa.py_buffer(bounds)]),
                pa.DoubleArray.from_buffers(pa.float64(), len(values), [None, pa.py_buffer(values)]),
            ),
        }
    )
    part = path / (BACKGROUND + ".part")
    pq.write_table(table, part, compression="zstd")
    file = file_of(part)
    part.replace(path / BACKGROUND)
    return file


def sampled_ranks(manifest: Manifest) -> list[NDArray[np.int64]]:
    """Which entries of each shard's suffixes.bin are sampled, ascending; all of a small corpus."""
    total = manifest.tokens
    if total > SAMPLES:
        chosen = np.sort(np.random.Generator(np.random.PCG64(SEED)).choice(total, SAMPLES, replace=False))
    else:
        chosen = np.arange(total)
    ends = np.cumsum([0, *(shard.tokens for shard in manifest.shards)])
    cuts = np.searchsorted(chosen, ends)
    return [chosen[a:b] - first for a, b, first in zip(cuts, cuts[1:], ends, strict=False)]


def windows(
    text: NDArray[np.uint8], places: NDArray[np.int64], classes: Classes, unigram: Unigram, sampled: bool
) -> list[NDArray[np.float64]]:
    """bci / tokens of the windows that begin at `places`, for each of LENGTHS those inside their document."""
    places = places[places < len(text)]
    table = np.zeros((1 << 14, 4), np.uint64)
    distinct = np.zeros(len(table) // 2, np.uint64)  # place and length of each distinct token
    surprise = np.zeros(0)
    found = np.full((len(places), len(LENGTHS)), np.nan)
    state = np.zeros(2, np.int64)  # next window of the chunk, distinct tokens
    for begin in range(0, len(places), CHUNK):
        part = places[begin : begin + CHUNK]
        ids = np.empty((len(part), int(LENGTHS[-1])), np.int32)
        sizes = np.full(len(part), LENGTHS[-1], np.int64)
        if sampled:
            sizes[np.arange(begin, begin + len(part)) % FIFTH != 0] = SHORT
        state[0] = 0
        while not walk(text, classes.of, part, table, distinct, ids, sizes, state):
            table = rehash(table, np.zeros((2 * len(table), 4), np.uint64))
            distinct = np.concatenate([distinct, np.zeros(len(table) // 2 - len(distinct), np.uint64)])
        new = distinct[len(surprise) : state[1]]
        counts = unigram.counts_of_joined(joined_lower(text, new))
        surprise = np.concatenate([surprise, unigram.surprise(counts)])
        densities(surprise, ids, sizes, LENGTHS, found[begin : begin + CHUNK])
    return [column[~np.isnan(column)] for column in found.T]


@kernel
def walk(
    text: NDArray[np.uint8],
    classes: NDArray[np.uint8],
    places: NDArray[np.int64],
    table: NDArray[np.uint64],
    distinct: NDArray[np.uint64],
    ids: NDArray[np.int32],
    sizes: NDArray[np.int64],
    state: NDArray[np.int64],
) -> bool:
    """Reads on from each place and numbers the tokens; False when the table must grow.

    Args:
        distinct: filled in: offset << 32 | length of each distinct token.
        ids: filled in: the numbers of the tokens of each window.
        sizes: how many of them are wanted; filled in: how many the document has.
        state: next window and number of distinct tokens, updated.
    """
    while state[0] < len(places):
        window = state[0]
        at = places[window]
        number = 0
        while number < sizes[window]:
            if state[1] >= len(distinct):
                return False
            begin = at
            point, length = decode(text, at)
            kind = classes[point]
            while True:
                before = kind
                at += length
                point, length = decode(text, at)
                kind = classes[point]
                if parted(before, kind):
                    break
            slot = slot_of(text, table, begin, at - begin)
            if table[slot, COUNT] == 0:
                distinct[state[1]] = table[slot, PLACE]
                state[1] += 1
                table[slot, COUNT] = state[1]
            ids[window, number] = signed(table[slot, COUNT]) - 1
            number += 1
            while point < END and kind == SPACE:
                at += length
                point, length = decode(text, at)
                kind = classes[point]
            if point == END:
                break
        sizes[window] = number
        state[0] += 1
    return True


@kernel
def densities(
    surprise: NDArray[np.float64],
    ids: NDArray[np.int32],
    sizes: NDArray[np.int64],
    lengths: NDArray[np.int64],
    found: NDArray[np.float64],
) -> None:
    """Fills in the mean surprise of the first tokens of each window, for each length that it has."""
    for window in range(len(ids)):
        total = 0.0
        column = 0
        for token in range(sizes[window]):
            total += surprise[ids[window, token]]
            if token + 1 == lengths[column]:
                found[window, column] = total / lengths[column]
                column += 1
