"""How fast an index answers: opening, a cold first output, maximal spans with exact counts, batches on all cores.

    python benchmarks/index_search.py CORPUS --megabytes 128
    python benchmarks/index_search.py CORPUS --megabytes 1024 --shard-megabytes 256 --outputs 10000 --workers 2

Outputs are stretches of 2,000 characters of documents that are not in the index. Opening and the cold output are
measured in fresh processes that have loaded the engine on a tiny index before; the page cache is emptied of the
index with POSIX_FADV_DONTNEED.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path

import numpy as np
from index_corpus import arguments, read, windows

from provkit import processes
from provkit.index import Document, build_index, open_index


def load_engine(scratch: Path) -> None:
    """Loads every kernel that a query needs."""
    path = scratch / "tiny"
    if not path.exists():
        build_index([Document("one two three")], path)
    open_index(path, threads=1).spans("two three four")


def opening(index: Path, scratch: Path, cold: str | None) -> tuple[float, float]:
    """Milliseconds to open an index, and to answer a first output."""
    load_engine(scratch)
    if cold is not None:
        os.sync()
        for file in index.rglob("*"):
            if file.is_file():
                with file.open("rb") as opened:
                    os.posix_fadvise(opened.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    start = time.perf_counter()
    opened_index = open_index(index, threads=1)
    middle = time.perf_counter()
    opened_index.spans(cold or "two three four")
    return 1000 * (middle - start), 1000 * (time.perf_counter() - middle)


def fresh(index: Path, scratch: Path, cold: str | None) -> tuple[float, float]:
    """`opening` in a process of its own."""
    with processes.pool(1) as pool:
        return pool.submit(opening, index, scratch, cold).result()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments(parser)
    parser.add_argument("--shard-megabytes", type=float, default=2047)
    parser.add_argument("--outputs", type=int, default=1000)
    parser.add_argument("--workers", type=int, default=1, help="for the build")
    parser.add_argument("--repeat", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.scratch) as folder:
        scratch = Path(folder)
        corpus = read(options.corpus, options.megabytes, scratch)
        outputs = windows(corpus.held_out, options.outputs)
        index = scratch / "index"
        shard_bytes = int(options.shard_megabytes * 2**20)
        build_index(corpus.batches(), index, shard_bytes=shard_bytes, workers=options.workers)
        corpus.path.unlink()

        first, _ = fresh(index, scratch, None)
        later = [fresh(index, scratch, None)[0] for _ in range(options.repeat)]
        cold = [fresh(index, scratch, outputs[at]) for at in range(options.repeat)]

        one = open_index(index, threads=1)
        sample = outputs[:1000]
        one.spans_many(sample)
        medians, tails, busy, found = [], [], [], 0
        for _ in range(options.repeat):
            times, used = [], []
            for output in sample:
                start, before = time.perf_counter(), time.thread_time()
                columns = one.span_columns([output])
                times.append(time.perf_counter() - start)
                used.append(time.thread_time() - before)
                found += len(columns.count)
            medians.append(1000 * float(np.median(times)))
            tails.append(1000 * float(np.quantile(times, 0.95)))
            busy.append([1000 * float(np.quantile(used, part)) for part in (0.5, 0.95)])
        batches = {}
        for threads in sorted({1, os.cpu_count() or 1}):
            several = open_index(index, threads=threads)
            start = time.perf_counter()
            several.span_columns(outputs)
            batches[threads] = time.perf_counter() - start
        start = time.perf_counter()
        one.count_many([" ".join(output.split()[:3]) for output in sample])
        counting = time.perf_counter() - start

        shards = len(one.shards)
        print(f"{options.corpus.name}: {corpus.documents:,} documents, {corpus.size / 2**20:.1f} MB, {shards} shards")
        print(f"outputs                        {len(outputs):,} of 2,000 characters, not in the index")
        print(f"spans an output                {found / len(sample) / options.repeat:.0f}")
        print(f"first opening, all digests     {first:.0f} ms")
        print(f"later openings, median         {np.median(later):.1f} ms")
        answers = [answer for _, answer in cold]
        print(f"cold: opening, median          {np.median([opened for opened, _ in cold]):.1f} ms")
        print(f"cold: first output, median     {np.median(answers):.1f} ms (each: {_list(answers)})")
        print(f"warm, one output: median       {min(medians):.3f} ms (each round: {_list(medians)})")
        print(f"warm, one output: p95          {min(tails):.3f} ms (each round: {_list(tails)})")
        median, tail = min(busy)
        print(f"  in processor time            median {median:.3f} ms, p95 {tail:.3f} ms")
        for threads, seconds in batches.items():
            print(f"{len(outputs):,} outputs, {threads} threads".ljust(31) + f"{seconds:.2f} s")
        print(f"1,000 counts of 3 words        {1000 * counting:.1f} ms")


def _list(values: list[float]) -> str:
    return ", ".join(f"{value:.3f}" for value in values)


if __name__ == "__main__":
    main()
