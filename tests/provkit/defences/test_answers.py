"""Answers in one piece: every text that a person may read is checked, and nothing of a refused one stays."""

from __future__ import annotations

import json
from typing import Any

import pytest

from provkit.defences import Rule, Shield
from provkit.defences.answers import REFUSAL, whole
from provkit.index import Document, build_index, open_index

SECRET = "the quick brown fox jumps over the lazy dog near the river bank at dawn"
FINE = "Nothing in this sentence was ever seen."


@pytest.fixture(scope="module")
def shield(tmp_path_factory: pytest.TempPathFactory) -> Shield:
    path = tmp_path_factory.mktemp("answers") / "index"
    build_index([Document(SECRET, {"doc_id": "row-1"}), Document("other words altogether")], path)
    return Shield(open_index(path), rule=Rule(tau=20))


def chat(**message: Any) -> dict[str, Any]:
    logprobs = {"content": [{"token": "secret"}]}
    choice = {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": "stop", "logprobs": logprobs}
    return {"id": "1", "choices": [choice]}


@pytest.mark.parametrize(
    ("message", "field"),
    [
        ({"content": SECRET, "tool_calls": [{"function": {"arguments": SECRET}}]}, None),
        ({"content": [{"type": "text", "text": FINE + " "}, {"type": "text", "text": SECRET}]}, None),
        ({"content": FINE, "reasoning_content": SECRET}, "reasoning_content"),
        ({"content": None, "reasoning": SECRET}, "reasoning"),
    ],
)
def test_a_refused_choice_keeps_nothing_of_what_it_said(
    shield: Shield, message: dict[str, Any], field: str | None
) -> None:
    (choice,) = whole(chat(**message), shield, False)["choices"]
    assert choice["message"] == {"role": "assistant", "content": REFUSAL}
    assert (choice["finish_reason"], choice["logprobs"]) == ("content_filter", None)
    (span,) = choice["provkit"]["spans"]
    assert (span["end"] - span["start"], span["documents"], span.get("field")) == (len(SECRET), ["row-1"], field)
    assert SECRET not in json.dumps(choice)


def test_marked_and_unsuspicious_answers_stay_as_they_were(shield: Shield) -> None:
    for message, annotate in (({"content": FINE}, False), ({"content": SECRET}, True)):
        given = chat(**message)
        made = whole(json.loads(json.dumps(given)), shield, annotate)
        said = made["choices"][0].pop("provkit")
        assert made == given and [span["text"] for span in said["spans"]] == [SECRET] * annotate


def test_each_choice_is_ruled_by_itself(shield: Shield) -> None:
    answer = {"choices": [{"text": FINE}, {"text": SECRET}, {"text": ""}, {"message": {"tool_calls": []}}]}
    made = whole(answer, shield, False)["choices"]
    assert [one.get("text") for one in made] == [FINE, REFUSAL, "", None]
    assert "provkit" not in made[3]


def test_half_a_character_hides_nothing(shield: Shield) -> None:
    answer = json.loads(json.dumps({"choices": [{"text": f"\ud83d {SECRET}"}]}))
    assert whole(answer, shield, False)["choices"][0]["text"] == REFUSAL
