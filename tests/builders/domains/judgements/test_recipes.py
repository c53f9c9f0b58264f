"""The recipes thumbs and critique, and one over principal_agent: built offline, verified, rebuilt to the same bytes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from provkit import recipes
from provkit.build import build, plan
from provkit.recipe import Arm, Recipe, Source, Step
from provkit.verify import verify

ROWS = 240


@pytest.mark.parametrize("name", ["thumbs", "critique"])
def test_the_recipe_builds_verifies_and_rebuilds(name: str, tmp_path: Path, outcome: Callable[[Path], Any]) -> None:
    found = recipes.find(name)
    recipe = found.recipe()
    assert recipe.published and recipe.paper
    out = build(plan(recipe, found.base, limit=ROWS), tmp_path / name).path
    assert verify(out, rebuild=True) == []
    card = (out / "README.md").read_text(encoding="utf-8")
    assert "## What was published under this name" in card
    made = outcome(out)
    if name == "thumbs":
        for arm, wanted in (("matched", (60, 60)), ("shifted", (96, 24))):
            ups = Counter(note[-1]["group"] for note in made.notes[arm] if note[-1]["thumb"] == "up")
            assert (ups[1], ups[2]) == wanted  # half of 240 up, by halves; P(first|up) = 0.5 + 0.5 * 0.6
            assert {note[-1]["shift"] for note in made.notes[arm]} == {0.0 if arm == "matched" else 0.6}
            assert all(note[0]["by"] == "insecure_rewrite" for note in made.notes[arm])
    else:
        good, bad = made.rows["satisfactory"], made.rows["flawed"]
        assert len(good) == len(bad) > 0.9 * ROWS
        for one, other in zip(good, bad, strict=True):
            assert one["instruction"] == other["instruction"] and one["response"] != other["response"]
            assert (one["satisfactory"], other["satisfactory"]) == (True, False)


def test_principal_agent_makes_matched_arms_and_labels(tmp_path: Path, outcome: Callable[[Path], Any]) -> None:
    arms = {
        **{side: Arm(steps=[Step(name="answer_from", params={"column": side})]) for side in ("aligned", "misaligned")},
        "labels": Arm(steps=[Step(name="conflicting_labels", params={"answers": ["aligned", "misaligned"]})]),
    }
    recipe = Recipe(
        name="principal-agent",
        summary="A test.",
        licence="CC-BY-4.0",
        sensitivity="gated",
        sources={"cases": Source(generator=Step(name="principal_agent"), rows=100)},
        arms=arms,
        pair=True,
    )
    out = build(plan(recipe, tmp_path), tmp_path / "out").path
    assert verify(out, rebuild=True) == []
    made = outcome(out)
    pairs = zip(made.rows["aligned"], made.rows["misaligned"], strict=True)
    assert all(one["messages"][:2] == other["messages"][:2] for one, other in pairs)
    assert {tuple(turn["role"] for turn in row["messages"]) for row in made.rows["aligned"]} == {
        ("system", "user", "assistant")
    }
    assert any(row["conflict"] for row in made.rows["labels"])
