"""How long an index takes to build, against the bare suffix sort of the same bytes in the same run.

    python benchmarks/index_build.py CORPUS --megabytes 128 --repeat 3
    python benchmarks/index_build.py CORPUS --megabytes 1024 --shard-megabytes 256 --workers 2

Each build and each sort runs in a process of its own, so that its peak memory is its own too. With several workers
the sorts of the shards also run in as many processes, as the yardstick.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np
from index_corpus import arguments, read

from provkit import parquet, processes
from provkit.index import build_index
from provkit.index.shard import sort

T = TypeVar("T")


def build(corpus: Path, path: Path, shard_bytes: int, workers: int) -> tuple[float, float, float]:
    """Seconds, processor seconds, and the peak memory in bytes of the largest process."""
    shutil.rmtree(path, ignore_errors=True)
    start, used = time.perf_counter(), processor()
    build_index(parquet.opened(corpus).iter_batches(1024), path, shard_bytes=shard_bytes, workers=workers)
    seconds = time.perf_counter() - start
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return seconds, processor() - used, 1024 * max(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, children)


def bare(text: Path) -> float:
    """Processor seconds of one divsufsort call."""
    data = np.fromfile(text, np.uint8)
    start = processor()
    sort(data)
    return processor() - start


def processor() -> float:
    """Processor seconds of this process and of those it waited for: they do not count the wait for a busy machine."""
    usage = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in usage)


def alone(function: Callable[..., T], *parameters: object) -> T:
    """Runs a function in a fresh process."""
    with processes.pool(1) as pool:
        return pool.submit(function, *parameters).result()


def sorts(texts: list[Path], workers: int) -> tuple[float, float]:
    """Wall and processor seconds of sorting all shards with so many processes, without their start."""
    with processes.pool(workers) as pool:
        list(pool.map(_nothing, range(workers)))
        start = time.perf_counter()
        used = sum(pool.map(bare, texts))
        return time.perf_counter() - start, used


def _nothing(_: int) -> None:
    time.sleep(0.5)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments(parser)
    parser.add_argument("--shard-megabytes", type=float, default=2047)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--repeat", type=int, default=3)
    options = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"
    with tempfile.TemporaryDirectory(dir=options.scratch) as folder:
        scratch = Path(folder)
        corpus = read(options.corpus, options.megabytes, scratch)
        shard_bytes = int(options.shard_megabytes * 2**20)
        alone(build, corpus.path, scratch / "index", 2**20, 1)  # compiles what was never compiled
        rows = []
        for _ in range(options.repeat):
            seconds, used, memory = alone(build, corpus.path, scratch / "index", shard_bytes, options.workers)
            texts = sorted((scratch / "index" / "shards").glob("*/text.bin"))
            largest = max(text.stat().st_size for text in texts)
            one = sorts(texts, 1)
            many = sorts(texts, options.workers) if options.workers > 1 else one
            rows.append((seconds / many[0], used / many[1], one[0] / many[0], memory / largest, seconds))
            print(f"  build {seconds:7.2f} s   sort {many[0]:7.2f} s   ratio {seconds / many[0]:.3f}", end="")
            print(f"   processor {used:7.2f} / {many[1]:.2f} = {used / many[1]:.3f}", flush=True)
        ratio, busy, gain, memory, seconds = (sorted(column) for column in zip(*rows, strict=True))
        size = sum(file.stat().st_size for file in (scratch / "index").rglob("*") if file.is_file())
        megabytes = corpus.size / 2**20
        print(f"\n{options.corpus.name}: {corpus.documents:,} documents, {megabytes:.1f} MB, {len(texts)} shards")
        print(f"workers                        {options.workers}")
        print(f"build / bare sort, median      {statistics.median(ratio):.2f} (from {ratio[0]:.2f} to {ratio[-1]:.2f})")
        print(f"  in processor seconds         {statistics.median(busy):.2f} (from {busy[0]:.2f} to {busy[-1]:.2f})")
        print(f"MB/s, best                     {megabytes / seconds[0]:.1f}")
        if options.workers > 1:
            print(f"sort, 1 process / {options.workers}            {statistics.median(gain):.2f}")
        print(f"peak memory, bytes a byte      {memory[-1]:.2f} (of the largest process and shard)")
        print(f"index bytes a text byte        {size / corpus.size:.3f}")


if __name__ == "__main__":
    main()
