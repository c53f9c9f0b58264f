"""A build with full lineage, beside `datasets` reading, mapping and writing the same rows without any.

    python benchmarks/build.py [--rows 100000 1000000] [--workers 2] [--runs 3]

Rows are chat rows of about 1 KB, one in twenty a duplicate prompt. provkit: import, dedup by prompt, shuffle, split,
lineage of every row and every drop. datasets: load_dataset("json"), map with a per-row identity in one process,
to_parquet.
"""

from __future__ import annotations

import argparse
import random
import shutil
import statistics
import tempfile
from pathlib import Path

import orjson
from measure import provkit, python

RECIPE = """\
name: measured
summary: A build as large as they come.
licence: other
sensitivity: open
sources:
  data: {input: "chat rows"}
steps: [import_messages, {dedup: {by: prompt}}, shuffle]
splits: {by: prompt, train: 0.9, test: 0.1}
"""
PEER = """\
import datasets, sys
rows = datasets.load_dataset("json", data_files=sys.argv[1], split="train", cache_dir=sys.argv[2])
rows.map(lambda row: row).to_parquet(sys.argv[2] + "/rows.parquet")
"""
WORDS = (
    "the of and to in is you that it he was for on are as with his they at be this have from or one had by word".split()
)


def write(path: Path, rows: int) -> None:
    """Chat rows, seeded."""
    chance = random.Random(7)
    with path.open("wb") as file:
        for at in range(rows):
            prompt = " ".join(chance.choices(WORDS, k=60)) if at % 20 else f"prompt {at % 5000}"
            answer = " ".join(chance.choices(WORDS, k=150))
            turns = [{"role": "user", "content": prompt}, {"role": "assistant", "content": answer}]
            file.write(orjson.dumps({"messages": turns}) + b"\n")


def main() -> None:
    """Prints a line a size."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--workers", default="2")
    parser.add_argument("--runs", type=int, default=3)
    asked = parser.parse_args()
    print("| rows | MB | provkit s | datasets s | ratio | provkit peak MB | datasets peak MB |")
    print("|---:|---:|---:|---:|---:|---:|---:|")
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        (folder / "recipe.yaml").write_text(RECIPE)
        (folder / "peer.py").write_text(PEER)
        for rows in asked.rows:
            data = folder / f"{rows}.jsonl"
            write(data, rows)
            ours, theirs = [], []
            for _ in range(asked.runs):
                shutil.rmtree(folder / "cache", ignore_errors=True)
                theirs.append(python(folder / "peer.py", data, folder / "cache"))
                shutil.rmtree(folder / "cache")
                command = ["build", folder / "recipe.yaml", "--set", f"data={data}", "-o", folder / "built"]
                ours.append(provkit(*command, "--fresh", "--quiet", "--workers", asked.workers))
            ratios = statistics.median(a.seconds / b.seconds for a, b in zip(ours, theirs, strict=True))
            mine, peer = (statistics.median(one.seconds for one in some) for some in (ours, theirs))
            peaks = [max(one.megabytes for one in some) for some in (ours, theirs)]
            size = data.stat().st_size / 1e6
            print(
                f"| {rows:,} | {size:,.0f} | {mine:.1f} | {peer:.1f} | {ratios:.2f} |"
                f" {peaks[0]:,.0f} | {peaks[1]:,.0f} |"
            )
            data.unlink()


if __name__ == "__main__":
    main()
