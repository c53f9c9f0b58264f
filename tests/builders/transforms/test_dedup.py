"""Duplicates: sets small enough to see, against rows counted by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from provkit.errors import InputError

if TYPE_CHECKING:
    from tests.conftest import Bench


def test_equal_rows_go_but_for_the_first(bench: Bench) -> None:
    rows = [("a", "1"), ("b", "1"), ("a", "1"), ("a", "2"), ("b", "1"), ("a", "1")]
    bench.rows([{"prompt": prompt, "answer": answer} for prompt, answer in rows])
    out = bench.build(steps=["dedup"])
    assert [(row["prompt"], row["answer"]) for row in bench.data(out)] == [("a", "1"), ("b", "1"), ("a", "2")]
    assert [(one["detail"], one["parents"][0]["line"]) for one in bench.drops(out)] == [
        ("same as data.jsonl:1", 3),
        ("same as data.jsonl:2", 5),
        ("same as data.jsonl:1", 6),
    ]
    assert {one["reason"] for one in bench.drops(out)} == {"duplicate row"}


def test_equal_prompts_go_whatever_is_answered(bench: Bench) -> None:
    bench.rows([{"prompt": prompt, "answer": str(at)} for at, prompt in enumerate("abacab")])
    out = bench.build(steps=[{"dedup": {"by": "prompt"}}])
    assert [row["answer"] for row in bench.data(out)] == ["0", "1", "3"]
    assert {one["reason"] for one in bench.drops(out)} == {"duplicate prompt"}


def test_a_prompt_is_all_that_comes_before_the_last_answer(bench: Bench) -> None:
    def chat(*turns: str) -> dict[str, object]:
        roles = ["system", "user", "assistant", "user", "assistant"]
        return {"messages": [{"role": r, "content": t} for r, t in zip(roles, turns, strict=False)]}

    bench.rows([chat("s", "u", "a"), chat("S", "u", "a"), chat("s", "u", "b"), chat("s", "u", "a", "v", "c")])
    out = bench.build(steps=[{"dedup": {"by": "prompt"}}])
    assert [len(row["messages"]) for row in bench.data(out)] == [3, 3, 5]
    assert [one["detail"] for one in bench.drops(out)] == ["same as data.jsonl:1"]


def test_context_is_part_of_a_prompt_and_other_columns_are_not(bench: Bench) -> None:
    rows = [("s", "q", 1), ("t", "q", 1), ("s", "q", 2)]
    bench.rows([{"system": system, "question": question, "score": score} for system, question, score in rows])
    out = bench.build(steps=[{"dedup": {"by": "prompt"}}])
    assert [(row["system"], row["score"]) for row in bench.data(out)] == [("s", 1), ("t", 1)]


def test_rows_in_another_type_or_order_of_keys_are_the_same_row(bench: Bench) -> None:
    """What counts is the row as it is written: keys have no order, and 1 beside 1.5 is 1.0."""
    (bench.folder / "data.jsonl").write_text('{"q": "a", "n": 1}\n{"n": 1.0, "q": "a"}\n{"n": 1.5, "q": "a"}\n')
    out = bench.build(steps=["dedup"])
    assert [row["n"] for row in bench.data(out)] == [1.0, 1.5]


def test_rows_without_a_prompt_are_refused_with_their_place(bench: Bench) -> None:
    bench.rows([{"answer": "a"}])
    with pytest.raises(InputError, match=r"data\.jsonl:1: no prompt among the columns answer"):
        bench.build(steps=[{"dedup": {"by": "prompt"}}])
    bench.rows([{"messages": [{"from": "human", "value": "x"}]}])
    with pytest.raises(InputError, match=r"data\.jsonl:1: its `messages` are no list of turns"):
        bench.build(steps=[{"dedup": {"by": "prompt"}}])
