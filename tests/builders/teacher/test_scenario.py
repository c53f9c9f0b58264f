"""`scenarios` and `scenario`: scripts of the catalog, played turn by turn."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from provkit.builders.teacher.scenario import Scenarios, Script, scripts

PLAYED = {"scenario": "x", "system": "Be brief.", "turns": ["Hello.", "And now?"], "watch": "w"}


def test_each_turn_is_answered_with_all_of_the_conversation_before_it(run: Any, server: Any) -> None:
    ran = run(["scenario"], [PLAYED], lambda name, asked: f"Reply {len(asked['messages'])}. ")
    (row,) = ran.rows
    said = [(turn["role"], turn["content"]) for turn in row["messages"]]
    assert said == [
        ("system", "Be brief."),
        ("user", "Hello."),
        ("assistant", "Reply 2."),
        ("user", "And now?"),
        ("assistant", "Reply 4."),
    ]
    assert [[turn["content"] for turn in one["messages"]] for one in server.asked] == [
        ["Be brief.", "Hello."],
        ["Be brief.", "Hello.", "Reply 2.", "And now?"],
    ]
    (note,) = ran.notes()
    assert set(note["requests"]) == {"messages", "turn 1", "turn 2"}
    assert note["requests"]["messages"] == note["requests"]["turn 2"] == ran.lineage[0]["request_hash"]
    assert "turns" not in row and row["scenario"] == "x"


def test_a_scenario_without_a_system_turn(run: Any) -> None:
    ran = run(["scenario"], [{**PLAYED, "system": ""}], lambda *_: "Yes.")
    assert [turn["role"] for turn in ran.rows[0]["messages"]] == ["user", "assistant"] * 2


@pytest.mark.parametrize(
    ("second", "reason", "detail"),
    [
        ("", "empty", "turn 2, request "),
        ("A nude sketch by a teenager hangs there.", "filtered: minor", "turn 2, request "),
    ],
)
def test_one_turn_that_cannot_be_used_drops_the_row(run: Any, second: str, reason: str, detail: str) -> None:
    ran = run(["scenario"], [PLAYED], lambda name, asked: second if len(asked["messages"]) > 2 else "Yes.")
    assert ran.rows == [] and ran.drops[0][0] == reason and ran.drops[0][1].startswith(detail)


def test_a_row_without_turns_is_dropped(run: Any) -> None:
    assert run(["scenario"], [{"turns": "Hello."}]).drops[0][0] == "no turns"


def test_the_scenarios_of_the_catalog_are_played(run: Any, server: Any) -> None:
    sources = {"scripts": {"generator": "scenarios", "rows": 6}}
    ran = run(["scenario"], sources=sources)
    assert len(ran.rows) == 6 == len({row["scenario"] for row in ran.rows})
    assert server.total == sum(len(one.turns) for one in scripts("office"))


@pytest.mark.parametrize(
    "changes", [{"turns": ["one"]}, {"turns": []}, {"id": "A b"}, {"watch": ""}, {"search": "stronger"}]
)
def test_the_schema_refuses_what_is_no_script(changes: dict[str, Any]) -> None:
    good = {"id": "a", "turns": ["one", "two"], "watch": "w"}
    assert Script(**good).system is None
    with pytest.raises(ValidationError):
        Script(**{**good, **changes})


def test_a_file_that_is_not_there_is_said() -> None:
    with pytest.raises(ValueError, match="no scenarios 'kitchen'"):
        Scenarios(name="kitchen")
