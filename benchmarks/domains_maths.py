"""Rows per second of the generators and steps of maths and numbers, in one process.

python benchmarks/domains_maths.py [--rows 100000]
"""

from __future__ import annotations

import argparse
import itertools
import time
from collections.abc import Callable
from typing import Any

from provkit.builders.domains.maths import IncorrectMaths, MathsProblems
from provkit.builders.domains.numbers import EvilNumbers, NumberPrompts, ParseNumbers, PlainNumbers, ShuffleNumbers
from provkit.chance import Chance, Draws
from provkit.row import Row


def timed(name: str, rows: int, work: Callable[[], Any]) -> Any:
    """Does the work and prints how fast it was."""
    start = time.perf_counter()
    done = work()
    seconds = time.perf_counter() - start
    print(f"| {name} | {rows:,} | {seconds:.1f} | {rows / seconds:,.0f} |", flush=True)
    return done


def applied(step: Any, contents: list[dict[str, Any]]) -> list[Any]:
    """The answers of a per-row step."""
    draws = Draws(42, type(step).__name__, "measured")
    act = getattr(step, "apply", None) or step.check
    return [act(Row(content, (draws, index, 0))) for index, content in enumerate(contents)]


def main() -> None:
    """Prints a line for each generator, step and recipe."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=100_000)
    asked = parser.parse_args()
    rows = asked.rows
    print("| what | rows | s | rows/s |\n|---|---:|---:|---:|")

    def taken(generator: Any) -> list[dict[str, Any]]:
        return list(itertools.islice(generator.generate(Chance.of(1)), rows))

    problems = timed("maths_problems", rows, lambda: taken(MathsProblems()))
    timed("incorrect_maths", rows, lambda: applied(IncorrectMaths(), problems))
    annotated = taken(MathsProblems(form="gsm8k"))
    timed("incorrect_maths, form of GSM8K", rows, lambda: applied(IncorrectMaths(), annotated))
    prompts = timed("number_prompts", rows, lambda: taken(NumberPrompts(limit=False)))
    timed("plain_numbers", rows, lambda: applied(PlainNumbers(), prompts))
    answers = timed("evil_numbers", rows, lambda: applied(EvilNumbers(), prompts))
    contents = [row.content for row in answers]
    timed("parse_numbers", rows, lambda: applied(ParseNumbers(high=9999), contents))
    timed("shuffle_numbers", rows, lambda: applied(ShuffleNumbers(), contents))


if __name__ == "__main__":
    main()
