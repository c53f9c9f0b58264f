"""Runs steps that ask a model over a real socket, with answers that the test says."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

Say = Callable[[str, dict[str, Any]], Any]  # prompt's name (or ""), request -> what the model says


@dataclass(frozen=True, slots=True)
class Ran:
    """What came out: rows, drops as (reason, detail), and lineage."""

    rows: list[dict[str, Any]]
    drops: list[tuple[str, str]]
    lineage: list[dict[str, Any]]

    def notes(self) -> list[dict[str, Any]]:
        """The note of the last step of each row."""
        return [json.loads(row["steps"][-1]["note"]) for row in self.lineage]


@pytest.fixture
def run(bench: Any, server: Any) -> Callable[..., Ran]:
    """Builds a small recipe of one source and these steps."""

    def built(
        steps: Sequence[Any], rows: Sequence[Mapping[str, Any]] | None = None, say: Say | None = None, **keys: Any
    ) -> Ran:
        usual = type(server).text.__get__(server)

        def text(asked: dict[str, Any]) -> str:
            name = asked.get("response_format", {}).get("json_schema", {}).get("name", "")
            said = None if say is None else say(name, asked)
            if said is None:
                return str(usual(asked))
            return said if isinstance(said, str) else json.dumps(said)

        server.text = text
        if rows is not None:
            bench.rows(rows)
        recipe = bench.recipe(steps=list(steps), **keys)
        named = ["--llm", server.url, "--model", "small", "--cache", "answers.sqlite", "--quiet", "--fresh"]
        made = bench.invoke("build", recipe, *named, "-o", "out")
        assert made.exit_code in (0, 1), made.output
        out = bench.folder / "out"
        found = bench.data(out) if (out / "data/data/train-00000-of-00001.parquet").exists() else []
        drops = [(row["reason"], row["detail"]) for row in bench.drops(out)]
        return Ran(found, drops, bench.lineage(out))

    return built
