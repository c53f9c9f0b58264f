"""The text that the index benchmarks run on: a JSONL file with a `text` field, or a directory of text files."""

from __future__ import annotations

import argparse
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from provkit import parquet

SEED = 0


@dataclass(frozen=True, slots=True)
class Corpus:
    """Documents to index, in a Parquet file so that a build streams them, and text that stays out of the index.

    Attributes:
        path: columns `doc_id` and `text`.
        size: bytes of text in it.
        documents: how many there are.
        held_out: documents that are not in it.
    """

    path: Path
    size: int
    documents: int
    held_out: list[str]

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The documents as a build takes them."""
        yield from parquet.opened(self.path).iter_batches(1024)


def read(source: Path, megabytes: float, scratch: Path, held_out: int = 2 * 2**20) -> Corpus:
    """Draws documents in a seeded order: first `held_out` bytes that stay out, then so many megabytes."""
    chance = random.Random(SEED)
    places = list(_places(source))
    chance.shuffle(places)
    out: list[str] = []
    left, size, documents = held_out, 0, 0
    path = scratch / "corpus.parquet"
    schema = pa.schema([("doc_id", pa.string()), ("text", pa.large_string())])
    rows: list[tuple[str, str]] = []
    with pq.ParquetWriter(path, schema, compression="none") as writer:
        for name, text in _texts(source, places):
            if left > 0:
                out.append(text)
                left -= len(text)
                continue
            if size >= megabytes * 2**20:
                break
            size += len(text.encode())
            documents += 1
            rows.append((name, text))
            if len(rows) == 1024:
                writer.write_table(_table(rows, schema))
                rows = []
        if rows:
            writer.write_table(_table(rows, schema))
    if size < 0.9 * megabytes * 2**20:
        print(f"note: {source.name} gives {size / 2**20:.0f} of the {megabytes:g} MB asked for")
    return Corpus(path, size, documents, out)


def windows(texts: list[str], number: int, size: int = 2000) -> list[str]:
    """Outputs of about 2 KB: stretches of held-out text, drawn with a seed."""
    chance = random.Random(SEED)
    long = [text for text in texts if len(text) >= size]
    found = []
    for _ in range(number):
        text = chance.choice(long)
        at = chance.randrange(len(text) - size + 1)
        found.append(text[at : at + size])
    return found


def arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments that the benchmarks share."""
    parser.add_argument("corpus", type=Path, help="a JSONL file with a text field, or a directory of text files")
    parser.add_argument("--megabytes", type=float, default=128, help="how much of it to index")
    parser.add_argument("--scratch", type=Path, default=None, help="where to put the index (default: a temporary one)")


def _table(rows: list[tuple[str, str]], schema: pa.Schema) -> pa.Table:
    return pa.table([[name for name, _ in rows], [text for _, text in rows]], schema=schema)


def _places(source: Path) -> Iterator[tuple[int, Path]]:
    """Where each document is: an offset in the JSONL file, or a file of the directory."""
    if source.is_dir():
        yield from ((0, path) for path in sorted(source.rglob("*")) if path.is_file() and not path.is_symlink())
        return
    at = 0
    with source.open("rb") as file:
        for line in file:
            yield at, source
            at += len(line)


def _texts(source: Path, places: list[tuple[int, Path]]) -> Iterator[tuple[str, str]]:
    if source.is_dir():
        for _, path in places:
            try:
                yield str(path.relative_to(source)), path.read_bytes().decode()
            except UnicodeDecodeError:
                continue
        return
    with source.open("rb") as file:
        for at, _ in places:
            file.seek(at)
            yield str(at), orjson.loads(file.readline())["text"]
