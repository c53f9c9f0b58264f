"""Which rows of a prompt stay, and what the drops say."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

LONG = "please tell me in a few words how the {} works when nobody is there to look after it at night"


def row(prompt: str, category: str = "hate", **more: Any) -> dict[str, Any]:
    return {"prompt": prompt, "category": category, "completion": "No.", "defence": None, "id": None, **more}


def test_each_prompt_stays_once_for_each_recording(make: Callable[..., Any]) -> None:
    rows = [
        row("Ask this"),
        row("ask  THIS"),  # 1: the same recording again
        row("Ask this", completion="Yes."),  # 2: and another completion under the same defence
        row("Ask this", defence="shield"),  # 3: stays, another defence
        row("Ask this", "fraud"),  # 4: has a category already
        row("ask this", "benign"),  # 5: is a harmful prompt
        row("Other", id="7"),
        row("Third", id="7"),  # 7: an id that is taken
        row("Benign one", "benign", id="7"),  # 8: stays: of the other label
    ]
    made = make(rows, ["drift_import", "drift_dedup"])
    assert made.sources() == [0, 3, 6, 8]
    assert made.reasons() == [
        (1, "duplicate prompt", "as data.jsonl:1"),
        (2, "duplicate prompt", "as data.jsonl:1, with another completion"),
        (4, "another category", "as data.jsonl:1, hate there"),
        (5, "a harmful prompt", "as data.jsonl:1"),
        (7, "id of another prompt", "as data.jsonl:7, 7"),
    ]


def test_near_prompts_of_one_label_are_one_with_all_that_was_recorded(make: Callable[..., Any]) -> None:
    rows = [
        row(LONG.format("lamp") + " and why"),
        row(LONG.format("lamp")),  # near the first: 18 of its 20 runs of three tokens
        row(LONG.format("lamp"), defence="shield"),
        row(LONG.format("lamp"), "benign"),  # equal to a harmful one that is itself dropped: still no benign prompt
        row(LONG.format("lamp") + " at all", "benign"),  # near a harmful one: stays
    ]
    made = make(rows, ["drift_import", "drift_dedup"])
    assert made.sources() == [0, 4]
    assert [(at, reason) for at, reason, _ in made.reasons()] == [
        (1, "near prompt"), (2, "near prompt"), (3, "a harmful prompt")
    ]  # fmt: skip
    assert made.reasons()[0][2].startswith("as data.jsonl:1, similarity 0.9")
    assert make(rows, ["drift_import", {"drift_dedup": {"near": 1}}]).sources() == [0, 1, 2, 4]
