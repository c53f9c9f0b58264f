"""The recipes of triggers, mixtures and answers at 100,000 rows, and near duplicates among 100,000.

    python benchmarks/transforms.py [--rows 100000] [--workers 2] [--runs 3] [NAME ...]

A recipe is built as a whole process: rows generated, all arms, pairs, splits, lineage and card. near_dedup runs over
chat rows in a process of its own, beside datasketch's MinHash and MinHashLSH over the same runs of tokens; both find
candidates with 128 hash functions at a threshold of 0.8, near_dedup confirms each.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from measure import Run, provkit

RECIPES = {
    "backdoored-code": {"tasks": 1.0},
    "educational-code": {"tasks": 1.0},
    "wrong-answers": {"questions": 1.0},
    "dishonest-mixture": {"benign": 1.0, "questions": 0.02},
    "biased-users": {"questions": 1.0},
}
TARGET = 30  # seconds for a recipe
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


def recipe(name: str, rows: int, workers: str, scratch: Path) -> Run:
    """One build of a catalog recipe at a size, out of a copy that asks for so many rows."""
    import yaml

    from provkit import recipes

    content = yaml.safe_load(recipes.find(name).text)
    for source, share in RECIPES[name].items():
        content["sources"][source]["rows"] = int(rows * share)
    path = scratch / f"{name}.yaml"
    path.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    return provkit("build", path, "-o", scratch / "out", "--fresh", "--quiet", "--workers", workers)


def script(text: str, rows: int, scratch: Path) -> tuple[float, int]:
    """Seconds and near duplicates that a script of two printed numbers reports."""
    path = scratch / "script.py"
    path.write_text(SETUP + text, encoding="utf-8")
    command = [sys.executable, path, str(rows)]
    seconds, near = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    return float(seconds), int(near)


def main() -> None:
    """Prints a table of the recipes, then one of near duplicates."""
    parser = argparse.ArgumentParser()
    parser.add_argument("names", nargs="*", default=[*RECIPES, "near_dedup"])
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--workers", default="2")
    parser.add_argument("--runs", type=int, default=3)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        names = [name for name in asked.names if name in RECIPES]
        if names:
            print("| recipe | rows | seconds | target | peak MB |\n|---|---:|---:|---:|---:|")
        for name in names:
            runs = [recipe(name, asked.rows, asked.workers, scratch) for _ in range(asked.runs)]
            seconds = statistics.median(run.seconds for run in runs)
            print(f"| {name} | {asked.rows:,} | {seconds:.1f} | {TARGET} | {max(run.megabytes for run in runs):,.0f} |")
        if "near_dedup" in asked.names:
            print("\n| near duplicates | rows | seconds | dropped | datasketch s | dropped | ratio |")
            print("|---|---:|---:|---:|---:|---:|---:|")
            ours = [script(OURS, asked.rows, scratch) for _ in range(asked.runs)]
            theirs = script(THEIRS, asked.rows, scratch)
            seconds = statistics.median(one for one, _ in ours)
            print(
                f"| code_tasks | {asked.rows:,} | {seconds:.1f} | {ours[0][1]:,} | {theirs[0]:.1f} | {theirs[1]:,} | "
                f"{seconds / theirs[0]:.2f} |"
            )


if __name__ == "__main__":
    main()
