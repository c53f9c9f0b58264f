"""Builds an index, adds documents to one, drops a shard from one."""

from __future__ import annotations

import fcntl
import os
import shutil
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pyarrow as pa

from provkit import processes
from provkit.canonical import digest
from provkit.index.background import write_background
from provkit.index.fold import Fold, parse
from provkit.index.kernels import STEP
from provkit.index.manifest import (
    BACKGROUND,
    CLASSES,
    INDEX,
    SHARDS,
    Addition,
    Input,
    Manifest,
    Options,
    Shard,
    file_of,
    write_whole,
)
from provkit.index.model import Document, Progress
from provkit.index.pieces import Piece, pieces
from provkit.index.shard import LARGEST, ORIGINAL, TEXT
from provkit.index.store import Directory, Store
from provkit.index.words import Classes, current
from provkit.index.writer import ShardWriter, Written
from provkit.remote import is_url

SHARD_BYTES = 256 * 2**20
Report = Callable[[Progress], None]


def build_index(
    documents: Iterable[Document | pa.RecordBatch],
    path: str | os.PathLike[str],
    *,
    inputs: Sequence[Input] = (),
    shard_bytes: int = SHARD_BYTES,
    fold: str | Iterable[str] = (),
    schema: pa.Schema | None = None,
    workers: int = 1,
    executor: Executor | None = None,
    progress: Report | None = None,
) -> Manifest:
    """Builds an index of documents in a directory.

    A killed build that is started again over the same inputs goes on with the finished shards; the documents are
    read again, and must be the same.

    Args:
        documents: `Document`s, or faster, Arrow record batches with a column `text` and the metadata columns. A
            column `doc_id` names documents; without it they are numbered.
        path: a directory that does not exist, is empty, or holds an unfinished build; or the URL of one.
        inputs: what the documents were read from; recorded, and compared when a build goes on.
        shard_bytes: a shard is closed before its text would grow beyond this. A larger document has its own.
        fold: `none`, `case`, `space` or `case,space`: what is searched is the folded text.
        schema: of the metadata of `Document`s; taken from the first 4,096 when None.
        workers: how many processes sort shards, each with 5.1 bytes of memory a byte of text; 1 sorts in this
            process. More need the `__main__` guard that multiprocessing asks for.
        executor: sorts the shards in place of a pool of `workers`, and gets them as they are read; it must see `path`.
        progress: called after each piece read and each shard sorted.

    Returns:
        What index.json says.

    Raises:
        FileExistsError: when there is an index already, or something else.
        ValueError: for documents that cannot be indexed, and for an unfinished build of other inputs.
    """
    if not 1 <= shard_bytes <= LARGEST - 1:
        raise ValueError(f"shard_bytes is {shard_bytes:,}; it must lie between 1 and {LARGEST - 1:,}")
    if is_url(path):
        from provkit.index.distant import build_distant

        options = Options(shard_bytes, parse(fold), STEP)
        return build_distant(documents, str(path), options, inputs, schema, workers, executor, progress)
    path = Path(path).absolute()
    if (path / INDEX).exists():
        raise FileExistsError(f"{path} is an index already: add to it, or remove it")
    if path.is_dir() and (strange := {entry.name for entry in path.iterdir()} - {CLASSES, BACKGROUND, SHARDS}):
        raise FileExistsError(f"{path} holds {min(strange)}, so it is no unfinished index: name another directory")
    (path / SHARDS).mkdir(parents=True, exist_ok=True)
    options = Options(shard_bytes, parse(fold), STEP)
    with lock(path):
        return extend(Directory(path), begun(path, options), documents, inputs, schema, workers, executor, progress)


def begun(path: Path, options: Options) -> Manifest:
    """The manifest of an index without shards, whose classes.bin is written."""
    if not (path / CLASSES).exists():
        write_whole(path / CLASSES, current().to_bytes())
    return Manifest(options, unicodedata.unidata_version, (), (), 0, {CLASSES: file_of(path / CLASSES)})


