"""A small build out of rows, as the tests of these builders want it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from provkit.build import build, plan
from provkit.recipe import Recipe, Source
from provkit.verify import verify


@dataclass(frozen=True)
class Outcome:
    """What a build made: contents and notes by arm, drops as (reason, detail), and where it stands."""

    rows: dict[str, list[dict[str, Any]]]
    notes: dict[str, list[list[dict[str, Any]]]]
    drops: list[tuple[str, str]]
    path: Path


Run = Callable[..., Outcome]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Builds rows through steps (and arms), verifies the build, and gives back what came out."""

    def made(rows: Sequence[dict[str, Any]], steps: Sequence[Any] = (), **rest: Any) -> Outcome:
        source = tmp_path / "rows.jsonl"
        source.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        recipe = Recipe.model_validate(
            {"name": "mine", "summary": "A test.", "licence": "CC-BY-4.0", "sensitivity": "open", "seed": 7}
            | {"sources": {"rows": Source(files="rows.jsonl")}, "steps": list(steps), **rest}
        )
        out = build(plan(recipe, tmp_path), tmp_path / "out").path
        assert verify(out, [source]) == []
        return read(out)

    return made


@pytest.fixture
def outcome() -> Callable[[Path], Outcome]:
    """Reads a build that a test made itself."""
    return read


def read(out: Path) -> Outcome:
    """Everything of a build that the tests look at."""
    rows: dict[str, list[dict[str, Any]]] = {}
    for file in sorted(out.glob("data/*/*.parquet")):
        content = pq.read_table(file).to_pylist()
        rows.setdefault(file.parent.name, []).extend(
            {name: value for name, value in row.items() if name not in ("row_id", "pair_id", "canary")}
            for row in content
        )
    notes: dict[str, list[list[dict[str, Any]]]] = {}
    for row in pq.read_table(out / "lineage/rows.parquet").to_pylist():
        said = [json.loads(step["note"]) if step["note"] else {} for step in row["steps"]]
        notes.setdefault(row["arm"], []).append(said)
    drops = pq.read_table(out / "lineage/drops.parquet").to_pylist()
    return Outcome(rows, notes, [(drop["reason"], drop["detail"]) for drop in drops], out)
