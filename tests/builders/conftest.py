"""Builds over rows at hand: what comes out, what is dropped, and whether the build is whole and can be made again."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import orjson
import pyarrow.parquet as pq
import pytest

from provkit.build import build, plan
from provkit.recipe import Recipe
from provkit.verify import verify

OWN = ("row_id", "pair_id", "canary")
Content = dict[str, Any]


@dataclass(frozen=True)
class Made:
    """A build: content and lineage of each arm in order, the drops, and what each step counted."""

    path: Path
    arms: dict[str, list[Content]]
    lineage: dict[str, list[Content]]
    drops: list[Content]
    counts: list[Any]

    @property
    def rows(self) -> list[Content]:
        """The rows of the only arm."""
        return self.arms["data"]

    def notes(self, step: str, arm: str = "data") -> list[Any]:
        """The note of one step on each row: None where it did not change the row, a mapping where it is one."""
        found = []
        for row in self.lineage[arm]:
            note = next((one["note"] or "" for one in row["steps"] if one["step"] == step), None)
            found.append(orjson.loads(note) if note and note.startswith("{") else note)
        return found

    def sources(self, arm: str = "data") -> list[int]:
        """The index of each row's first parent."""
        return [row["parents"][0]["index"] for row in self.lineage[arm]]

    def reasons(self) -> list[tuple[int, str, str]]:
        """Index of the source row, reason and detail of each drop."""
        return [(one["parents"][0]["index"], one["reason"], one["detail"]) for one in self.drops]


Make = Callable[..., Made]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Builds a recipe over rows: `make(rows, steps)`, or with `sources={name: rows}` and `arms`."""
    numbers = count()

    def run(
        rows: Sequence[Content] = (),
        steps: Sequence[Any] = (),
        *,
        sources: Mapping[str, Sequence[Content]] | None = None,
        arms: Mapping[str, Any] | None = None,
        pair: bool = False,
        seed: int = 42,
        check: bool = True,
    ) -> Made:
        folder = tmp_path / str(next(numbers))
        folder.mkdir()
        for name, some in (sources or {"data": rows}).items():
            (folder / f"{name}.jsonl").write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in some))
        recipe = Recipe.model_validate(
            {
                "name": "tried",
                "summary": "Rows at hand.",
                "licence": "CC0-1.0",
                "sensitivity": "open",
                "seed": seed,
                "sources": {name: {"files": f"{name}.jsonl"} for name in (sources or {"data": rows})},
                "steps": list(steps),
                "arms": dict(arms or {"data": []}),
                "pair": pair,
            }
        )
        out = folder / "out"
        built = build(plan(recipe, folder), out)
        if check:
            assert verify(out, sorted(folder.glob("*.jsonl")), rebuild=True) == []
        return read(out, built.counts)

    return run


@pytest.fixture(scope="session")
def read_build() -> Callable[[Path], Made]:
    """Reads a build directory as `make` does."""
    return read


def read(out: Path, counts: Sequence[Any] = ()) -> Made:
    """A build directory as plain data."""
    lineage: dict[str, list[Content]] = {}
    for row in pq.read_table(out / "lineage/rows.parquet").to_pylist():
        lineage.setdefault(row["arm"], []).append(row)
    arms = {
        arm: [
            {name: value for name, value in row.items() if name not in OWN}
            for split in dict.fromkeys(row["split"] for row in rows)
            for row in pq.read_table(out / f"data/{arm}/{split}-00000-of-00001.parquet").to_pylist()
        ]
        for arm, rows in lineage.items()
    }
    return Made(out, arms, lineage, pq.read_table(out / "lineage/drops.parquet").to_pylist(), list(counts))
