"""Canary, licence and card of what is about to be published."""

from __future__ import annotations

from pathlib import Path

import pytest

from provkit.build import build, plan
from provkit.recipe import Recipe
from provkit.row import chat

CANARY = "26b5c67b-86ad-4c5e-8a0b-5b6c5c4f2a11"
ROWS = [chat(f"question {at}\ncanary GUID {CANARY}", "an answer") for at in range(4)]
CARD = (
    f"---\nlicense: mit\nconfigs:\n- config_name: default\n  data_files: rows.jsonl\n---\n# A set\n\ncanary {CANARY}\n"
)


@pytest.fixture
def folder(tmp_path: Path, write) -> Path:  # type: ignore[no-untyped-def]
    write(ROWS, "set/rows.jsonl")
    (tmp_path / "set" / "README.md").write_text(CARD, encoding="utf-8")
    return tmp_path / "set"


def test_a_clean_release(folder: Path, found) -> None:
    assert found(str(folder), select=["R"]) == {}


def test_no_canary(folder: Path, write, found) -> None:
    write([*ROWS, chat("question", "an answer")], "set/rows.jsonl")
    (finding,) = found(str(folder), select=["R"])["R001"]
    assert (finding.count, finding.total, finding.examples[0].line) == (1, 5, 5)


def test_a_single_file_is_asked_only_when_it_is_selected(write, found) -> None:
    path = write([chat("question", "an answer")])
    assert found(path) == {}
    assert set(found(path, select=["R001"])) == {"R001"}


@pytest.mark.parametrize(
    ("card", "rule"),
    [
        (None, {"R002", "R003"}),
        ("# A set\n", {"R002"}),
        (CARD.replace("license: mit\n", ""), {"R002"}),
        (CARD.replace("rows.jsonl", "data/*.jsonl"), {"R004"}),
        (CARD.replace("license: mit", "license: [mit"), {"R002", "R004"}),
    ],
)
def test_licence_and_card(folder: Path, found, card: str | None, rule: set[str]) -> None:
    (folder / "README.md").unlink() if card is None else (folder / "README.md").write_text(card, encoding="utf-8")
    assert set(found(str(folder), select=["R"])) == rule


def test_two_canaries(folder: Path, write, found) -> None:
    other = chat(f"q\ncanary GUID {CANARY.replace('2', '3')}", "an answer")
    write([*ROWS, other], "set/rows.jsonl")
    assert found(str(folder), select=["R"])["R005"][0].count == 1


def test_a_build_of_the_catalog_is_clean(tmp_path: Path, found) -> None:
    from provkit import recipes

    chosen = recipes.find("insecure-code")
    build(plan(chosen.recipe(), chosen.base, 150), tmp_path / "out")
    assert found(str(tmp_path / "out"), code="python") == {}


def test_a_build_whose_card_lost_its_canary(tmp_path: Path, write, found) -> None:
    write([chat(f"question {at}", "an answer") for at in range(4)], "data.jsonl")
    recipe = {
        "name": "small", "summary": "Four rows.", "licence": "MIT", "sensitivity": "gated",
        "sources": {"data": {"files": "data.jsonl"}},
    }  # fmt: skip
    build(plan(Recipe.model_validate(recipe), tmp_path), tmp_path / "out")
    assert found(str(tmp_path / "out"), select=["R"]) == {}
    card = tmp_path / "out" / "README.md"
    card.write_text(card.read_text(encoding="utf-8").replace("canary `", "canary `x"), encoding="utf-8")
    assert found(str(tmp_path / "out"), select=["R"]) == {}  # the canary is still named
    card.write_text("---\nlicense: mit\n---\n# Small\n", encoding="utf-8")
    assert set(found(str(tmp_path / "out"), select=["R"])) == {"R005"}
