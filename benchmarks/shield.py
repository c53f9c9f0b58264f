"""What the shield costs a text without embeddings, beside the bare search for its spans on the same index.

    python benchmarks/shield.py CORPUS --megabytes 128
    python benchmarks/shield.py INDEX --texts held_out.parquet

Texts are stretches of about so many tokens: `copied` whole out of a document of the index, `spliced` out of sentences
of many of its documents, and `held out` from text that is not in it. The paper's rule (tau) asks BCI alone. The usual
rule is given policies that cost nothing, so that everything but the embedding is measured. Each text is checked alone,
as an answer that arrives is; a round takes all of them, and the medians are over rounds. The ratio is one of processor
time, which other work on the machine changes least.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from index_corpus import SEED, read

from provkit.attribution.model import Verdict
from provkit.defences import Rule, Shield
from provkit.index import Index, build_index, open_index

SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")
LIMIT = 5.0  # ms for each 100 tokens


class Free:
    """Policies that every text keeps to, at no cost."""

    name = "free"

    def of(self, texts: Sequence[str]) -> list[Verdict]:
        """The same verdict on each."""
        return [Verdict("none", "none", -1.0, "")] * len(texts)


class Against(Free):
    """Policies that every text stands against: whatever is found is refused, and its documents are shown."""

    def of(self, texts: Sequence[str]) -> list[Verdict]:
        """The same verdict on each."""
        return [Verdict("all", "all", 1.0, "")] * len(texts)


def main() -> None:
    """Prints milliseconds for each 100 tokens and the ratio to the bare search."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", type=Path, help="an index, or text to index as the other index benchmarks take it")
    parser.add_argument("--megabytes", type=float, default=128, help="how much text to index")
    parser.add_argument("--texts", type=Path, help="for an index: Parquet with a text column that is not in it")
    parser.add_argument("--outputs", type=int, default=200, help="texts of each kind")
    parser.add_argument("--tokens", type=int, nargs="+", default=[100, 400], help="length of the texts")
    parser.add_argument("--repeat", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path, held_out = options.corpus, []
        if not (path / "index.json").is_file():
            corpus = read(path, options.megabytes, Path(folder))
            path, held_out = Path(folder) / "index", corpus.held_out
            build_index(corpus.batches(), path)
        elif options.texts is not None:
            held_out = pq.read_table(options.texts, columns=["text"]).column(0).to_pylist()
        measure(open_index(path), held_out, options)


def measure(index: Index, held_out: list[str], options: argparse.Namespace) -> None:
    """Prints a line for each kind of text, length and rule."""
    made = index.manifest
    print(f"{made.documents:,} documents, {made.text_bytes / 2**20:,.0f} MB, {len(index.shards)} shards, "
          f"load {os.getloadavg()[0]:.1f}\n")  # fmt: skip
    print("| texts | tokens | rule | spans | refused | ms / 100 tokens | p95 | processor ms | spans alone | ratio |")
    print("|---|---:|---|---:|---:|---:|---:|---:|---:|---:|")
    worst = busiest = ratio = 0.0
    for size in options.tokens:
        kinds = {"copied": copied(index, options.outputs, size), "spliced": spliced(index, options.outputs, size)}
        if held_out:
            kinds["held out"] = stretches(held_out, options.outputs, size)
        for kind, texts in kinds.items():
            tokens = [max(index.bci(text).tokens, 1) for text in texts]
            rules = {"tau 20": Shield(index, None, Rule(tau=20)), "conflict, none found": Shield(index, Free()),
                     "conflict, all refused": Shield(index, Against())}  # fmt: skip
            for name, shield in rules.items():
                rulings = [shield.check(text) for text in texts]  # loads what it needs, and warms the pages
                rounds = [timed(shield.check, texts, tokens) for _ in range(options.repeat)]
                bare = [timed(lambda text: index.spans(text, 6), texts, tokens) for _ in range(options.repeat)]
                median, tail = (float(np.median([np.quantile(wall, at) for wall, _ in rounds])) for at in (0.5, 0.95))
                busy, alone = (float(np.median([np.median(one[1]) for one in each])) for each in (rounds, bare))
                marks, refused = np.mean([len(one.marks) for one in rulings]), np.mean([one.refused for one in rulings])
                print(f"| {kind} | {size} | {name} | {marks:.1f} | {refused:.0%} | {median:.3f} | {tail:.3f} | "
                      f"{busy:.3f} | {alone:.3f} | {busy / alone:.2f} |")  # fmt: skip
                worst, busiest, ratio = max(worst, median), max(busiest, busy), max(ratio, busy / alone)
    said = "kept" if worst <= LIMIT else "MISSED"
    print(f"\nworst median {worst:.2f} ms for each 100 tokens, limit {LIMIT:g}: {said}\n"
          f"in processor time {busiest:.2f} ms, at worst {ratio:.2f} times the bare search")  # fmt: skip


def timed(
    work: Callable[[str], object], texts: Sequence[str], tokens: Sequence[int]
) -> tuple[list[float], list[float]]:
    """Milliseconds for each 100 tokens of each text: that pass, and that the processors work."""
    wall, busy = [], []
    for text, size in zip(texts, tokens, strict=True):
        start, before = time.perf_counter(), time.process_time()
        work(text)
        wall.append(100 * 1000 * (time.perf_counter() - start) / size)
        busy.append(100 * 1000 * (time.process_time() - before) / size)
    return wall, busy


def documents(index: Index, number: int) -> list[str]:
    """Documents of the index, drawn with a seed."""
    chance = random.Random(SEED)
    places = [(shard.number, len(shard.documents) - 1) for shard in index.shards]
    found = []
    for _ in range(number):
        shard, size = places[chance.randrange(len(places))]
        found.append(index.text(shard, chance.randrange(size)))
    return found


def copied(index: Index, number: int, tokens: int) -> list[str]:
    """Stretches of documents of the index."""
    return stretches(documents(index, 20 * number), number, tokens)


def stretches(texts: Sequence[str], number: int, tokens: int) -> list[str]:
    """One stretch out of each of the first texts that are long enough; a token is about four characters."""
    chance, size = random.Random(SEED), 4 * tokens
    long = [text for text in texts if len(text) >= size][:number]
    return [text[(at := chance.randrange(len(text) - size + 1)) : at + size] for text in long]


def spliced(index: Index, number: int, tokens: int) -> list[str]:
    """Sentences of documents of the index, one after another, none beside its neighbour."""
    chance = random.Random(SEED)
    known = [one for text in documents(index, 2000) for one in SENTENCE.split(text[:20_000]) if 30 < len(one) < 300]
    found = []
    for _ in range(number):
        text = ""
        while len(text) < 4 * tokens:
            text += chance.choice(known) + " "
        found.append(text)
    return found


if __name__ == "__main__":
    main()
