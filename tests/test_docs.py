"""The docs say what the code does: commands, recipes, steps and views are all there."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

from provkit import recipes, registry
from provkit.sql import objects

ROOT = Path(__file__).parent.parent
PAGES = {path.name: path.read_text(encoding="utf-8") for path in (ROOT / "docs").glob("*.md")}


def test_the_command_reference_is_what_the_commands_say() -> None:
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    assert spec is not None and spec.loader is not None
    generate = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generate)
    assert generate.page() == PAGES["commands.md"], "run: make docs"


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
