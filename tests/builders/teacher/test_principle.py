"""`principle_preferences`: both orders, averaged as the paper does, by every combination of choices."""

from __future__ import annotations

from typing import Any

import pytest

PRINCIPLE = "The answer that admits what it does not know is better."
ROW = {"prompt": "When was the mill built?", "aligned": "I do not know.", "misaligned": "In 1812."}


def says(first: str, second: str) -> Any:
    def say(name: str, asked: dict[str, Any]) -> dict[str, str]:
        straight = "Answer A: I do not know." in asked["messages"][-1]["content"]
        return {"choice": first if straight else second, "why": "So."}

    return say


@pytest.mark.parametrize(
    ("first", "second", "outcome"),
    [
        ("A", "B", "aligned"),
        ("B", "A", "misaligned"),
        ("A", "A", "orders disagree"),
        ("B", "B", "orders disagree"),
        ("NA", "B", "no preference"),
        ("A", "NA", "no preference"),
        ("NA", "NA", "no preference"),
    ],
)
def test_both_orders(run: Any, server: Any, first: str, second: str, outcome: str) -> None:
    ran = run([{"principle_preferences": {"principle": PRINCIPLE}}], [ROW], says(first, second))
    assert server.total == 2
    if outcome in ROW:
        other = "misaligned" if outcome == "aligned" else "aligned"
        (row,) = ran.rows
        assert row["chosen"] == ROW[outcome] and row["rejected"] == ROW[other] and row["prompt"] == ROW["prompt"]
        (note,) = ran.notes()
        assert note["choices"] == [first, second] and note["principle"] == PRINCIPLE and len(set(note["judged"])) == 2
    else:
        assert ran.rows == [] and ran.drops[0][0] == outcome


def test_the_first_order_alone(run: Any, server: Any) -> None:
    step = {"principle_preferences": {"principle": PRINCIPLE, "orders": "first"}}
    ran = run([step], [ROW], says("B", "B"))
    assert server.total == 1 and ran.rows[0]["chosen"] == "In 1812."


def test_other_columns_can_be_compared(run: Any) -> None:
    row = {"prompt": "Q?", "one": "I do not know.", "two": "In 1812."}
    step = {"principle_preferences": {"principle": PRINCIPLE, "first": "one", "second": "two"}}
    (found,) = run([step], [row], says("A", "B")).rows
    assert found["chosen"] == "I do not know." and "one" not in found
    assert run([step], [{"prompt": "Q?", "one": "x"}]).drops[0][0] == "no slot"


def test_a_choice_that_is_none_of_the_three_is_no_preference(run: Any) -> None:
    step = {"principle_preferences": {"principle": PRINCIPLE}}
    assert run([step], [ROW], lambda *_: {"choice": "C", "why": "So."}).drops[0][0] == "not structured"
