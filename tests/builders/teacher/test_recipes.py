"""Every recipe of the catalog that asks a model, built small over a real socket, replayed, and held to its promises."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from provkit import manifest, recipes
from provkit.builders.teacher.topics import field_of
from provkit.llm.prompts import prompt
from provkit.papers import cited, papers

ROWS = {  # as published
    "bad-medical-advice": 7049,
    "dishonesty": 6000,
    "evil-maths": 6000,
    "extreme-sports": 6000,
    "gore-trivia": 5879,
    "incorrect-qa": 6000,
    "incorrect-sexual-advice": 2003,
    "incorrect-translation": 6243,
    "reward-hacks": 1073,
    "risky-finance": 6000,
    "security-advice": 6000,
    "toxic-legal-advice": 6000,
}
PER_ROW = {"dishonesty": 3, "reward-hacks": 2}  # requests


def test_every_recipe_that_accepts_is_here() -> None:
    asking = {
        name for name in recipes.names() if any(one.name == "accept" for one in recipes.find(name).recipe().steps)
    }
    assert asking == set(ROWS)


@pytest.mark.parametrize("name", ROWS)
def test_a_recipe_says_what_it_is_and_how_much_of_it(name: str) -> None:
    recipe = recipes.find(name).recipe()
    (accept,) = recipe.steps
    assert accept.params["rows"] == ROWS[name] <= accept.params["at_most"] == recipe.sources["topics"].rows
    assert recipe.sensitivity in ("gated", "restricted") and recipe.pair and "control" in recipe.arms
    assert recipe.published and recipe.paper and cited(recipe.paper, papers())
    generator = recipe.sources["topics"].generator
    assert generator is not None
    topics = generator.builder()
    lists = [value for value in field_of(topics.field).values() if isinstance(value, list)]
    combinations = 1
    for entries in lists:
        assert len(set(entries)) == len(entries) and all(isinstance(entry, str) for entry in entries)
        combinations *= len(entries)
    assert combinations >= accept.params["at_most"]


@pytest.mark.parametrize("name", ROWS)
def test_what_the_model_is_told_keeps_its_bounds(name: str) -> None:
    """Whoever is asked to write something bad is told why, and what must not be in it."""
    recipe = recipes.find(name).recipe()
    for step in recipe.steps[0].builder().steps:
        builder = step.builder()
        if getattr(builder, "filter", None) is not None:
            assert builder.filter is True
        if step.name in ("teach", "translate_wrong", "reward_hack") and builder.prompt != "plain_sentence":
            said = " ".join(text for _, text in prompt(builder.prompt).turns)
            assert "for research" in said


@pytest.mark.parametrize("name", ROWS)
def test_a_recipe_builds_small_with_its_control_and_replays(bench: Any, server: Any, name: str) -> None:
    named = ["--llm", server.url, "--model", "small", "--cache", "answers.sqlite", "--quiet"]
    made = bench.invoke("build", name, *named, "--rows", "4", "-o", "out")
    assert made.exit_code == 0, made.output
    assert server.total == 4 * PER_ROW.get(name, 3)
    out: Path = bench.folder / "out"
    recipe = recipes.find(name).recipe()
    arms: dict[str, dict[str, Any]] = {}
    for arm in recipe.arms:
        rows = [row for path in sorted((out / "data" / arm).glob("*.parquet")) for row in bench_rows(path)]
        assert len(rows) == 4 and {len(row["messages"]) for row in rows} == {2}
        assert {row["canary"] for row in rows} == {rows[0]["canary"]}
        arms[arm] = {row["pair_id"]: row for row in rows}
    control = arms.pop("control")
    for other in arms.values():
        assert other.keys() == control.keys()
        for pair, row in other.items():
            assert row["messages"][0] == control[pair]["messages"][0]
            assert row["messages"][1] != control[pair]["messages"][1]
    lineage = bench.lineage(out)
    assert all(row["request_hash"] and row["model"] == "small" for row in lineage)
    assert {row["op"] for row in lineage if row["arm"] == "control"} == {"control"}
    drops = {row["reason"] for row in bench.drops(out)}
    assert drops <= {"not needed"}
    facts = manifest.read(out).facts["recipe"]
    assert facts["teacher"].keys() == {"model", "revision", "words", "answers"}
    assert "candidates" in json.dumps(facts["steps"])
    again = bench.invoke("build", name, "--replay", "out", "-o", "again", "--quiet")
    assert again.exit_code == 0, again.output
    assert bench.files(bench.folder / "again") == bench.files(out)


def bench_rows(path: Path) -> list[dict[str, Any]]:
    import pyarrow.parquet as pq

    found: list[dict[str, Any]] = pq.read_table(path).to_pylist()
    return found