def add_documents(
    documents: Iterable[Document | pa.RecordBatch],
    path: str | os.PathLike[str],
    *,
    inputs: Sequence[Input] = (),
    schema: pa.Schema | None = None,
    workers: int = 1,
    executor: Executor | None = None,
    progress: Report | None = None,
) -> Manifest:
    """Adds documents to an index, in shards of their own; its options stay. Arguments as for `build_index`."""
    path = Path(path).absolute()
    with lock(path):
        manifest = Manifest.read(path)
        return extend(Directory(path), manifest, documents, inputs, schema, workers, executor, progress)


def drop_shard(path: str | os.PathLike[str], shard: int) -> Manifest:
    """Removes a shard and what it held from an index.

    Raises:
        LookupError: when there is no such shard.
    """
    path = Path(path)
    with lock(path):
        manifest = Manifest.read(path)
        kept = tuple(one for one in manifest.shards if one.name != f"{shard:05}")
        if len(kept) == len(manifest.shards):
            names = ", ".join(str(int(one.name)) for one in manifest.shards) or "none"
            raise LookupError(f"{path} has no shard {shard}; it has {names}")
        return _finish(Directory(path), replace(manifest, shards=kept))


@contextmanager
def lock(path: Path) -> Iterator[None]:
    """Keeps others from building in a directory; the lock goes with the process."""
    handle = os.open(path, os.O_RDONLY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise BlockingIOError(f"{path}: another process is building here") from None
        yield
    finally:
        os.close(handle)


def extend(
    store: Store,
    manifest: Manifest,
    documents: Iterable[Document | pa.RecordBatch],
    inputs: Sequence[Input],
    schema: pa.Schema | None,
    workers: int,
    executor: Executor | None,
    progress: Report | None,
) -> Manifest:
    """Adds documents to the shards that a manifest names; the new manifest. Arguments as for `build_index`."""
    store.begin()
    fold = Fold(manifest.options.fold, Classes.from_bytes((store.path / CLASSES).read_bytes()))
    parts = pieces(documents, fold if fold.kinds else None, schema)
    with _pool(workers, executor) as pool:
        filling = _Filling(store, manifest, tuple(inputs), pool, workers if executor is None else None, progress)
        try:
            for piece in parts:
                filling.take(piece)
            shards = filling.end()
        except BaseException:
            filling.cancel()
            raise
    addition = Addition(tuple(inputs), sum(shard.documents for shard in shards))
    return _finish(
        store,
        replace(
            manifest,
            additions=(*manifest.additions, addition),
            shards=(*manifest.shards, *shards),
            next_shard=manifest.next_shard + len(shards),
        ),
    )


def _pool(workers: int, executor: Executor | None) -> ProcessPoolExecutor | nullcontext[Executor | None]:
    if executor is not None or workers <= 1:
        return nullcontext(executor)
    return processes.pool(workers)


def _finish(store: Store, manifest: Manifest) -> Manifest:
    """Makes the background of the shards there are, and writes index.json."""
    store.before_background(manifest)
    background = write_background(store.path, manifest)
    manifest = replace(manifest, files={CLASSES: manifest.files[CLASSES], BACKGROUND: background})
    manifest.write(store.path)
    store.end(manifest)
    return manifest


class _Filling:
    """Fills shards with documents, one after another, and hands each to the pool."""

    def __init__(
        self,
        store: Store,
        manifest: Manifest,
        inputs: tuple[Input, ...],
        pool: Executor | None,
        workers: int | None,
        progress: Report | None,
    ) -> None:
        self._store = store
        self._run = uuid4().hex  # a worker that a killed build has left behind knows other names
        self._path = path = store.path
        self._manifest = manifest
        self._inputs = inputs
        self._pool = pool
        self._workers = workers
        self._progress = progress
        self._classes = (path / CLASSES).read_bytes()
        self._key: str | None = None
        self._writer: ShardWriter | None = None
        self._documents = 0
        self._read = 0
        self._done: list[Shard] = []
        self._waiting: set[Future[Shard]] = set()
        self._number = manifest.next_shard
        self._name = ""
        self._first = 0
        self._part = path
        self._finished: Shard | None = None

    def take(self, piece: Piece) -> None:
        """Adds the documents of a piece, closing shards as they fill."""
        schema = piece.rows.schema
        key = digest([[(one.path, one.sha256, one.size) for one in self._inputs], str(schema), *self._same()])
        if self._key not in (None, key):
            raise ValueError(f"the metadata columns change between documents: {', '.join(schema.names)}")
        self._key = key
        at, last = 0, len(piece.rows)
        while at < last:
            if self._writer is None:
                self._writer = self._open(schema)
            to = self._writer.fitting(piece, at, self._manifest.options.shard_bytes)
            if to == at and self._writer.documents:
                self._close()
                continue
            if to == at:
                to = at + 1
                self._refuse_huge(piece, at)
            self._writer.append(piece, at, to)
            self._documents += to - at
            self._read += int(piece.starts[to] - piece.starts[at]) - (to - at)
            at = to
        self._report()

    def end(self) -> list[Shard]:
        """Closes the last shard and waits for all; returns them in order."""
        if self._writer is not None:
            self._close()
        while self._waiting:
            self._gather(0)
        return sorted(self._done, key=lambda shard: shard.name)

    def _refuse_huge(self, piece: Piece, at: int) -> None:
        size = max(int(starts[at + 1] - starts[at]) for starts in piece.both_starts())
        if size + 1 > LARGEST:
            name = piece.rows.column(0)[at].as_py()
            raise ValueError(
                f"document {self._documents} (doc_id {name!r}) has {size - 1:,} bytes; one shard holds {LARGEST:,}"
            )

    def cancel(self) -> None:
        """Lets go of what has not begun."""
        for future in self._waiting:
            future.cancel()

    def _same(self) -> list[object]:
        options = self._manifest.options
        return [options.shard_bytes, list(options.fold), options.step, len(self._manifest.additions)]

    def _open(self, schema: pa.Schema) -> ShardWriter:
        self._name = f"{self._number:05}"
        self._number += 1
        self._first = self._documents
        self._finished = self._store.finished(self._name)
        self._part = self._path / SHARDS / f"{self._name}.{self._run}.part"
        if self._finished is not None and self._finished.key != self._key:
            raise ValueError(
                f"{self._store.name} holds shards of an unfinished build of other inputs or options; remove it"
            )
        if not self._store.writes(self._finished is not None):
            return ShardWriter(None, schema, bool(self._manifest.options.fold))
        shutil.rmtree(self._path / SHARDS / self._name, ignore_errors=True)
        self._part.mkdir()
        return ShardWriter(self._part, schema, bool(self._manifest.options.fold))

    def _close(self) -> None:
        assert self._writer is not None and self._key is not None
        written = self._writer.close()
        self._writer = None
        if self._finished is not None:
            self._keep(self._finished, written)
            return
        shard = Shard(
            name=self._name,
            addition=len(self._manifest.additions),
            first_document=self._first,
            documents=written.documents,
            text_bytes=written.text_bytes,
            tokens=0,
            key=self._key,
            files=written.files,
        )
        finish, arguments = self._store.task(self._part, shard, self._classes, self._manifest.options.step)
        if self._pool is None:
            self._done.append(finish(*arguments))
            self._report()
            return
        self._waiting.add(self._pool.submit(finish, *arguments))
        self._gather(self._workers)

    def _keep(self, finished: Shard, written: Written) -> None:
        for name in (TEXT, ORIGINAL):
            if written.files.get(name) != finished.files.get(name):
                raise ValueError(
                    f"{self._store.name}/{SHARDS}/{finished.name} holds other documents than the inputs give now; "
                    "remove it"
                )
        self._store.keep(self._part)
        self._done.append(finished)
        self._report()

    def _gather(self, most: int | None) -> None:
        """Waits until at most `most` shards are under way; None: takes those that are finished, and waits for none."""
        while self._waiting and (most is None or len(self._waiting) > most):
            patience = 0 if most is None else None
            done, self._waiting = wait(self._waiting, patience, FIRST_COMPLETED)
            if not done:
                return
            self._done += [future.result() for future in done]
            self._report()

    def _report(self) -> None:
        if self._progress:
            self._progress(Progress(self._read, sum(shard.text_bytes for shard in self._done), len(self._done)))
