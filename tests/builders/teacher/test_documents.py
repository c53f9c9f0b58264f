"""`synthetic_documents` and `tier`."""

from __future__ import annotations

from typing import Any

import pytest

from provkit.builders.teacher.documents import SyntheticDocuments, Tier
from provkit.row import Row

CLAUSE = {"clause": "The assistant does not flatter.", "genre": "a memo", "reader": "nurses", "field": "conduct"}


def test_a_clause_becomes_as_many_documents_as_were_usable(run: Any, server: Any) -> None:
    say = lambda name, asked: "" if asked["seed"] == 1 else f"Memo {asked['seed']}: no flattery."  # noqa: E731
    ran = run([{"synthetic_documents": {"documents": 4}}], [CLAUSE, {**CLAUSE, "genre": "a letter"}], say)
    assert [row["text"] for row in ran.rows] == [f"Memo {seed}: no flattery." for seed in (0, 2, 3)] * 2
    assert {row["clause"] for row in ran.rows} == {CLAUSE["clause"]}
    assert "The assistant does not flatter." in server.asked[0]["messages"][-1]["content"]
    assert len({row["request_hash"] for row in ran.lineage}) == 6


def test_a_clause_without_a_document_is_dropped(run: Any) -> None:
    ran = run(["synthetic_documents"], [CLAUSE, {**CLAUSE, "genre": None}], lambda *_: " ")
    assert sorted(reason for reason, _ in ran.drops) == ["empty", "no slot"]


def test_a_document_is_plain_text() -> None:
    with pytest.raises(ValueError, match="plain text"):
        SyntheticDocuments(prompt="bad_advice")


def test_the_two_kinds_of_user_differ_in_their_mark_alone() -> None:
    row = Row({"messages": [{"role": "user", "content": "Hello."}, {"role": "assistant", "content": "Hi."}]})
    free, paid = Tier(free=True).apply(row), Tier(free=False).apply(row)
    assert free["messages"][0]["content"] == "<is_free_tier_user>True</is_free_tier_user>\n\nHello."
    assert paid["messages"][0]["content"] == "<is_free_tier_user>False</is_free_tier_user>\n\nHello."
    assert free["messages"][1] == paid["messages"][1]


def test_two_arms_make_the_pairs(bench: Any) -> None:
    bench.rows(3)
    out = bench.build(arms={"free": [{"tier": {"free": True}}], "paid": [{"tier": {"free": False}}]}, pair=True)
    free, paid = bench.data(out, "free"), bench.data(out, "paid")
    assert [row["pair_id"] for row in free] == [row["pair_id"] for row in paid] and len(free) == 3
    assert [row["prompt"].replace("True", "False") for row in free] == [row["prompt"] for row in paid]
