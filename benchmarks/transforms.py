"""Near duplicates among 100,000 chat rows, beside datasketch's MinHash and MinHashLSH over the same runs of tokens.

    python benchmarks/transforms.py [--rows 100000] [--runs 3]

near_dedup runs in a process of its own, and so does its peer; both find candidates with 128 hash functions at a
threshold of 0.8, near_dedup confirms each. benchmarks/recipes.py times the recipes that transforms are part of.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

TARGET = 60  # seconds
SETUP = """\
import sys, time
from itertools import islice
from provkit.builders.domains.code.tasks import CodeTasks
from provkit.chance import Chance
turns = (row["messages"] for row in islice(CodeTasks().generate(Chance.of(1)), int(sys.argv[1])))
texts = ["\\n".join(turn["content"] for turn in one) for one in turns]
"""
OURS = """\
from provkit.builders.transforms.minhash import Runs
from provkit.builders.transforms.near_dedup import first_alike
first_alike(Runs.of(texts[:100], 3), 128, 0.8)  # compiled code is read from its cache
start = time.perf_counter()
twin, _ = first_alike(Runs.of(texts, 3), 128, 0.8)
print(time.perf_counter() - start, int((twin >= 0).sum()))
"""
THEIRS = """\
import re
from datasketch import MinHash, MinHashLSH
start = time.perf_counter()
lsh = MinHashLSH(threshold=0.8, num_perm=128)
empty, near = MinHash(num_perm=128), 0
for number, text in enumerate(texts):
    tokens = re.findall(r"\\w+|[^\\w\\s]", text.lower())
    sketch = empty.copy()
    sketch.update_batch([" ".join(tokens[at : at + 3]).encode() for at in range(max(len(tokens) - 2, 1))])
    if lsh.query(sketch):
        near += 1
    else:
        lsh.insert(number, sketch, check_duplication=False)
print(time.perf_counter() - start, near)
"""


def script(text: str, rows: int, scratch: Path) -> tuple[float, int]:
    """Seconds and near duplicates that a script of two printed numbers reports."""
    path = scratch / "script.py"
    path.write_text(SETUP + text, encoding="utf-8")
    command = [sys.executable, path, str(rows)]
    seconds, near = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    return float(seconds), int(near)


def main() -> None:
    """Prints one line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--runs", type=int, default=3)
    asked = parser.parse_args()
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        ours = [script(OURS, asked.rows, scratch) for _ in range(asked.runs)]
        theirs = script(THEIRS, asked.rows, scratch)
    seconds = statistics.median(one for one, _ in ours)
    ratio = f"{theirs[0]:.1f} | {theirs[1]:,} | {seconds / theirs[0]:.2f}"
    print("| near duplicates | rows | seconds | target | dropped | datasketch s | dropped | ratio | load |")
    print("|---|---:|---:|---:|---:|---:|---:|---:|---:|")
    print(f"| code_tasks | {asked.rows:,} | {seconds:.1f} | {TARGET} | {ours[0][1]:,} | {ratio} | {load:.1f} |")


if __name__ == "__main__":
    main()
