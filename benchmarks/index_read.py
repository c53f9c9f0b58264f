"""How fast one process reads a corpus and writes the text of its shards: what `--cluster` leaves to one machine.

    python benchmarks/index_read.py CORPUS --megabytes 128

The corpus is read as JSONL and as Parquet, digest included, by the code of `provkit index build`; nothing is sorted.
Beside each: reading the same file's bytes and their sha256, which is the least that could be done.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import orjson
from index_corpus import arguments, read

from provkit.canonical import digest_file
from provkit.corpus import open_corpus
from provkit.index.build import SHARD_BYTES
from provkit.index.pieces import pieces
from provkit.index.writer import ShardWriter


def written(source: Path, scratch: Path) -> None:
    """Reads documents and writes them as shards that wait for their sort."""
    writer: ShardWriter | None = None
    shards = 0
    for piece in pieces(open_corpus([str(source)], ["text"]).batches(), None, None):
        at = 0
        while at < len(piece.rows):
            if writer is None:
                part = scratch / f"{shards:05}.part"
                part.mkdir(parents=True)
                writer, shards = ShardWriter(part, piece.rows.schema, False), shards + 1
            to = writer.fitting(piece, at, SHARD_BYTES)
            if to == at:
                writer.close()
                writer = None
                continue
            writer.append(piece, at, to)
            at = to
    if writer is not None:
        writer.close()


def seconds(work: Callable[[], object]) -> float:
    """Processor seconds of a piece of work: a busy machine does not change them much."""
    start = time.process_time()
    work()
    return time.process_time() - start


def main() -> None:
    """Prints MB of text a second for each format."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments(parser)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.scratch) as folder:
        scratch = Path(folder)
        corpus = read(options.corpus, options.megabytes, scratch)
        lines = scratch / "corpus.jsonl"
        with lines.open("wb") as file:
            for batch in corpus.batches():
                file.writelines(orjson.dumps(row) + b"\n" for row in batch.to_pylist())
        print(f"{options.corpus.name}, {corpus.size / 1e6:,.0f} MB of text in {corpus.documents:,} documents\n")
        print("| format | MB of text a second | its sha256 alone | ratio |\n|---|---:|---:|---:|")
        for source in (lines, corpus.path):
            least = min(seconds(lambda source=source: digest_file(source)) for _ in range(3))
            found = []
            for run in range(3):
                place = scratch / f"{source.suffix}-{run}"
                found.append(seconds(lambda source=source, place=place: written(source, place)))
                shutil.rmtree(place)
            rate, bare = corpus.size / 1e6 / min(found), corpus.size / 1e6 / least
            print(f"| {source.suffix[1:]} | {rate:,.0f} | {bare:,.0f} | {min(found) / least:.1f} |")


if __name__ == "__main__":
    main()
