"""Columns, categories and verdicts of the user's own files, and what is dropped with which reason."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import pytest

from provkit.builders.drift.importing import DriftImport
from provkit.errors import InputError
from provkit.row import Drop, Row

EMPTY = dict.fromkeys(
    ("completion", "verdict", "defence", "model", "sample", "pair", "twin", "twin_completion", "twin_verdict")
)


def read(row: dict[str, Any], **params: Any) -> dict[str, Any] | tuple[str, str]:
    found = DriftImport(**params).read(Row(row))
    return (found.reason, found.detail) if isinstance(found, Drop) else dict(found)


def test_columns_are_known_by_their_usual_names_and_texts_stay_as_they_are() -> None:
    row = {"goal": " Ask A\n", "response": "No. ", "topic": "Hate Speech", "uid": 7, "defense": "shield", "epoch": 2}
    assert read({**row, "refused": True, "unused": 1}) == {
        **EMPTY,
        "prompt_id": "7",
        "prompt": " Ask A\n",
        "completion": "No. ",
        "category": "hate",
        "label": "harmful",
        "defence": "shield",
        "sample": "2",
        "verdict": "refused",
    }


def test_a_map_names_other_columns_and_categories() -> None:
    maps = {"columns": {"prompt": "query", "category": "kind"}, "categories": {"Carding": "fraud", "ok": "benign"}}
    asked = read({"query": "q", "prompt": "another", "kind": "carding"}, **maps)
    assert isinstance(asked, dict) and (asked["prompt"], asked["category"], asked["label"]) == ("q", "fraud", "harmful")
    benign = read({"query": "q", "kind": "OK"}, **maps)
    assert isinstance(benign, dict) and benign["label"] == "benign"
    names = {dict(read({"prompt": said, "category": "hate"}))["prompt_id"] for said in ("Ask  A", "ask a")}
    assert names == {hashlib.sha256(b"ask a").hexdigest()[:16]}


@pytest.mark.parametrize(
    ("row", "reason", "detail"),
    [
        ({"prompt": " ", "category": "hate"}, "no prompt", "prompt, category"),
        ({"prompt": 3, "category": "hate"}, "no prompt", "prompt, category"),
        ({"text": "x", "category": "hate"}, "no prompt", "text, category"),
        ({"prompt": "x"}, "no category", "prompt"),
        ({"prompt": "x", "category": None}, "no category", "prompt"),
        ({"prompt": "x", "category": "Frauds"}, "unknown category", "unknown category 'Frauds': did you mean 'fraud'?"),
        (
            {"prompt": "x", "category": "weather"},
            "unknown category",
            "unknown category 'weather'; there are benign, cybercrime, explosives, fraud, hate, self_harm",
        ),
    ],
)
def test_what_cannot_be_read_is_dropped_with_its_reason(row: dict[str, Any], reason: str, detail: str) -> None:
    assert read(row) == (reason, detail)


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"columns": {"promt": "x"}}, "no row holds a 'promt': did you mean 'prompt'"),
        ({"categories": {"a": "frauds"}}, "'a' is mapped to the unknown category 'frauds': did you mean 'fraud'"),
    ],
)
def test_a_map_that_means_nothing_is_an_error_of_the_recipe(params: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        DriftImport(**params)


def test_files_of_other_columns_come_together_and_a_map_of_no_column_is_an_error(make: Callable[..., Any]) -> None:
    rows = [{"q": "one", "prompt": None, "category": "hate"}, {"q": None, "prompt": "two", "category": "hate"}]
    made = make(rows, [{"drift_import": {"columns": {"prompt": "q"}}}])
    assert [one["prompt"] for one in made.rows] == ["one", "two"]
    with pytest.raises(InputError, match="prompt: no column 'quest'; there are category, prompt, q"):
        make(rows, [{"drift_import": {"columns": {"prompt": "quest"}}}])


def test_in_a_build_the_note_keeps_what_the_category_was_called(make: Callable[..., Any]) -> None:
    rows = [{"prompt": "one", "category": "Self-Harm"}, {"prompt": "two", "category": "fraud"}]
    made = make([*rows, {"prompt": "three", "category": "poems"}], ["drift_import"])
    assert [one["category"] for one in made.rows] == ["self_harm", "fraud"]
    assert made.notes("drift_import") == [{"category": "Self-Harm"}, ""]
    assert [(at, reason) for at, reason, _ in made.reasons()] == [(2, "unknown category")]
