"""The files of a shard, mapped for reading."""

from __future__ import annotations

import mmap
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from provkit.index.fold import unfolded
from provkit.index.manifest import SHARDS, Manifest, Shard
from provkit.index.model import DamagedIndex
from provkit.index.shard import DOCUMENTS, OFFSETS, ORIGINAL, PREFIXES, SUFFIXES, TABLE, TEXT
from provkit.index.table import DocumentTable
from provkit.index.words import characters

T = TypeVar("T", bound=np.generic)


@dataclass(frozen=True, slots=True)
class ShardFiles:
    """A shard's arrays, memory-mapped read-only.

    Attributes:
        number: of the shard.
        text: uint8, 0xFF and each document's bytes, and a last 0xFF.
        suffixes: uint32, where tokens start in `text`, in the order of what follows.
        keys: uint64, the prefix directory.
        documents: uint32, where each document starts; the last entry is the length of `text`.
        original: uint8, the text before folding; `text` itself where the index does not fold.
        breaks: uint32, shape (2, k), the map between the two; see `fold.Folded`.
    """

    number: int
    path: Path
    text: NDArray[np.uint8]
    suffixes: NDArray[np.uint32]
    keys: NDArray[np.uint64]
    documents: NDArray[np.uint32]
    original: NDArray[np.uint8]
    breaks: NDArray[np.uint32]
    table: DocumentTable

    @classmethod
    def open(cls, index: Path, manifest: Manifest, shard: Shard) -> ShardFiles:
        """Maps the files of a shard.

        Raises:
            DamagedIndex: for a file that is missing or whose size cannot be.
        """
        path = index / SHARDS / shard.name
        text = mapped(path / TEXT, np.uint8)
        suffixes = mapped(path / SUFFIXES, np.uint32)
        keys = mapped(path / PREFIXES, np.uint64, whole=True)
        documents = mapped(path / DOCUMENTS, np.uint32)
        original, breaks = text, np.zeros((2, 0), np.uint32)
        if manifest.options.fold:
            original = mapped(path / ORIGINAL, np.uint8)
            breaks = mapped(path / OFFSETS, np.uint32)
            expect(path / OFFSETS, len(breaks) % 2 == 0)
            breaks = breaks.reshape(2, -1)
        expect(path / SUFFIXES, len(suffixes) == shard.tokens)
        expect(path / PREFIXES, len(keys) == -(-shard.tokens // manifest.options.step))
        expect(path / DOCUMENTS, len(documents) == shard.documents + 1)
        table = DocumentTable(path / TABLE)
        return cls(int(shard.name), path, text, suffixes, keys, documents, original, breaks, table)

    def locate(self, start: int, end: int) -> tuple[int, int, int, int, int]:
        """Document number, and start and end in its characters and in its bytes, of a stretch of `text`.

        Raises:
            DamagedIndex: when it lies in no document.
        """
        document = int(self.documents.searchsorted(np.uint32(start), "right")) - 1
        if not 0 <= document < len(self.documents) - 1:
            raise DamagedIndex(f"{self.path / SUFFIXES}: byte {start} lies in no document")
        first, last = self.bounds(document)
        one, other = self._unfolded(start, end)
        if not first <= one <= other <= last:
            raise DamagedIndex(f"{self.path / SUFFIXES}: byte {start} lies in no document")
        before = characters(self.original, first, one)
        return document, before, before + characters(self.original, one, other), one - first, other - first

    def bounds(self, document: int) -> tuple[int, int]:
        """Where a document starts and ends in `original`.

        Raises:
            IndexError: when there is no such document.
            DamagedIndex: when it would lie outside the text.
        """
        if not 0 <= document < len(self.documents) - 1:
            raise IndexError(f"shard {self.number} has {len(self.documents) - 1} documents, and no {document}")
        first, last = self._unfolded(int(self.documents[document]), int(self.documents[document + 1]))
        if not 0 < first <= last - 1 < len(self.original):
            raise DamagedIndex(f"{self.path / DOCUMENTS}: document {document} lies outside the text")
        return first, last - 1

    def _unfolded(self, start: int, end: int) -> tuple[int, int]:
        """Two offsets in `text` as those in `original`."""
        if not self.breaks.shape[1]:
            return start, end
        one, other = unfolded(self.breaks, np.array([start, end], np.int64)).tolist()
        return one, other

    def document(self, document: int) -> NDArray[np.uint8]:
        """The original bytes of a document; raises as `bounds`."""
        first, last = self.bounds(document)
        return self.original[first:last]


def mapped(path: Path, kind: type[T], whole: bool = False) -> NDArray[T]:
    """A file as a read-only array, to be read here and there, or (`whole`) all of it and soon.

    Raises:
        DamagedIndex: when it is missing or is not a whole number of entries.
    """
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            expect(path, size % np.dtype(kind).itemsize == 0)
            if size == 0:
                empty: NDArray[T] = np.zeros(0, kind)
                empty.setflags(write=False)
                return empty
            view = mmap.mmap(file.fileno(), size, access=mmap.ACCESS_READ)
    except OSError as error:
        raise DamagedIndex(f"{path}: {error.strerror or error}") from None
    view.madvise(mmap.MADV_WILLNEED if whole else mmap.MADV_RANDOM)
    return np.frombuffer(view, kind)


def expect(path: Path, fits: bool) -> None:
    """Raises DamagedIndex for a file whose size does not fit the manifest."""
    if not fits:
        raise DamagedIndex(f"{path}: its size does not fit the rest of the index; copy or build it again")
