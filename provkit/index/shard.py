"""One shard, from its text to its files: token counts, the sorted suffixes of its token starts, the directory."""

from __future__ import annotations

import ctypes
import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from provkit.index._native import kernel, prefetch, signed
from provkit.index.counting import count_tokens, lower_cased
from provkit.index.kernels import word_at
from provkit.index.manifest import File, Shard, file_of, write_shard
from provkit.index.memory import give_back
from provkit.index.words import Classes

TEXT, SUFFIXES, PREFIXES = "text.bin", "suffixes.bin", "prefixes.bin"
DOCUMENTS, TABLE, TOKENS = "documents.bin", "documents.parquet", "tokens.parquet"
STARTS = "starts.tmp"
ORIGINAL, OFFSETS = "original.bin", "offsets.bin"
AHEAD = 48  # entries between asking for a start bit and using it
LARGEST = 2**31 - 1  # bytes of text a shard: divsufsort sorts with 32-bit signed positions


def finish_shard(part: Path, shard: Shard, classes: bytes, step: int) -> Shard:
    """Sorts a shard whose text and documents are written, and renames it to its final name. Runs in a worker.

    Takes 5.1 bytes of memory a byte of text, beside some 180 MB for Python and its libraries.

    Args:
        part: its temporary directory.
        shard: what is known of it so far, with the files that are written.
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
        part / TOKENS,
        compression="zstd",
        use_dictionary=False,
        column_encoding={"token": "DELTA_BYTE_ARRAY", "count": "DELTA_BINARY_PACKED"},
    )
    files[TOKENS] = file_of(part / TOKENS)
    counted.starts.tofile(part / STARTS)  # an eighth of a byte a byte that the sort can have
    tokens = counted.tokens
    del counted
    give_back()
    array = sort(text)
    del text
    array.resize(keep(array, np.fromfile(part / STARTS, np.uint8)), refcheck=False)
    (part / STARTS).unlink()
    text, suffixes = np.fromfile(part / TEXT, np.uint8), array.view(np.uint32)
    files[SUFFIXES] = write_array(part / SUFFIXES, suffixes)
    files[PREFIXES] = write_array(part / PREFIXES, prefixes(text, suffixes, step))
    finished = write_shard(part, replace(shard, tokens=tokens, files=files))
    part.rename(part.with_name(shard.name))
    return finished


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
