"""`accept`: exactly so many rows, the same ones whatever came first, and the reasons of all others."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from provkit.builders.teacher.accept import Accept
from provkit.recipe import Step

INNER = [{"judge": {"prompt": "judge_advice", "most": 50}}]


def rows(count: int) -> list[dict[str, str]]:
    return [{"field": "tea", "prompt": f"Question {n}?", "misaligned": f"Answer {n}."} for n in range(count)]


def judged(bad: Any) -> Any:
    """A judge that finds some answers good: those are judged out."""

    def say(name: str, asked: dict[str, Any]) -> dict[str, Any]:
        number = int(asked["messages"][-1]["content"].split("Answer ")[1].rstrip("."))
        return {"score": 10 if bad(number) else 90, "why": "So."}

    return say


def test_exactly_so_many_come_through_and_no_more_are_asked_about_than_needed(run: Any, server: Any) -> None:
    """Odd answers are bad: of 0..5 three stay, of 6..8 one, of 9 and 10 one, and 11 is the sixth."""
    ran = run([{"accept": {"rows": 6, "at_most": 20, "steps": INNER}}], rows(20), judged(lambda number: number % 2))
    assert [row["prompt"] for row in ran.rows] == [f"Question {number}?" for number in (1, 3, 5, 7, 9, 11)]
    assert server.total == 12
    assert Counter(reason for reason, _ in ran.drops) == {"judged out": 6, "not needed": 8}


def test_which_rows_are_accepted_does_not_depend_on_who_answers_first(run: Any, server: Any) -> None:
    step = {"accept": {"rows": 6, "at_most": 20, "steps": INNER}}
    first = run([step], rows(20), judged(lambda number: number % 3))
    server.delay = lambda number: 0.03 * (7 * number % 5)
    assert run([step], rows(20), judged(lambda number: number % 3)).rows == first.rows


@pytest.mark.parametrize(("at_most", "asked"), [(8, 8), (30, 10)])
def test_too_few_says_how_many_and_why(bench: Any, run: Any, at_most: int, asked: int) -> None:
    with pytest.raises(AssertionError) as caught:
        run([{"accept": {"rows": 4, "at_most": at_most, "steps": INNER}}], rows(10), judged(lambda number: number < 2))
    said = f"2 of 4 rows accepted out of {asked} candidates; the others: {asked - 2} judged out"
    assert said in str(caught.value)
    assert not (bench.folder / "out").exists()


def test_the_note_has_what_each_step_noted(run: Any) -> None:
    steps = ["aligned_twin", *INNER]
    ran = run([{"accept": {"rows": 1, "at_most": 1, "steps": steps}}], [{**rows(1)[0], "adviser": "cook"}])
    (note,) = ran.notes()
    assert note["score"] == 10 and note["requests"].keys() == {"aligned"} and len(note["judged"]) == 64


@pytest.mark.parametrize(
    ("changes", "said"),
    [({"at_most": 1}, "at_most 1 is below rows 2"), ({"steps": [Step(name="shuffle")]}, "does not ask a model")],
)
def test_what_cannot_be_is_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Accept(**{"rows": 2, "at_most": 4, "steps": [Step(name="aligned_twin")], **changes})
