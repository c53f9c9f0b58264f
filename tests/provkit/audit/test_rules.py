"""The register of rules, and what the docs say of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from provkit.audit.rules import FAMILIES, explanation, named, rule, rules, selected
from provkit.errors import InputError

DOCS = Path(__file__).parents[3] / "docs" / "audit.md"


def test_every_family_has_rules_and_every_rule_says_all_there_is_to_say() -> None:
    assert {id[0] for id in rules()} == set(FAMILIES)
    for one in rules().values():
        assert len(one.rationale) > 30 and len(one.example) > 10 and len(one.do) > 10
        assert one.do.endswith((".", ")")) and one.name == one.name.lower()


def test_every_rule_is_documented() -> None:
    text = DOCS.read_text(encoding="utf-8")
    assert [id for id, one in rules().items() if f"| {id} | {one.name} |" not in text] == []


def test_rules_are_chosen_by_id_name_and_family() -> None:
    assert named("D002") == named("duplicate-prompts") == named("d002") == {"D002"}
    assert selected(["D"], ["D001", "near-duplicate-prompts"]) == {"D002", "D003", "D005"}
    assert selected([], ["D"]) == {id for id in rules() if id[0] != "D"}


def test_an_unknown_rule_names_the_nearest() -> None:
    with pytest.raises(InputError, match="did you mean 'duplicate-prompts'"):
        selected(["duplicate-prompt"], [])


def test_a_rule_is_registered_once() -> None:
    with pytest.raises(ValueError, match="D001"):
        rule("D001", "another", "note", "", "", "")
    with pytest.raises(ValueError):
        rule("Z001", "another", "note", "", "", "")


def test_explain() -> None:
    text = explanation("D002")
    assert text.startswith("D002 duplicate-prompts (warning, duplicates)")
    assert "rows − distinct prompts" in text and "What to do:" in text
