"""What an index costs to build and to ask, by the size of the corpus and by the number of its shards.

    python benchmarks/index_sizes.py CORPUS
    python benchmarks/index_sizes.py CORPUS --megabytes 1 8 64 512 --shards 1 2 4 8 --sharded 64

One table: each size in one shard, then one size (`--sharded`, in MB) in several. The build is the whole command with
one worker, beside the bare sort of the same bytes; the queries are the maximal spans of held-out outputs of 2 KB, one
at a time and warm, and a batch of them on all processors.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path

import numpy as np
from index_build import alone, sorts
from index_corpus import read, windows
from measure import provkit

from provkit.index import open_index

COLUMNS = ("MB", "shards", "build s", "/ sort", "peak MB", "bytes/byte", "open ms", "median ms", "p95 ms", "batch s")


def asked(path: Path, outputs: list[str]) -> tuple[float, float, float, float]:
    """Milliseconds to open, median and 95 % of one output, and seconds for all of them on every processor."""
    open_index(path)
    start = time.perf_counter()
    one = open_index(path, threads=1)
    opened = 1000 * (time.perf_counter() - start)
    one.span_columns(outputs)
    times = []
    for output in outputs:
        start = time.perf_counter()
        one.span_columns([output])
        times.append(1000 * (time.perf_counter() - start))
    several = open_index(path, threads=os.cpu_count())
    start = time.perf_counter()
    several.span_columns(outputs)
    return opened, float(np.median(times)), float(np.quantile(times, 0.95)), time.perf_counter() - start


def measured(source: Path, megabytes: float, shards: int, outputs: int, base: Path | None) -> list[str]:
    """One line of the table."""
    with tempfile.TemporaryDirectory(dir=base) as folder:
        scratch = Path(folder)
        corpus = read(source, megabytes, scratch)
        each = -(-corpus.size // 2**20 // shards) + 1
        options = ["--shard-size", f"{each}MB", "--workers", "1", "--quiet"]
        built = provkit("index", "build", corpus.path, "-o", scratch / "index", *options)
        texts = sorted((scratch / "index" / "shards").glob("*/text.bin"))
        sort, _ = sorts(texts, 1)
        size = sum(file.stat().st_size for file in (scratch / "index").rglob("*") if file.is_file())
        opened, median, tail, batch = alone(asked, scratch / "index", windows(corpus.held_out, outputs))
    ours = (built.seconds, built.seconds / sort, built.megabytes, size / corpus.size, opened, median, tail, batch)
    return [f"{corpus.size / 2**20:.0f}", str(len(texts)), *(f"{figure:,.2f}" for figure in ours)]


def main() -> None:
    """Prints the table, line by line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", type=Path, help="a JSONL file with a text field, or a directory of text files")
    parser.add_argument("--megabytes", type=float, nargs="+", default=[1, 8, 64, 512])
    parser.add_argument("--shards", type=int, nargs="+", default=[2, 4, 8])
    parser.add_argument("--sharded", type=float, default=64, help="how many MB to cut into several shards")
    parser.add_argument("--outputs", type=int, default=1000)
    parser.add_argument("--scratch", type=Path, help="where to put the indexes (default: a temporary folder)")
    options = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"
    print(f"{options.corpus.name}, {options.outputs:,} outputs\n\n| {' | '.join(COLUMNS)} |")
    print("|" + "---:|" * len(COLUMNS))
    cases = [(size, 1) for size in options.megabytes] + [(options.sharded, shards) for shards in options.shards]
    for megabytes, shards in cases:
        line = measured(options.corpus, megabytes, shards, options.outputs, options.scratch)
        print(f"| {' | '.join(line)} |", flush=True)


if __name__ == "__main__":
    main()
