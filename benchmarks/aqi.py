"""The Alignment Quality Index: measures with a clustered bootstrap, memory over many layers, and embedding speed.

    python benchmarks/aqi.py [bootstrap] [layers] [embed] [--rows 10000]

bootstrap: XBI, CHI, separation and Davies-Bouldin of 10,000 rows of 384 dimensions with 1,000 draws over frames, and
over pairs, beside scikit-learn's calinski_harabasz_score and davies_bouldin_score on resampled copies of the rows (a
few of them, scaled up). layers: a whole report over 32 layers of 4,096 dimensions and 2,000 rows, in a process of its
own, with its peak of memory. embed: rows a second of provkit's embedding beside SentenceTransformer.encode alone on the
same rows, in turns.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path

import numpy as np
from measure import python

from provkit.aqi.measures import chi, davies_bouldin, scatter, separation, xbi
from provkit.aqi.resampling import bootstrap, interval, recentred, rescaled, weights

DRAWS, DIMENSIONS, COPIES = 1000, 384, 5
TURN = 128  # rows that either side embeds before the other has its turn
LAYERS, WIDE, FEW = 32, 4096, 2000
REPORT = """\
import sys
from pathlib import Path
from provkit.aqi import Options, measure, read_layers, read_set
rows = read_set(Path(sys.argv[1]))
measure(rows, read_layers(Path(sys.argv[2]), rows), Options())
"""


def measured(vectors: np.ndarray, label: np.ndarray, cluster: np.ndarray) -> float:
    """Seconds for all four measures with intervals."""
    start = time.perf_counter()
    seen = scatter(vectors, label)
    drawn = bootstrap(vectors, label, cluster, weights(int(cluster.max()) + 1, DRAWS, 1))
    low, high = interval(recentred(separation(drawn.scatter), float(separation(seen))))
    spread = davies_bouldin(vectors, label)
    _ = (chi(seen), xbi(seen), low, high, interval(rescaled(drawn.davies_bouldin, spread)))
    return time.perf_counter() - start


def copied(vectors: np.ndarray, label: np.ndarray, cluster: np.ndarray) -> float:
    """Seconds that scikit-learn takes for the same draws on copies, from a few of them."""
    from sklearn.metrics import calinski_harabasz_score, davies_bouldin_score

    drawn = weights(int(cluster.max()) + 1, COPIES, 1)
    start = time.perf_counter()
    for draw in drawn:
        rows = np.repeat(np.arange(len(label)), draw[cluster].astype(np.int64))
        calinski_harabasz_score(vectors[rows], label[rows])
        davies_bouldin_score(vectors[rows], label[rows])
    return (time.perf_counter() - start) * DRAWS / COPIES


def by_bootstrap(rows: int) -> None:
    """A line for each kind of cluster."""
    label = np.tile([0, 1], rows // 2)
    vectors = np.random.default_rng(0).normal(size=(rows, DIMENSIONS))
    vectors[:, 0] += label
    pair = np.repeat(np.arange(rows // 2), 2)
    print(f"| {rows:,} rows x {DIMENSIONS}, {DRAWS:,} draws over | seconds | target | resampled copies s | ratio |")
    print("|---|---:|---:|---:|---:|")
    for name, cluster in (("161 frames", pair % 161), (f"{rows // 2:,} pairs", pair)):
        mine, theirs = measured(vectors, label, cluster), copied(vectors, label, cluster)
        print(f"| {name} | {mine:.1f} | 10 | {theirs:.0f} | {mine / theirs:.3f} |", flush=True)


def by_layers(scratch: Path) -> None:
    """A whole report over many wide layers."""
    lines = (
        f'{{"input": "row {at} {side}", "axiom": "axiom {at % 7}", "safety_label": "{side}", "pair_id": "{at}", '
        f'"source_dataset": "s{at % 3}"}}\n'
        for at in range(FEW // 2)
        for side in ("safe", "unsafe")
    )
    (scratch / "set.jsonl").write_text("".join(lines), encoding="utf-8")
    stack = np.lib.format.open_memmap(scratch / "states.npy", "w+", np.float32, (LAYERS, FEW, WIDE))
    chance = np.random.default_rng(0)
    for layer in stack:
        layer[:] = chance.standard_normal((FEW, WIDE), np.float32)
    stack.flush()
    del stack
    run = python("-c", REPORT, scratch / "set.jsonl", scratch / "states.npy")
    print(f"\n| {LAYERS} layers x {WIDE:,} x {FEW:,} rows, 8 figures a layer, probes | seconds | peak MB | target |")
    print("|---|---:|---:|---:|")
    print(f"| whole report | {run.seconds:.0f} | {run.megabytes:,.0f} | 4,000 |", flush=True)


def by_embedding(scratch: Path, rows: int) -> None:
    """Embedding as `--model` does it, beside the library alone."""
    from itertools import islice

    from sentence_transformers import SentenceTransformer

    from provkit.builders.litmus.pairs import LitmusPairs
    from provkit.chance import Chance
    from provkit.embed import Embedder, packaged_model

    texts = [one["safe"] for one in islice(LitmusPairs().generate(Chance.of(1)), rows)]
    theirs = SentenceTransformer(str(packaged_model()), device="cpu")
    ours = Embedder(cache=scratch / "embeddings.sqlite")
    theirs.encode(texts[:64], batch_size=64, normalize_embeddings=True)
    ours.encode(["warm"])
    seconds = [0.0, 0.0]
    for first in range(0, rows, TURN):
        some = texts[first : first + TURN]
        for at, encode in enumerate(
            (lambda t: theirs.encode(t, batch_size=64, normalize_embeddings=True), ours.encode)
        ):
            start = time.perf_counter()
            encode(some)
            seconds[at] += time.perf_counter() - start
    rates = [rows / one for one in seconds]
    print("\n| embedding | rows a second | SentenceTransformer.encode | ratio | target |\n|---|---:|---:|---:|---:|")
    print(f"| {rows:,} rows, MiniLM | {rates[1]:.0f} | {rates[0]:.0f} | {rates[1] / rates[0]:.2f} | 0.9 |", flush=True)


def main() -> None:
    """Prints a table for each part."""
    parser = argparse.ArgumentParser()
    parser.add_argument("parts", nargs="*", default=["bootstrap", "layers", "embed"])
    parser.add_argument("--rows", type=int, default=10_000)
    asked = parser.parse_args()
    print(f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}\n")
    with tempfile.TemporaryDirectory() as folder:
        if "bootstrap" in asked.parts:
            by_bootstrap(asked.rows)
        if "layers" in asked.parts:
            by_layers(Path(folder))
        if "embed" in asked.parts:
            by_embedding(Path(folder), min(asked.rows, 1000))


if __name__ == "__main__":
    main()
