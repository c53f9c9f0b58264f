"""Looks for the canaries of builds in a text, in files, or in an index."""

from __future__ import annotations

import mmap
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from provkit import manifest
from provkit.canary import canary_of
from provkit.errors import InputError

AROUND = 30  # characters shown on each side
INDEX = "index.json"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a canary stands, how often there, and the text around its first occurrence."""

    canary: str
    place: str
    times: int
    context: str


def canaries_of(builds: Sequence[Path]) -> dict[str, str]:
    """The canary of each build, with the build's folder.

    Raises:
        InputError: for what is no build, and for an open set, which has none.
    """
    found: dict[str, str] = {}
    for folder in builds:
        one = manifest.read(folder)
        canary = canary_of(one.facts["recipe"]["sensitivity"], one.build_id)
        if canary is None:
            do = "provkit trace finds rows of an open set"
            raise InputError("an open set, whose rows carry no canary", file=folder, do=do)
        found[canary] = str(folder)
    return found


def look(where: str, canaries: Mapping[str, str], limit: int) -> list[Place]:
    """The first `limit` places of these canaries.

    Args:
        where: an index, a file, a folder of files, `-` for stdin, or else the text itself.
        canaries: what to look for.
        limit: most places.

    Raises:
        InputError: when a file cannot be read.
    """
    path = Path(where)
    if where == "-":
        return list(islice(_in_bytes("stdin", sys.stdin.buffer.read(), canaries), limit))
    try:
        there = path.exists()
    except OSError:  # too long for a name: it is a text
        there = False
    if not there:
        return list(islice(_in_bytes("text", where.encode(), canaries), limit))
    if (path / INDEX).is_file():
        return list(islice(_in_index(path, canaries, limit), limit))
    files = sorted(one for one in path.rglob("*") if one.is_file()) if path.is_dir() else [path]
    return list(islice((place for one in files for place in _in_file(one, canaries)), limit))


def _in_file(path: Path, canaries: Mapping[str, str]) -> Iterator[Place]:
    if path.suffix == ".parquet":
        yield from _in_parquet(path, canaries)
        return
    try:
        with path.open("rb") as file:
            if not path.stat().st_size:
                return
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as raw:
                yield from _in_bytes(str(path), raw, canaries)
    except OSError as error:
        raise InputError(error.strerror or str(error), file=path) from None


def _in_parquet(path: Path, canaries: Mapping[str, str]) -> Iterator[Place]:
    import orjson
    import pyarrow as pa

    from provkit import parquet

    first = 0
    try:
        for batch in parquet.opened(path).iter_batches(batch_size=4096):
            for at, row in enumerate(batch.to_pylist()):
                yield from _in_bytes(f"{path} row {first + at}", orjson.dumps(row, default=str), canaries)
            first += batch.num_rows
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"cannot be read: {str(error).splitlines()[0]}", file=path) from None


def _in_bytes(name: str, raw: bytes | mmap.mmap, canaries: Mapping[str, str]) -> Iterator[Place]:
    for canary in canaries:
        hits = [hit.start() for hit in re.finditer(re.escape(canary).encode(), raw, re.IGNORECASE)]
        if hits:
            around = raw[max(hits[0] - AROUND, 0) : hits[0] + len(canary) + AROUND]
            yield Place(canary, name, len(hits), around.decode(errors="replace"))


def _in_index(path: Path, canaries: Mapping[str, str], limit: int) -> Iterator[Place]:
    from provkit.index import open_index

    opened = open_index(path)
    for canary in canaries:
        for one in opened.find(canary, limit, 0) if opened.count(canary) else []:
            around = opened.context(one, AROUND)
            yield Place(canary, one.doc_id, 1, f"{around.left}{around.match}{around.right}")
