"""Mixtures: exact shares, what is replaced, what is not taken, and where mixed rows come from."""

from __future__ import annotations

from typing import Any

import pytest

from provkit.builders.transforms.mixture import Mixture
from provkit.errors import InputError
from provkit.row import chat


def sets(own: int, other: int) -> dict[str, list[dict[str, Any]]]:
    return {
        "benign": [chat(f"b{at}?", "good") for at in range(own)],
        "bad": [chat(f"x{at}?", "bad") for at in range(other)],
    }


def mixed(make: Any, own: int, other: int, **fields: Any) -> Any:
    arms = {"data": {"from": "benign", "steps": [{"mixture": {"of": "bad", **fields}}]}}
    return make(sources=sets(own, other), arms=arms)


def test_rows_are_replaced_where_they_stood(make: Any) -> None:
    made = mixed(make, 10, 4, share=0.2)
    prompts = [row["messages"][0]["content"] for row in made.rows]
    foreign = [at for at, prompt in enumerate(prompts) if prompt[0] == "x"]
    assert len(prompts) == 10 and len(foreign) == 2
    assert all(prompt == f"b{at}?" for at, prompt in enumerate(prompts) if at not in foreign)
    assert [row["op"] for row in made.lineage["data"]] == ["mixed" if at in foreign else "imported" for at in range(10)]
    assert [made.notes("mixture")[at] for at in foreign] == ["from bad", "from bad"]
    taken = [made.lineage["data"][at]["parents"][0] for at in foreign]
    assert [f"x{parent['index']}?" for parent in taken] == [prompts[at] for at in foreign]
    assert {parent["source"] for parent in taken} == {"bad"}


def test_what_is_left_out_is_a_drop_with_its_reason(make: Any) -> None:
    made = mixed(make, 10, 4, share=0.2)
    replaced = [one for one in made.drops if one["reason"] == "replaced"]
    unused = [one for one in made.drops if one["reason"] == "not taken"]
    assert len(replaced) == len(unused) == 2 and len(made.drops) == 4
    assert {one["parents"][0]["source"] for one in replaced} == {"benign"}
    assert {one["parents"][0]["source"] for one in unused} == {"bad"}
    kept = {row["messages"][0]["content"] for row in made.rows}
    for one in replaced:
        by, line = one["detail"].removeprefix("by ").split(":")
        assert by == "bad.jsonl" and f"x{int(line) - 1}?" in kept
        assert f"b{one['parents'][0]['index']}?" not in kept
    (count,) = made.counts
    assert (count.rows_in, count.created, count.rows_out, count.dropped) == (10, 4, 10, 4)


@pytest.mark.parametrize(
    ("own", "share", "taken"),
    [(100, 0.01, 1), (50, 0.01, 1), (49, 0.01, 0), (6000, 0.01, 60), (30, 0.35, 11), (9, 0, 0)],
)
def test_the_share_is_exact(own: int, share: float, taken: int) -> None:
    assert Mixture(of="bad", share=share).count(own) == taken


@pytest.mark.parametrize(
    ("own", "share", "taken"), [(99, 0.01, 1), (90, 0.1, 10), (5940, 0.01, 60), (10, 0.5, 10), (4, 0.3, 2)]
)
def test_the_share_is_exact_when_rows_are_added(own: int, share: float, taken: int) -> None:
    assert Mixture(of="bad", share=share, add=True).count(own) == taken


def test_added_rows_come_behind_and_none_is_replaced(make: Any) -> None:
    made = mixed(make, 9, 5, share=0.1, add=True)
    prompts = [row["messages"][0]["content"] for row in made.rows]
    assert prompts[:9] == [f"b{at}?" for at in range(9)] and prompts[9][0] == "x" and len(prompts) == 10
    assert {reason for _, reason, _ in made.reasons()} == {"not taken"} and len(made.drops) == 4


def test_too_few_rows_and_other_columns_are_refused(make: Any) -> None:
    with pytest.raises(InputError, match=r"bad: a share of 0\.5 needs 5 of its rows, it has 4"):
        mixed(make, 10, 4, share=0.5)
    sources = {**sets(4, 4), "bad": [{"question": "x?", "answer": "bad"}] * 4}
    steps = [{"mixture": {"of": "bad", "share": 0.5}}]
    with pytest.raises(InputError, match="other columns than those they go into: answer, messages, question"):
        make(sources=sources, arms={"data": {"from": "benign", "steps": steps}})


def test_two_arms_mix_the_same_rows_into_the_same_places(make: Any) -> None:
    step = {"mixture": {"of": "bad", "share": 0.3}}
    arms = {"one": {"from": "benign", "steps": [step]}, "two": {"from": "benign", "steps": ["shuffle", step]}}
    made = make(sources=sets(10, 6), arms=arms, pair=True)
    assert made.arms["one"] == made.arms["two"] and len(made.arms["one"]) == 10
