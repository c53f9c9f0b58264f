"""An index that is built at a URL: workers fetch the text of a shard, sort it, and put the finished files."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor
from pathlib import Path

import numpy as np
import orjson
import pyarrow as pa

from provkit import remote
from provkit.index.background import sampled_ranks
from provkit.index.build import begun, extend
from provkit.index.manifest import (
    BACKGROUND,
    CLASSES,
    INDEX,
    SHARD,
    SHARDS,
    Input,
    Manifest,
    Options,
    Shard,
    check,
    parsed_shard,
)
from provkit.index.model import Document, Progress
from provkit.index.shard import PREFIXES, SUFFIXES, TEXT, TOKENS, sort_shard
from provkit.index.store import Task


def build_distant(
    documents: Iterable[Document | pa.RecordBatch],
    url: str,
    options: Options,
    inputs: Sequence[Input],
    schema: pa.Schema | None,
    workers: int,
    executor: Executor | None,
    progress: Callable[[Progress], None] | None,
) -> Manifest:
    """Builds an index at a URL; arguments as for `build_index`.

    The text of the corpus stays in a temporary folder of this machine (`TMPDIR` says where) until the index is
    finished; a worker has that of the shard that it sorts in one of its own. There is no lock at a URL.

    Raises:
        FileExistsError: when there is an index already.
        ValueError: for documents that cannot be indexed, and for an unfinished build of other inputs.
        InputError: when the store does not answer.
    """
    if remote.holds(url, INDEX):
        raise FileExistsError(f"{remote.shown(url)} is an index already: name another place, or remove it")
    with tempfile.TemporaryDirectory(prefix="provkit-index-") as folder:
        path = Path(folder)
        (path / SHARDS).mkdir()
        manifest = begun(path, options)
        return extend(Distant(path, url), manifest, documents, inputs, schema, workers, executor, progress)


class Distant:
    """An index at a URL, and a folder of this machine in which its text is written."""

    def __init__(self, path: Path, url: str) -> None:
        self.path, self.name, self._url = path, remote.shown(url), url

    def begin(self) -> None:
        """As Store says; the folder is new."""

    def finished(self, name: str) -> Shard | None:
        """The shard of this name, whose shard.json was put last."""
        return finished_at(remote.join(self._url, SHARDS, name))

    def writes(self, finished: bool) -> bool:
        """Always: the background is made of the text."""
        return True

    def task(self, part: Path, shard: Shard, classes: bytes, step: int) -> Task:
        """Puts what is written of a shard, for a worker to fetch."""
        at = remote.join(self._url, SHARDS, shard.name)
        for name in shard.files:
            remote.put(part / name, remote.join(at, name))
        self.keep(part)
        return finish_at, (at, shard, classes, step)

    def keep(self, part: Path) -> None:
        """Keeps the text of a shard and no more of it."""
        for file in part.iterdir():
            if file.name != TEXT:
                file.unlink()
        part.rename(part.with_name(part.name.partition(".")[0]))

    def before_background(self, manifest: Manifest) -> None:
        """Fetches what the background is made of beside the text: the tokens, and the suffixes that are sampled."""
        for shard, ranks in zip(manifest.shards, sampled_ranks(manifest), strict=True):
            at, place = remote.join(self._url, SHARDS, shard.name), self.path / SHARDS / shard.name
            remote.fetch(remote.join(at, TOKENS), place / TOKENS)
            check(place, [(TOKENS, shard.files[TOKENS])])
            if not len(ranks):
                continue
            if len(ranks) == shard.tokens:
                remote.fetch(remote.join(at, SUFFIXES), place / SUFFIXES)
                continue
            with (place / SUFFIXES).open("wb") as file:
                file.truncate(shard.files[SUFFIXES].size)  # holes where nothing is sampled
            found = remote.read_ranges(remote.join(at, SUFFIXES), (4 * ranks).tolist(), 4)
            suffixes = np.memmap(place / SUFFIXES, np.uint32, "r+")
            suffixes[ranks] = np.frombuffer(found, np.uint32)
            suffixes.flush()

    def end(self, manifest: Manifest) -> None:
        """Puts the files beside the shards, index.json last."""
        for name in (CLASSES, BACKGROUND, INDEX):
            remote.put(self.path / name, remote.join(self._url, name))


def finish_at(url: str, shard: Shard, classes: bytes, step: int) -> Shard:
    """Fetches the text of a shard, sorts it in a temporary folder, and puts what is made. Runs in a worker.

    Args:
        url: the directory of the shard.
        shard, classes, step: as for `sort_shard`.

    Raises:
        DamagedIndex: when the text that arrives is not the one that was put.
    """
    there = finished_at(url)
    if there is not None and there.key == shard.key and there.files[TEXT] == shard.files[TEXT]:
        return there  # a worker that was taken for dead has done it
    with tempfile.TemporaryDirectory(prefix="provkit-shard-") as folder:
        place = Path(folder)
        remote.fetch(remote.join(url, TEXT), place / TEXT)
        check(place, [(TEXT, shard.files[TEXT])])
        finished = sort_shard(place, place, shard, classes, step)
        for name in (TOKENS, SUFFIXES, PREFIXES, SHARD):  # the last says that the shard is finished
            remote.put(place / name, remote.join(url, name))
    return finished


def manifest_at(url: str) -> Manifest:
    """What the index.json at a URL says; nothing else is fetched.

    Raises:
        FileNotFoundError: when there is none.
        DamagedIndex: when it is cut or was changed.
    """
    raw = remote.read_url(remote.join(url, INDEX))
    if raw is None:
        raise FileNotFoundError(f"{remote.shown(url)} holds no {INDEX}: it is no index, or its build has not finished")
    return Manifest.parse(raw, remote.shown(remote.join(url, INDEX)))


def finished_at(url: str) -> Shard | None:
    """The finished shard at a URL; None where there is none that can be read."""
    body = remote.read_url(remote.join(url, SHARD))
    try:
        return None if body is None else parsed_shard(body)
    except (orjson.JSONDecodeError, TypeError, KeyError, AttributeError):
        return None
