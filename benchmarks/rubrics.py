"""Drift of 100 rubrics over 10,000 recorded pairs, as whole commands; the search's own cost a judgement.

python benchmarks/rubrics.py [--rubrics 100] [--pairs 10000]
"""

from __future__ import annotations

import argparse
import hashlib
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from measure import provkit

from provkit.builders.rubrics.breeding import ByOperators
from provkit.chance import Chance
from provkit.llm import Answer, Cache, Request, Teacher
from provkit.rubrics import directory
from provkit.rubrics.files import catalog
from provkit.rubrics.judges import Asked, EndpointJudge, Heard, Said
from provkit.rubrics.pairs import Pair
from provkit.rubrics.search import Search, Sides, Terms
from provkit.rubrics.tables import PAIRS, RUBRICS, VERDICTS

LETTERS = pa.array(["A", "B", "C", "unparsed"])


def verdicts(folder: Path, rubrics: int, pairs: int) -> tuple[Path, Path]:
    """A verdict directory, and the same as recorded rows in one Parquet file: both orders of every pair."""
    chance = np.random.default_rng(7)
    names = [hashlib.sha256(str(at).encode()).hexdigest() for at in range(rubrics)]
    keys = [hashlib.sha256(f"pair {at}".encode()).hexdigest()[:32] for at in range(pairs)]
    label = chance.integers(0, 2, pairs)
    which = np.repeat(np.arange(rubrics), pairs)
    pair = np.tile(np.arange(pairs), rubrics)
    said = [chance.random(rubrics * pairs) for _ in range(2)]
    codes = [
        np.where(one < 0.75, label[pair], np.where(one < 0.9, 1 - label[pair], np.where(one < 0.98, 2, 3)))
        for one in said
    ]
    datasets = pa.array(["bench", "target"])
    dataset = (np.arange(pairs) >= pairs // 2).astype(np.int32)
    rows = pa.table(
        [
            pa.array(names).take(pa.array(which)),
            datasets.take(pa.array(dataset[pair])),
            pa.array(keys).take(pa.array(pair)),
            *(LETTERS.take(pa.array(one)) for one in codes),
            *(pa.nulls(len(which), pa.string()) for _ in range(2)),
        ],
        schema=VERDICTS,
    )
    labels = LETTERS.take(pa.array(label))
    category = pa.array([f"c{at}" for at in range(10)]).take(pa.array(np.arange(pairs) % 10))
    texts = [pa.nulls(pairs, pa.string()) for _ in range(3)]
    about = pa.table([datasets.take(pa.array(dataset)), pa.array(keys), labels, category, *texts], schema=PAIRS)
    listed = [
        {"rubric": name, "rubric_id": f"v{at:03}" if at else "seed", "is_seed": not at, "adversarial": False}
        for at, name in enumerate(names)
    ]
    with directory.written(folder / "verdicts") as writer:
        for name, table in (("verdicts", rows), ("pairs", about)):
            writer.write(name, table)
        writer.write("rubrics", pa.Table.from_pylist(listed, schema=RUBRICS))
        writer.close({"kind": "recorded", "model": "simulated"})
    flip = np.array([1, 0, 2, 3])
    recorded = [
        pa.table(
            {
                "rubric": rows.column("rubric"),
                "dataset": rows.column("dataset"),
                "row_key": rows.column("row_key"),
                "swapped": pa.repeat(pa.scalar(bool(order)), len(which)),
                "verdict": LETTERS.take(pa.array(flip[codes[order]] if order else codes[order])),
                "label": labels.take(pa.array(pair)),
                "category": category.take(pa.array(pair)),
            }
        )
        for order in (0, 1)
    ]
    pq.write_table(pa.concat_tables(recorded[:1]), folder / "run.parquet")
    return folder / "verdicts", folder / "run.parquet"


class Instant:
    """A judge that costs nothing, so that what is measured is the search."""

    judged = 0

    def facts(self) -> dict[str, Any]:
        """Nothing."""
        return {}

    def judge(self, asked: Iterable[Asked], heard: Heard) -> None:
        """The label of every pair."""
        for one in asked:
            self.judged += 1
            heard(one, Said("A" if one.pair.label == "A" else "B"))


class Present:
    """An endpoint that answers at once: the cache, the keys and the loop are real, the network is not."""

    timeout = 1.0

    async def __aenter__(self) -> Present:
        return self

    async def __aexit__(self, *error: object) -> None:
        pass

    async def ask(self, request: Request, sample: int, key: str, *_: Any) -> tuple[Answer, float]:
        """The answer A."""
        return Answer(key, "The first is better.\n[[A]]", "stop"), 0.0


def searched(judge: Any, pairs: int, terms: Terms) -> Search:
    """A search over pairs of 1,600 characters."""
    made = [Pair(f"k{at}", f"q{at} " * 60, f"x{at} " * 120, f"y{at} " * 120, "AB"[at % 2], None) for at in range(pairs)]
    sides = [Sides(made[at::6], made[at + 1 :: 6]) for at in (0, 2, 4)]
    search = Search(catalog("helpfulness"), judge, ByOperators(Chance.of(1)), terms, *sides)
    search.run()
    return search


def main() -> None:
    """Prints a line a command, and the cost of a judgement."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rubrics", type=int, default=100)
    parser.add_argument("--pairs", type=int, default=10_000)
    asked = parser.parse_args()
    print("| what | s | CPU s | MB | |\n|---|---:|---:|---:|---|")
    with tempfile.TemporaryDirectory() as place:
        made, recorded = verdicts(Path(place), asked.rubrics, asked.pairs)
        words = ["--bench", "bench", "--target", "target", "--max-drift", "0.5", "--format", "json", "--quiet"]
        for name, path in (("verdict directory, both orders", made), ("recorded rows, one order", recorded)):
            took = provkit("drift", path, *words, *(["--seed-rubric", first(path)] if path.is_file() else []))
            what = f"provkit drift, {name}: {asked.rubrics} rubrics x {asked.pairs:,} pairs"
            figures = f"{took.seconds:.1f} | {took.cpu:.1f} | {took.megabytes:,.0f}"
            print(f"| {what} | {figures} | at most 5 s, 1,000 MB |", flush=True)
        start = time.process_time()
        run = searched(Instant(), 6000, Terms())
        cost = (time.process_time() - start) / run.spent * 1000
        print(
            f"| the search alone, {run.spent:,} judgements: CPU ms a judgement | | {cost:.3f} | | at most 1 |",
            flush=True,
        )
        with Cache(Path(place, "answers.sqlite")) as cache:
            teacher = Teacher("present", cache, Present(), concurrency=64)  # type: ignore[arg-type]
            start = time.process_time()
            run = searched(EndpointJudge(teacher), 900, Terms(generations=3, sample=100, parents=5, finalists=5))
            cost = (time.process_time() - start) / run.spent * 1000
        print(f"| with keys and cache, {run.spent:,} judgements: CPU ms a judgement | | {cost:.3f} | | at most 1 |")


def first(path: Path) -> str:
    """The rubric of the first row."""
    return str(pq.ParquetFile(path).read_row_group(0, ["rubric"]).column(0)[0].as_py())


if __name__ == "__main__":
    main()
