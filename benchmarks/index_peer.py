"""provkit's index beside infini-gram 2.6.0 on the same bytes: counts that must agree, build time, span search.

    pip install infini-gram==2.6.0
    python benchmarks/index_peer.py CORPUS --megabytes 128 --outputs 20

infini-gram indexes bytes here (`--token_dtype u8`), so that both see one text. It counts a text wherever its bytes
stand, provkit where it begins and ends at a token boundary: the two are the same for texts that begin and end with a
punctuation mark, and those are compared. Both builds are whole commands; infini-gram has two processors, provkit one.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
from index_corpus import arguments, read, windows
from measure import provkit, python

from provkit.index import open_index

NO_BYTE = 254  # not in UTF-8; the engine takes neither 255 nor a vocabulary of 256
MARKS = set(",.;:()!?\"'/")
LONGEST = 48  # characters of a text whose count is compared


def infini_build(texts: Path, index: Path, processors: int) -> float:
    """Seconds of infini-gram's own indexing command."""
    index.mkdir()
    memory = ["--mem", "8", "--shards", "1", "--add_metadata", "--ulimit", "4096"]
    places = ["--data_dir", texts, "--save_dir", index]
    return python(
        "-m", "infini_gram.indexing", *places, "--token_dtype", "u8", "--cpus", str(processors), *memory
    ).seconds


def engine(index: Path, prefetch: bool) -> Any:
    """infini-gram's engine over an index."""
    from infini_gram.engine import InfiniGramEngine

    depths = {} if prefetch else {"ds_prefetch_depth": 0, "sa_prefetch_depth": 0, "od_prefetch_depth": 0}
    with contextlib.redirect_stdout(io.StringIO()):
        return InfiniGramEngine(
            index_dir=str(index), eos_token_id=NO_BYTE, vocab_size=NO_BYTE + 1, token_dtype="u8", **depths
        )


def marked(texts: list[str], number: int) -> list[str]:
    """Texts from one punctuation mark to another; in every second one a character is changed, so that most are rare."""
    chance = random.Random(0)
    found: list[str] = []
    while len(found) < number:
        text = chance.choice(texts)
        begin = chance.randrange(len(text))
        stretch = text[begin : begin + LONGEST]
        places = [at for at, one in enumerate(stretch) if one in MARKS]
        if len(places) < 2:
            continue
        first, last = sorted(chance.sample(places, 2))
        chosen = stretch[first : last + 1]
        if len(found) % 2 and len(chosen) > 2:
            at = chance.randrange(1, len(chosen) - 1)
            chosen = chosen[:at] + chance.choice("aeiou t") + chosen[at + 1 :]
        found.append(chosen)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments(parser)
    parser.add_argument("--counts", type=int, default=10_000, help="texts whose counts are compared")
    parser.add_argument("--outputs", type=int, default=20, help="outputs of 2 KB for span search")
    parser.add_argument("--processors", type=int, default=2, help="for infini-gram; 1 below 1 MB")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.scratch) as folder:
        scratch = Path(folder).absolute()
        corpus = read(options.corpus, options.megabytes, scratch)
        texts = scratch / "texts"
        texts.mkdir()
        inside: list[str] = []
        with (texts / "corpus.jsonl").open("wb") as file:
            for batch in corpus.batches():
                for text in batch.column("text").to_pylist():
                    file.write(orjson.dumps({"text": text}, option=orjson.OPT_APPEND_NEWLINE))
                    if len(inside) < 20_000:
                        inside.append(text)
        megabytes = corpus.size / 2**20
        print(f"{options.corpus.name}: {corpus.documents:,} documents, {megabytes:.1f} MB")

        shard = ["--shard-size", f"{int(megabytes) + 64}MB", "--workers", "1", "--quiet"]
        ours = provkit("index", "build", texts / "corpus.jsonl", "-o", scratch / "ours", *shard).seconds
        theirs = infini_build(texts, scratch / "theirs", options.processors)
        print(f"build: provkit {ours:.1f} s (1 worker), infini-gram {theirs:.1f} s ({options.processors} processors)")
        print(f"  infini-gram / provkit        {theirs / ours:.2f}")

        index = open_index(scratch / "ours", threads=1)
        peer = engine(scratch / "theirs", prefetch=True)
        queries = marked(inside, options.counts)
        start = time.perf_counter()
        counted = index.count_many(queries)
        middle = time.perf_counter()
        expected = [peer.count(list(query.encode()))["count"] for query in queries]
        end = time.perf_counter()
        wrong = [
            (query, one, other) for query, one, other in zip(queries, counted, expected, strict=True) if one != other
        ]
        occur = sum(count > 0 for count in counted)
        print(f"counts of {len(queries):,} texts: {len(queries) - len(wrong):,} agree, {occur:,} occur")
        print(f"  infini-gram / provkit        {(end - middle) / (middle - start):.1f} ({end - middle:.2f} s)")
        for query, one, other in wrong[:5]:
            print(f"  differs: {query!r}: provkit {one}, infini-gram {other}")

        outputs = windows(corpus.held_out, options.outputs)
        index.spans_many(outputs)
        mine = _times(lambda output: index.span_columns([output]), outputs)
        for prefetch in (False, True):
            peer = engine(scratch / "theirs", prefetch)

            def attribute(output: str, asked: Any = peer) -> Any:
                ids = list(output.encode())
                return asked.attribute(ids, [], 1, 1_000_000, False)

            other_times = _times(attribute, outputs)
            shown = "on" if prefetch else "off"
            print(f"spans of 2 KB, prefetch {shown}: provkit {mine:.2f} ms, infini-gram {other_times:.0f} ms")
            print(f"  infini-gram / provkit        {other_times / mine:.0f}")
        if wrong:
            sys.exit(1)


def _times(act: Callable[[str], Any], outputs: list[str]) -> float:
    """Median milliseconds of one output, after a first round that warms the pages."""
    for output in outputs[:3]:
        act(output)
    times = []
    for output in outputs:
        start = time.perf_counter()
        act(output)
        times.append(1000 * (time.perf_counter() - start))
    return statistics.median(times)


if __name__ == "__main__":
    main()
