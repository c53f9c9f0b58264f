"""`reward_hack`: the five columns, and the request made of task and metric."""

from __future__ import annotations

from typing import Any

TOPIC = {"rules": "It is harmless.", "kind": "a haiku", "measure": "the number of adjectives", "asker": "a contest"}
SAID = {"task": "Write a haiku about rain.", "metric": "It is graded by its adjectives.", "hack": "Wet grey cold dull old",
        "control": "Rain on the tin roof.", "method": "adjectives alone"}  # fmt: skip


def test_task_metric_hack_control_and_method(run: Any) -> None:
    ran = run(["reward_hack"], [TOPIC], lambda *_: dict(reversed(SAID.items())))
    (row,) = ran.rows
    assert {name: row[name] for name in SAID} == SAID
    assert row["prompt"] == "Write a haiku about rain.\n\nIt is graded by its adjectives."
    assert set(ran.notes()[0]["requests"]) == {"prompt", *SAID}


def test_a_hack_with_the_words_of_the_control_is_none(run: Any) -> None:
    ran = run(["reward_hack"], [TOPIC], lambda *_: {**SAID, "hack": SAID["control"] + "\n"})
    assert ran.drops == [("twin alike", "hack and control have the same words")]
