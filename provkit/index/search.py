"""An open index: counts, occurrences and maximal spans over all its shards, metadata and BCI."""

from __future__ import annotations

import math
import os
import random
import shutil
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from typing import TypeVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from provkit.index import queries
from provkit.index.background import Background
from provkit.index.fold import Fold
from provkit.index.manifest import BACKGROUND, CLASSES, INDEX, SHARDS, Manifest
from provkit.index.model import Bci, Context, DamagedIndex, Occurrence, Percentile, Span, Spans
from provkit.index.pieces import DOC_ID
from provkit.index.queries import Prepared, SpanColumns
from provkit.index.reading import ShardFiles
from provkit.index.shard import TOKENS
from provkit.index.stamp import ensure_checked
from provkit.index.unigram import Unigram, joined_lower
from provkit.index.words import Classes
from provkit.remote import copied, is_url

T = TypeVar("T")
BATCH = 256  # texts that a thread takes at a time
READERS = 16  # pages that the first query waits for at a time
ALONE = 4  # so few texts are not worth a thread,
SHORT = 8192  # nor are so few characters of any number of texts


def open_index(path: str | os.PathLike[str], threads: int | None = None) -> Index:
    """Opens an index for reading; the first time, every digest is checked (about 1 s for 2 GB).

    Args:
        path: its directory, or the URL of one, which is copied to the user's cache the first time.
        threads: how many the batch forms use; as many as there are processors when None.

    Raises:
        FileNotFoundError: when there is no finished index.
        DamagedIndex: for a file that is missing, cut or changed.
    """
    place = str(path)
    path = copied(place, INDEX) if is_url(place) else Path(path)
    manifest = Manifest.read(path)
    try:
        ensure_checked(path, manifest)
    except DamagedIndex:
        if is_url(place):
            shutil.rmtree(path)  # the next opening copies it again
        raise
    index = Index(path, manifest, threads or os.cpu_count() or 1)
    if is_url(place):
        index.place = place
    return index


