"""One shard, from its text to its files: token counts, the sorted suffixes of its token starts, the directory."""

from __future__ import annotations

import ctypes
import hashlib
import shutil
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from provkit.index._native import kernel, prefetch, signed
from provkit.index.counting import count_tokens, lower_cased
from provkit.index.kernels import word_at
from provkit.index.manifest import File, Shard, file_of, finished_shard, write_shard
from provkit.index.memory import give_back
from provkit.index.words import Classes

TEXT, SUFFIXES, PREFIXES = "text.bin", "suffixes.bin", "prefixes.bin"
DOCUMENTS, TABLE, TOKENS = "documents.bin", "documents.parquet", "tokens.parquet"
STARTS = "starts.tmp"
ORIGINAL, OFFSETS = "original.bin", "offsets.bin"
AHEAD = 48  # entries between asking for a start bit and using it
LARGEST = 2**31 - 1  # bytes of text a shard: divsufsort sorts with 32-bit signed positions


def finish_shard(part: Path, shard: Shard, classes: bytes, step: int) -> Shard:
    """Sorts a shard whose text and documents are written, and gives it its final name. Runs in a worker.

    It may run again after a worker died, or beside a worker that was taken for dead: each run writes a directory of
    its own, and the first that is whole gets the name.

    Args:
        part: the directory of what is written.
        shard, classes, step: as for `sort_shard`.

    Returns:
        The shard with all its files.
    """
    final = part.with_name(shard.name)
    if (there := _whole(final, shard)) is not None:
        return there
    own = part.with_name(f"{shard.name}.{uuid4().hex}.part")
    own.mkdir()
    try:
        finished = sort_shard(part, own, shard, classes, step)
        for name in shard.files:
            _link(part / name, own / name)
        own.rename(final)
    except OSError:
        if (there := _whole(final, shard)) is None:
            raise
        return there
    finally:
        shutil.rmtree(own, ignore_errors=True)
    shutil.rmtree(part, ignore_errors=True)
    return finished


def _whole(final: Path, shard: Shard) -> Shard | None:
    """A finished shard of the same text, where another run has made it."""
    there = finished_shard(final)
    same = there is not None and there.key == shard.key and there.files[TEXT] == shard.files[TEXT]
    return there if same else None


def _link(file: Path, other: Path) -> None:
    """A second name for a file, or a copy where the file system has no such thing."""
    try:
        other.hardlink_to(file)
    except FileNotFoundError:
        raise
    except OSError:
        shutil.copyfile(file, other)


def sort_shard(part: Path, own: Path, shard: Shard, classes: bytes, step: int) -> Shard:
    """Reads the text in `part`; writes tokens, suffixes, prefixes and shard.json in `own`.

    Takes 5.1 bytes of memory a byte of text, beside some 180 MB for Python and its libraries.

    Args:
        part, own: two directories, or one.
        shard: what is known of the shard so far, with the files that are written.
        classes: the content of classes.bin.
        step: one key of the prefix directory for so many suffixes.

    Returns:
        The shard with all its files.
    """
    give_back()
    text = np.fromfile(part / TEXT, np.uint8)
    counted = count_tokens(text, Classes.from_bytes(classes))
    files = dict(shard.files)
    pq.write_table(
        lower_cased(text, counted.table),
        own / TOKENS,
        compression="zstd",
        use_dictionary=False,
        column_encoding={"token": "DELTA_BYTE_ARRAY", "count": "DELTA_BINARY_PACKED"},
    )
    files[TOKENS] = file_of(own / TOKENS)
    counted.starts.tofile(own / STARTS)  # an eighth of a byte a byte that the sort can have
    tokens = counted.tokens
    del counted
    give_back()
    array = sort(text)
    del text
    array.resize(keep(array, np.fromfile(own / STARTS, np.uint8)), refcheck=False)
    (own / STARTS).unlink()
    text, suffixes = np.fromfile(part / TEXT, np.uint8), array.view(np.uint32)
    files[SUFFIXES] = write_array(own / SUFFIXES, suffixes)
    files[PREFIXES] = write_array(own / PREFIXES, prefixes(text, suffixes, step))
    return write_shard(own, replace(shard, tokens=tokens, files=files))


def sort(text: NDArray[np.uint8]) -> NDArray[np.int32]:
    """The suffix array of a text, by libdivsufsort; the GIL is released.

    Raises:
        MemoryError: when it finds none.
    """
    from pydivsufsort.dll import libdivsufsort

    array = np.empty(len(text), np.int32)
    pointers = text.ctypes.data_as(ctypes.c_void_p), array.ctypes.data_as(ctypes.c_void_p)
    status = libdivsufsort.divsufsort(*pointers, ctypes.c_int32(len(text)))
    if status != 0:
        raise MemoryError(f"divsufsort could not sort {len(text):,} bytes (status {status})")
    return array


def write_array(path: Path, array: NDArray[np.generic]) -> File:
    """Writes an array as its bytes."""
    data = memoryview(array.data).cast("B") if len(array) else memoryview(b"")
    with path.open("wb", buffering=0) as file:
        left = data
        while len(left):
            left = left[file.write(left) :]
    return File(len(data), hashlib.sha256(data).hexdigest())


@kernel
def keep(array: NDArray[np.int32], starts: NDArray[np.uint8]) -> int:
    """Moves the entries whose start bit is set to the front, in order; returns how many."""
    number = np.uint64(0)  # unsigned: numba wraps signed indices
    size = len(array)
    for at in range(size):
        if at + AHEAD < size:
            prefetch(starts, array[at + AHEAD] >> 3)
        place = np.uint32(array[at])
        array[number] = array[at]
        number += np.uint64((starts[place >> np.uint32(3)] >> (place & np.uint32(7))) & 1)
    return signed(number)


@kernel
def prefixes(text: NDArray[np.uint8], suffixes: NDArray[np.uint32], step: int) -> NDArray[np.uint64]:
    """The prefix directory: the first eight bytes, big-endian, of every `step`-th suffix."""
    keys = np.empty((len(suffixes) + step - 1) // step, np.uint64)
    for at in range(len(keys)):
        keys[at] = word_at(text, signed(suffixes[at * step]))
    return keys
