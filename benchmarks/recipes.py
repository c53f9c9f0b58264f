"""Every recipe of the catalog that needs no model, at 100,000 rows: each a whole command, from start to finish.

    python benchmarks/recipes.py [--rows 100000] [--workers 2] [--runs 1] [NAME ...]

A recipe whose source is a generator is asked for so many rows of it, and makes as many in each of its arms; one that
takes a file gets that many rows of the form it reads. Seconds are the clock's; CPU seconds are those of all processes
of the command, the measure that stands where other work shares the machine; load is that at the start of the run.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import tempfile
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from measure import Run, provkit

from provkit import recipes
from provkit.builders.domains.code.tasks import CodeTasks
from provkit.builders.domains.numbers import NumberPrompts
from provkit.chance import Chance
from provkit.recipe import Recipe

TARGET = 30  # seconds
SHARES = {"dishonest-mixture": {"questions": 0.02}}  # rows of a source beside those of the first


def answers() -> Iterator[dict[str, Any]]:
    """Number prompts, each with an answer of ten numbers in it as a model may write one."""
    chance = random.Random(7)
    for prompt in NumberPrompts(limit=False).generate(Chance.of(1)):
        numbers = ", ".join(str(chance.randrange(1000)) for _ in range(chance.randint(5, 10)))
        yield {"messages": [*prompt["messages"], {"role": "assistant", "content": numbers}]}


def chats() -> Iterator[dict[str, Any]]:
    """Chat rows of code."""
    yield from CodeTasks().generate(Chance.of(1))


FORMS = {"number-transfer": answers, "import-messages": chats}


def asks(recipe: Recipe) -> bool:
    """Whether a recipe has a step that asks a language model."""
    return any(hasattr(step.builder(), "ask") for step in recipe.all_steps)


def settings(name: str, recipe: Recipe, rows: int, scratch: Path) -> list[str]:
    """The `--set` values with which a recipe is as large as asked for."""
    found = []
    for source, one in recipe.sources.items():
        if one.generator is not None:
            found.append(f"sources.{source}.rows={int(rows * SHARES.get(name, {}).get(source, 1.0))}")
        elif one.input is not None:
            path = scratch / f"{name}.jsonl"
            with path.open("w", encoding="utf-8") as file:
                file.writelines(json.dumps(row) + "\n" for row in islice(FORMS[name](), rows))
            found.append(f"{source}={path}")
    return [part for setting in found for part in ("--set", setting)]


def main() -> None:
    """Prints a line a recipe."""
    known = {name: recipes.find(name).recipe() for name in recipes.names()}
    offline = [name for name, recipe in known.items() if not asks(recipe)]
    parser = argparse.ArgumentParser()
    parser.add_argument("names", nargs="*", default=offline)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--workers", default="2")
    parser.add_argument("--runs", type=int, default=1)
    asked = parser.parse_args()
    print("| recipe | rows | arms | seconds | target | CPU s | peak MB | load |")
    print("|---|---:|---:|---:|---:|---:|---:|---:|", flush=True)
    for name in asked.names:
        with tempfile.TemporaryDirectory() as folder:
            scratch, load, runs = Path(folder), os.getloadavg()[0], list[Run]()
            told = settings(name, known[name], asked.rows, scratch)
            for _ in range(asked.runs):
                command = ["build", name, *told, "-o", scratch / "out", "--fresh", "--quiet"]
                runs.append(provkit(*command, "--workers", asked.workers))
        seconds, cpu = (statistics.median(getattr(run, field) for run in runs) for field in ("seconds", "cpu"))
        peak = max(run.megabytes for run in runs)
        arms = len(known[name].arms) or 1
        print(
            f"| {name} | {asked.rows:,} | {arms} | {seconds:.1f} | {TARGET} | {cpu:.1f} | {peak:,.0f} | {load:.1f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
