"""The docs say what the code does: commands, recipes, steps and views are all there."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from provkit import recipes, registry
from provkit.sql import objects

ROOT = Path(__file__).parent.parent
PAGES = {path.name: path.read_text(encoding="utf-8") for path in (ROOT / "docs").glob("*.md")}


def generate() -> Any:
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_command_reference_is_what_the_commands_say() -> None:
    assert generate().page() == PAGES["commands.md"], "run: make docs"


def test_the_tutorial_shows_what_its_commands_print() -> None:
    pytest.importorskip("jinja2")
    assert generate().tutorial() == PAGES["tutorial.md"], "run: make docs"


def test_every_builder_is_documented() -> None:
    ours = [name for name, entry in registry.index().items() if registry.package_of(entry)[0] == "provkit"]
    assert [name for name in ours if f"`{name}`" not in PAGES["recipes.md"]] == []


def test_every_recipe_is_documented() -> None:
    text = "\n".join([*PAGES.values(), (ROOT / "README.md").read_text(encoding="utf-8")])
    assert [name for name in recipes.names() if name not in text] == []


def test_every_view_and_macro_is_documented_and_says_what_it_answers() -> None:
    for file in objects():
        text = file.read_text(encoding="utf-8")
        assert text.startswith("-- "), file.name
        assert f"`{file.name.removesuffix('.sql')}" in PAGES["query.md"], file.name


def test_links_of_the_docs_lead_somewhere() -> None:
    for name, text in {**PAGES, "../README.md": (ROOT / "README.md").read_text(encoding="utf-8")}.items():
        for target in re.findall(r"\]\(([^)#:]+)\)", text):
            assert (ROOT / "docs" / name).parent.joinpath(target).exists(), f"{name}: {target}"


def test_the_readme_begins_with_the_two_commands() -> None:
    assert re.match(r"# provkit\n\n```\nmake demo .*\nmake test .*\n```", (ROOT / "README.md").read_text("utf-8"))


def test_the_costs_of_scale_are_computed_from_what_was_measured() -> None:
    spec = importlib.util.spec_from_file_location("scale", ROOT / "benchmarks" / "scale.py")
    assert spec is not None and spec.loader is not None
    scale = importlib.util.module_from_spec(spec)
    sys.modules["scale"] = scale  # where its dataclasses look
    spec.loader.exec_module(scale)
    held = PAGES["scale.md"].partition(scale.BEGIN)[2].partition(scale.END)[0]
    assert held.strip() == scale.block().strip(), "run: python benchmarks/scale.py --write"
    one = scale.Cost(scale.TB, 256 * scale.MB, 1)
    assert (one.shards, round(one.hours, 1)) == (3726, 4.1)  # 10^12 / 2^28 and 10^12 / 68e6 / 3600