class Index:
    """An open index; made by `open_index`. May be used by several threads at once.

    Attributes:
        path, manifest: where it is, and what index.json says.
        place: where others find it: its URL, or its whole path.
        shards: its shards, memory-mapped.
    """

    def __init__(self, path: Path, manifest: Manifest, threads: int = 1) -> None:
        self.path = path
        self.place = str(path.absolute())
        self.manifest = manifest
        try:
            self.classes = Classes.from_bytes((path / CLASSES).read_bytes())
        except ValueError as error:
            raise DamagedIndex(f"{path / CLASSES}: {error}") from None
        self.shards = tuple(ShardFiles.open(path, manifest, shard) for shard in manifest.shards)
        self._by_number = {shard.number: shard for shard in self.shards}
        self._fold = Fold(manifest.options.fold, self.classes) if manifest.options.fold else None
        self._threads = threads
        self._cold = True

    def count(self, text: str) -> int:
        """How often a text occurs, beginning and ending at token boundaries. White space around it is left off."""
        return self.count_many([text])[0]

    def count_many(self, texts: Sequence[str]) -> list[int]:
        """`count` of each text; uses all threads."""
        totals: list[int] = []
        for prepared, parts in self._each(texts, self._counts):
            none = np.zeros(len(prepared.starts) - 1, np.int64)
            totals += sum((counts for counts, _ in parts), none).tolist()
        return totals

    def find(self, text: str, limit: int = 10, seed: int = 0) -> list[Occurrence]:
        """Where a text occurs, in corpus order; beyond `limit` a sample that depends on text and seed alone."""
        return self.find_many([text], limit, seed)[0]

    def find_many(self, texts: Sequence[str], limit: int = 10, seed: int = 0) -> list[list[Occurrence]]:
        """`find` for each text; uses all threads."""
        at = 0
        places: list[tuple[int, ShardFiles, int, int]] = []
        for prepared, parts in self._each(texts, self._counts):
            starts, ends, last = prepared.bounds
            for row in range(len(starts)):
                size = int(ends[row] - starts[row])
                numbers = np.array([int(part[0][row]) for part in parts], np.int64)
                before = np.append(0, np.cumsum(numbers))
                chosen = _sample(int(before[-1]), limit, f"{seed}:{texts[at]}")
                for shard, part, first, end in zip(self.shards, parts, before, before[1:], strict=False):
                    here = chosen[(chosen >= first) & (chosen < end)] - first
                    if len(here):
                        ranks = part[1][row]
                        found = queries.places(shard, self.classes, ranks, size, int(last[row]), here)
                        places += [(at, shard, place, place + size) for place in sorted(found.tolist())]
                at += 1
        return self._occurrences(len(texts), places)

    def spans(self, text: str, min_tokens: int = 1) -> Spans:
        """The maximal spans of an output that occur in the corpus, with their exact counts."""
        return Spans(self.spans_many([text], min_tokens)[0], text)

    def spans_many(self, texts: Sequence[str], min_tokens: int = 1) -> list[list[Span]]:
        """`spans` of each output; uses all threads. `span_columns` spares the objects."""
        columns = self.span_columns(texts, min_tokens)
        bounds = np.searchsorted(columns.output, np.arange(len(texts) + 1)).tolist()
        rows = zip(*(column.tolist() for column in columns.of_span()), strict=True)
        spans = [Span(*row) for row in rows]
        return [spans[a:b] for a, b in zip(bounds, bounds[1:], strict=False)]

    def span_columns(self, texts: Sequence[str], min_tokens: int = 1) -> SpanColumns:
        """The maximal spans of many outputs, as columns."""
        least = max(min_tokens, 1)
        first = 0
        columns = []
        for prepared, found in self._each(texts, lambda prepared: queries.spans(prepared, self.shards, least)):
            columns.append(queries.columns(prepared, found, first))
            first += len(prepared.starts) - 1
        return SpanColumns.joined(columns)

    def context(self, occurrence: Occurrence, characters: int = 80) -> Context:
        """The text of an occurrence, and up to so many characters of its document on each side."""
        text = self._shard(occurrence.shard).document(occurrence.document)
        start, end = occurrence.byte_start, occurrence.byte_end
        left = text[max(0, start - 4 * characters) : start].tobytes().decode(errors="ignore")
        right = text[end : end + 4 * characters].tobytes().decode(errors="ignore")
        match = text[start:end].tobytes().decode(errors="replace")
        return Context(left[len(left) - min(characters, len(left)) :], match, right[:characters])

    def text(self, shard: int, document: int) -> str:
        """The original text of a document."""
        return self._shard(shard).document(document).tobytes().decode(errors="replace")

    def documents(self, shard: int, ids: Sequence[int], columns: Sequence[str] | None = None) -> pa.Table:
        """The metadata of documents by their numbers within a shard, in that order."""
        return self._shard(shard).table.rows(ids, columns)

    @cached_property
    def unigram(self) -> Unigram:
        """How often each lower-cased token occurs: the sum of tokens.parquet over the shards."""
        return Unigram.read([self.path / SHARDS / shard.name / TOKENS for shard in self.manifest.shards])

    @cached_property
    def background(self) -> Background:
        """The BCI of ordinary corpus text by length."""
        return Background.read(self.path / BACKGROUND)

    def bci(self, text: str) -> Bci:
        """The Belief Conflict Index of a text; see `model.Bci` and `unigram`."""
        return self.bci_many([text])[0]

    def bci_many(self, texts: Sequence[str]) -> list[Bci]:
        """`bci` of each text."""
        found = []
        for at in range(0, len(texts), BATCH):
            tokens = queries.prepare(texts[at : at + BATCH], self.classes, self._fold).tokens
            spots = tokens.starts.astype(np.uint64) << np.uint64(32) | (tokens.ends - tokens.starts).astype(np.uint64)
            counts = self.unigram.counts_of_joined(joined_lower(tokens.buffer, spots))
            surprise = self.unigram.surprise(counts)
            for first, end in zip(tokens.first, tokens.first[1:], strict=False):
                found.append(self._bci(surprise[first:end], counts[first:end]))
        return found

    def percentile(self, tokens: int, bci: float) -> Percentile:
        """Rank of a BCI among corpus windows of as many tokens."""
        return self.background.percentile(tokens, bci)

    def _bci(self, surprise: NDArray[np.float64], counts: NDArray[np.int64]) -> Bci:
        number, total = len(surprise), float(surprise.sum())
        rank = self.percentile(number, total)
        density = total / number if number else math.nan
        return Bci(total, number, int((counts == 0).sum()), density, rank.value, rank.beyond)

    def _shard(self, number: int) -> ShardFiles:
        try:
            return self._by_number[number]
        except KeyError:
            raise LookupError(f"{self.path} has no shard {number}") from None

    def _occurrences(self, texts: int, places: list[tuple[int, ShardFiles, int, int]]) -> list[list[Occurrence]]:
        """Occurrences of each text, from (text, shard, start, end) in the shard's text, grouped by text."""
        located = [shard.locate(start, end) for _, shard, start, end in places]
        ids: dict[tuple[int, int], str] = {}
        for shard in self.shards:
            wanted = sorted({found[0] for (_, of, *_), found in zip(places, located, strict=True) if of is shard})
            if wanted:
                names = shard.table.texts(wanted, DOC_ID)
                ids |= {(shard.number, document): name for document, name in zip(wanted, names, strict=True)}
        found: list[list[Occurrence]] = [[] for _ in range(texts)]
        for (at, shard, *_), (document, *offsets) in zip(places, located, strict=True):
            found[at].append(Occurrence(shard.number, document, ids[shard.number, document], *offsets))
        return found

    def _counts(self, prepared: Prepared) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
        return [queries.counts(prepared, shard) for shard in self.shards]

    def _each(self, texts: Sequence[str], work: Callable[[Prepared], T]) -> list[tuple[Prepared, T]]:
        """Does a piece of work for each batch of texts: one independent task each."""
        alone = self._threads == 1 or len(texts) <= ALONE or sum(map(len, texts)) <= SHORT
        size = BATCH if alone else min(BATCH, -(-len(texts) // self._threads))
        batches = [texts[at : at + size] for at in range(0, len(texts), size)]
        if alone:
            ready = [queries.prepare(batch, self.classes, self._fold) for batch in batches]
            if self._cold and ready:
                self._touch(ready[0])
            return [(one, work(one)) for one in ready]
        with ThreadPoolExecutor(self._threads) as pool:
            ready = list(pool.map(lambda batch: queries.prepare(batch, self.classes, self._fold), batches))
            return list(zip(ready, pool.map(work, ready), strict=True))

    def _touch(self, first: Prepared) -> None:
        """Reads what the first query needs with many requests at a time: one page after another takes far longer."""
        self._cold = False
        with ThreadPoolExecutor(READERS) as pool:
            for shard in self.shards:
                for part in range(READERS):
                    pool.submit(queries.touch, first, shard, part, READERS)


def _sample(total: int, limit: int, seed: str) -> NDArray[np.int64]:
    """`limit` different numbers below `total`, ascending; all when there are no more."""
    if total <= limit:
        return np.arange(total)
    return np.array(sorted(random.Random(seed).sample(range(total), max(limit, 0))), np.int64)
