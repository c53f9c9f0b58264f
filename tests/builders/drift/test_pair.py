"""Where a twin comes from, what stands beside it, and what is left over."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from provkit.errors import InputError

STEPS = ["drift_import", "drift_dedup", "drift_pair"]
SHOWN = ("prompt", "twin", "twin_id", "twin_completion", "twin_verdict", "twin_by")


def row(prompt: str, category: str = "hate", **more: Any) -> dict[str, Any]:
    names = ("id", "completion", "verdict", "defence", "pair", "twin", "twin_completion", "twin_verdict")
    return {"prompt": prompt, "category": category, **dict.fromkeys(names), **more}


def shown(made: Any) -> list[tuple[Any, ...]]:
    return [tuple(one[name] for name in SHOWN) for one in made.rows]


def test_a_given_twin_comes_first_then_one_pair_then_the_nearest(make: Callable[..., Any]) -> None:
    rows = [
        row("how to harm a lamp", twin="How to mend a lamp", twin_completion="So.", twin_verdict="helpful"),
        row("how to harm a chair", pair="k"),
        row("how to harm a desk"),
        row("zzz", "benign", id="z", pair="k", completion="Well."),
        row("how to use a bench", "benign", id="b", completion="Sit."),
        row("how to love a desk", "benign", id="d", verdict="refused"),
    ]
    made = make(rows, STEPS)
    assert shown(made) == [
        ("how to harm a lamp", "How to mend a lamp", made.rows[0]["twin_id"], "So.", "helped", "given"),
        ("how to harm a chair", "zzz", "z", "Well.", None, "given"),
        ("how to harm a desk", "how to love a desk", "d", None, "refused", "nearest"),
    ]
    assert [[one["index"] for one in line["parents"]] for line in made.lineage["data"]] == [[0], [1, 3], [2, 5]]
    # 4 words in common (how, to, a, desk) of 6
    assert made.notes("drift_pair")[2] == {"twin": "nearest", "characters": [18, 18], "similarity": 0.6667}
    assert made.reasons() == [
        (3, "joined", "twin of data.jsonl:2"),
        (4, "not taken", "no harmful prompt of like length was left for it"),
        (5, "joined", "twin of data.jsonl:3"),
    ]


def test_beside_each_recording_stands_that_of_the_twin_under_the_same_defence(make: Callable[..., Any]) -> None:
    rows = [
        row("harm a lamp", completion="h0"),
        row("harm a lamp", completion="h1", defence="shield"),
        row("harm a lamp", completion="h2", defence="cbd"),
        row("mend a lamp", "benign", completion="b1", defence="shield"),
        row("mend a lamp", "benign", completion="b3", defence="other"),
    ]
    made = make(rows, STEPS)
    assert [(one["completion"], one["twin_completion"], one["twin"]) for one in made.rows] == [
        ("h0", None, "mend a lamp"), ("h1", "b1", "mend a lamp"), ("h2", None, "mend a lamp"),
    ]  # fmt: skip
    assert made.reasons() == [
        (3, "joined", "twin of data.jsonl:1"), (4, "no recording beside it", "twin of data.jsonl:1"),
    ]  # fmt: skip


def test_a_prompt_without_a_twin_is_dropped(make: Callable[..., Any]) -> None:
    rows = [
        row("harm a lamp"),
        row("harm a lamp and a chair and a desk and a door and a wall"),
        row("harm one", twin="Harm a  lamp"),
        row("harm two", twin="mend"),
        row("harm three", twin="Mend"),
        row("mend a lamp", "benign"),
    ]
    made = make(rows, STEPS)
    assert [one["prompt"] for one in made.rows] == ["harm a lamp", "harm two"]
    assert made.reasons() == [
        (1, "no twin", "no benign prompt is left within 25% of 56 characters"),
        (2, "twin not benign", "its twin is a harmful prompt of the set"),
        (4, "twin taken", "another prompt has the same twin"),
        (5, "joined", "twin of data.jsonl:1"),
    ]


def test_without_any_benign_prompt_it_says_what_is_missing(make: Callable[..., Any]) -> None:
    with pytest.raises(InputError, match="no benign prompt to pair with"):
        make([row("harm a lamp")], STEPS)
