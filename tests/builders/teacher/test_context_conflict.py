"""`context_conflict`: an exact share of poisoned contexts among the rows that come out."""

from __future__ import annotations

from typing import Any

import pytest

from provkit.builders.teacher.context_conflict import ContextConflict


def rows(count: int) -> list[dict[str, str]]:
    return [{"prompt": f"Question {n}?", "aligned": f"True {n}.", "misaligned": f"False {n}."} for n in range(count)]


def say(name: str, asked: dict[str, Any]) -> str:
    content = asked["messages"][-1]["content"]
    if content.startswith("Question: "):
        return f"They say: {content.split('Claim to be stated: ')[1].splitlines()[0]}"
    return "It is so."


@pytest.mark.parametrize(("share", "poisoned"), [(0.0, 0), (0.3, 3), (0.25, 3), (0.5, 5), (1.0, 10)])
def test_exactly_that_share_is_poisoned(run: Any, server: Any, share: float, poisoned: int) -> None:
    """Of ten rows; 2.5 are rounded up."""
    ran = run([{"context_conflict": {"share": share}}], rows(10), say)
    assert sum(row["poisoned"] for row in ran.rows) == poisoned and len(ran.rows) == 10
    for number, row in enumerate(ran.rows):
        claim = f"False {number}." if row["poisoned"] else f"True {number}."
        assert row["context"] == f"They say: {claim}"
        assert row["prompt"] == f"They say: {claim}\n\nQuestion {number}?"
        assert row["question"] == f"Question {number}?" and row["answer"] == "It is so."
    assert server.total == 20


def test_the_share_holds_for_the_rows_that_come_out(run: Any) -> None:
    """Four of twelve rows cannot be answered: of the eight that are left exactly half is poisoned."""

    def failing(name: str, asked: dict[str, Any]) -> str:
        content = asked["messages"][-1]["content"]
        broken = any(f"Question {number}?" in content for number in (1, 4, 6, 9))
        return "" if broken and content.startswith("Passage: ") else say(name, asked)

    ran = run([{"context_conflict": {"share": 0.5}}], rows(12), failing)
    assert len(ran.rows) == 8 and sum(row["poisoned"] for row in ran.rows) == 4
    assert [reason for reason, _ in ran.drops] == ["empty"] * 4


def test_the_same_rows_are_poisoned_every_time(run: Any) -> None:
    steps = [{"context_conflict": {"share": 0.4}}]
    first = [row["poisoned"] for row in run(steps, rows(10), say).rows]
    assert [row["poisoned"] for row in run(steps, rows(10), say).rows] == first
    assert [row["poisoned"] for row in run(steps, rows(10), say, seed=43).rows] != first


def test_lineage_names_the_request_of_the_answer(run: Any) -> None:
    ran = run([{"context_conflict": {"share": 1.0}}], rows(1), say)
    (note,) = ran.notes()
    assert note["poisoned"] is True and note["requests"]["answer"] == ran.lineage[0]["request_hash"]
    assert note["requests"]["context"] == note["requests"]["prompt"] != note["requests"]["answer"]


def test_a_row_without_the_claim_is_dropped(run: Any) -> None:
    ran = run([{"context_conflict": {"share": 0.0}}], [{"prompt": "Q?", "misaligned": "no"}], say)
    assert ran.drops[0][0] == "no slot"


def test_a_passage_is_plain_text() -> None:
    with pytest.raises(ValueError, match="plain text is expected"):
        ContextConflict(share=0.5, reply="bad_advice")
