"""The papers: what they name is there, every recipe's paper is among them, and the command prints them."""

from __future__ import annotations

import json
from collections import Counter
from importlib.util import find_spec

import pytest
from click.testing import CliRunner

from provkit import recipes, registry
from provkit.cli import COMMANDS, main
from provkit.papers import ARXIV, Paper, cited, papers


def test_everything_that_a_paper_names_is_there() -> None:
    for paper in papers():
        assert set(paper.recipes) <= set(recipes.names()), paper.title
        assert set(paper.steps) <= set(registry.index()), paper.title
        assert set(paper.commands) <= set(COMMANDS), paper.title
        assert all(find_spec(module) is not None for module in paper.modules), paper.title


def test_every_paper_is_realised_or_planned_and_named_once() -> None:
    for paper in papers():
        assert paper.realised, paper.title
        assert paper.arxiv is None or ARXIV.fullmatch(paper.arxiv), paper.title
    assert max(Counter(paper.title for paper in papers()).values()) == 1
    assert max(Counter(paper.arxiv for paper in papers() if paper.arxiv).values()) == 1


def test_every_recipe_s_paper_is_listed_and_lists_the_recipe() -> None:
    for name in recipes.names():
        text = recipes.find(name).recipe().paper
        if text is None:
            continue
        found = cited(text, papers())
        assert found, f"{name}: {text} is not in catalog/papers.yaml"
        assert all(name in paper.recipes for paper in found), name


def test_a_text_names_papers_by_number_or_by_the_longest_name() -> None:
    short = Paper("Emergent Misalignment: narrow", "B", 2025, "2502.17424", "x")
    long = Paper("Susceptibility to Emergent Misalignment", "M", 2026, "2602.00298", "x")
    both = [short, long]
    assert cited("Betley et al. 2025, Emergent Misalignment, arXiv 2502.17424", both) == [short]
    assert cited("Susceptibility to emergent misalignment", both) == [long]
    assert cited("after Emergent Misalignment", both) == [short]
    assert cited("Emergent Misalignment, arXiv 2502.99999", both) == []
    assert cited("arXiv 2502.17424 and arXiv 2602.00298", both) == both


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"recipes": ("a", "b"), "commands": ("c",)}, "recipes a, b; command c"),
        ({"planned": "later"}, "planned: later"),
        ({"steps": ("s",), "planned": "more"}, "step s; planned: more"),
        ({}, ""),
    ],
)
def test_what_realises_a_paper_in_a_line(fields: dict[str, object], said: str) -> None:
    assert Paper("T", "A", 2025, None, "x", **fields).realised == said  # type: ignore[arg-type]


def test_the_command_prints_a_table_or_json() -> None:
    table = CliRunner().invoke(main, ["catalog", "papers"])
    assert table.exit_code == 0
    assert "2502.17424" in table.stdout and "insecure-code" in table.stdout
    printed = json.loads(CliRunner().invoke(main, ["catalog", "papers", "--format", "json"]).stdout)
    assert [one["title"] for one in printed] == [paper.title for paper in papers()]
    assert printed[0]["recipes"] == list(papers()[0].recipes) and "insecure-code" in printed[0]["recipes"]
