"""Pairs of one axiom and like length, in even shares, each with the lineage of both its rows."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from provkit.builders.litmus.match import LitmusMatch, Member

ARMS = {side: [{"litmus_side": {"label": side}}] for side in ("safe", "unsafe")}


def row(length: int, label: str, axiom: str = "A", source: str = "s", pair: str | None = None) -> dict[str, Any]:
    text = f"{label[0]}{length} ".ljust(length, "x")
    return {"input": text, "axiom": axiom, "safety_label": label, "source_dataset": source, "pair": pair}


def test_twins_share_axiom_and_length_and_both_are_parents(make: Callable[..., Any]) -> None:
    rows = [row(100, "safe"), row(20, "safe"), row(95, "unsafe"), row(50, "unsafe"), row(20, "unsafe", "B")]
    made = make(rows, ["litmus_match"], arms=ARMS, pair=True)
    assert [len(made.arms[side]) for side in ("safe", "unsafe")] == [1, 1]
    assert (made.arms["safe"][0]["input"], made.arms["unsafe"][0]["input"]) == (rows[0]["input"], rows[2]["input"])
    assert [one["index"] for one in made.lineage["safe"][0]["parents"]] == [0, 2]
    assert {(at, reason) for at, reason, _ in made.reasons()} == {
        (1, "no match"), (2, "joined"), (3, "no match"), (4, "no match")
    }  # fmt: skip
    assert (2, "joined", "the unsafe twin of data.jsonl:1") in made.reasons()


def test_given_pairs_come_first_then_one_source_then_any(make: Callable[..., Any]) -> None:
    rows = [
        row(40, "safe", source="a", pair="7"), row(41, "unsafe", source="a"),
        row(42, "unsafe", source="b", pair="7"), row(40, "safe", source="a"), row(43, "safe", source="c"),
        row(44, "unsafe", source="d"),
    ]  # fmt: skip
    made = make(rows, [{"litmus_match": {"balance": False}}])
    assert [(one["safe"], one["unsafe"], one["pairing"]) for one in made.rows] == [
        (rows[0]["input"], rows[2]["input"], "given"),
        (rows[3]["input"], rows[1]["input"], "matched in source"),
        (rows[4]["input"], rows[5]["input"], "matched"),
    ]
    assert [(one["safe_source"], one["unsafe_source"]) for one in made.rows] == [("a", "b"), ("a", "a"), ("c", "d")]


@pytest.mark.parametrize("seed", range(6))
def test_no_matching_has_more_pairs(seed: int) -> None:
    """Against every assignment of up to six safe rows to six unsafe ones."""
    chance = np.random.default_rng(seed)
    step = LitmusMatch(tolerance=0.2)
    members = [
        Member(at, "A", ("safe", "unsafe")[at % 2], "s", None, int(chance.integers(10, 40)))
        for at in range(int(chance.integers(6, 13)))
    ]
    safe, unsafe = ([one for one in members if one.label == side] for side in ("safe", "unsafe"))
    few, many = sorted((safe, unsafe), key=len)
    most = max(
        sum(step.alike(one.length, other.length) for one, other in zip(few, chosen, strict=True))
        for chosen in itertools.permutations(many, len(few))
    )
    found = step.by_length(members)
    assert len(found) == most
    assert len({at for pair in found for at in (pair[0].at, pair[1].at)}) == 2 * len(found)
    assert all(step.alike(one.length, other.length) for one, other in found)


def test_every_axiom_keeps_as_many_pairs_in_turn_from_its_sources(make: Callable[..., Any]) -> None:
    rows = [row(30 + at, side, "A", source) for at in range(20) for side in ("safe", "unsafe") for source in ("s", "t")]
    rows += [row(60 + at, side, "B") for at in range(6) for side in ("safe", "unsafe")]
    made = make(rows, ["litmus_match"])
    assert Counter(one["axiom"] for one in made.rows) == {"A": 6, "B": 6}
    assert Counter(one["safe_source"] for one in made.rows if one["axiom"] == "A") == {"s": 3, "t": 3}
    assert Counter(reason for _, reason, _ in made.reasons()) == {"joined": 12, "over the share": 68}
    assert Counter(one["axiom"] for one in make(rows, [{"litmus_match": {"per_axiom": 2}}]).rows) == {"A": 2, "B": 2}
    assert len(make(rows, [{"litmus_match": {"balance": False}}]).rows) == 46


def test_a_row_that_is_a_pair_must_keep_the_tolerance_and_frames_pass(make: Callable[..., Any]) -> None:
    base = {"axiom": "A", "safe_source": "h", "unsafe_source": "h", "question": None}
    pairs = [
        {"safe": "x" * 20, "unsafe": "y" * 21, "frame": None, **base},
        {"safe": "x" * 20, "unsafe": "y" * 40, "frame": None, **base},
        {"safe": "a" * 20, "unsafe": "b" * 90, "frame": "f", **base},
    ]
    made = make(pairs, ["litmus_match"])
    assert made.sources() == [0, 2]
    assert made.reasons() == [(1, "lengths differ", "20 and 40 characters")]


def test_length_tells_nothing_after_matching(make: Callable[..., Any]) -> None:
    """Safe rows of 20 to 220 characters, unsafe ones of 120 to 320: what is left differs by the tolerance at most."""
    chance = np.random.default_rng(3)
    rows = [row(int(chance.integers(20, 220)), "safe") for _ in range(300)]
    rows += [row(int(chance.integers(120, 320)), "unsafe") for _ in range(300)]
    made = make(rows, ["litmus_match"])
    lengths = [(len(one["safe"]), len(one["unsafe"])) for one in made.rows]
    assert len(lengths) > 100 and all(abs(a - b) <= 0.1 * max(a, b) for a, b in lengths)
