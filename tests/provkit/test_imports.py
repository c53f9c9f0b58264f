"""Who imports whom: cli → build, attribution, audit, publish → index, lineage, sources, recipe → registry."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

import provkit

ROOT = Path(next(iter(provkit.__path__)))
HEAVY = [
    "datasets",
    "torch",
    "sentence_transformers",
    "duckdb",
    "numba",
    "pyarrow",
    "pydantic",
    "rich",
    "numpy",
    "pandas",
]


@cache
def imported(path: Path) -> set[str]:
    """The modules that a file imports, anywhere in it but under TYPE_CHECKING."""
    found: set[str] = set()
    tree = ast.parse(path.read_text(encoding="utf-8"))
    typing_only = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        for part in node.body
        for inner in ast.walk(part)
    }
    for node in ast.walk(tree):
        if id(node) in typing_only:
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            found |= {node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


MODULES = {path.relative_to(ROOT).with_suffix("").as_posix().replace("/", "."): path for path in ROOT.rglob("*.py")}


def uses(module: str, *others: str) -> set[str]:
    """Which of `others` a module imports, itself or something in it."""
    names = imported(MODULES[module])
    return {other for other in others if any(name == other or name.startswith(other + ".") for name in names)}


def test_nothing_but_the_command_line_imports_the_command_line() -> None:
    assert len(MODULES) > 30
    assert [name for name in MODULES if not name.startswith("cli") and uses(name, "provkit.cli")] == []


def test_the_toolkit_never_imports_builders() -> None:
    assert [name for name in MODULES if uses(name, "provkit.builders", "builders")] == []


@pytest.mark.parametrize("low", ["registry", "errors", "canonical", "chance", "row", "table"])
def test_what_stands_at_the_bottom_imports_nothing_from_above(low: str) -> None:
    above = """build verify chain passes lineage manifest card lookup database sources index attribution audit publish
        recipe recipes corpus describe export""".split()
    assert uses(low, *(f"provkit.{name}" for name in above)) == set()


def test_what_is_read_does_not_import_what_builds() -> None:
    reading = [name for name in MODULES if name.split(".")[0] in ("sources", "index", "lineage", "recipe")]
    above = ["build", "verify", "attribution", "audit", "publish"]
    assert {name: found for name in reading if (found := uses(name, *(f"provkit.{one}" for one in above)))} == {}


def test_commands_load_what_they_need_when_they_are_called() -> None:
    """At the top of cli/ there is click and the standard library alone."""
    for name, path in MODULES.items():
        if not name.startswith("cli"):
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        top = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
        modules = {node.module or "" for node in top if isinstance(node, ast.ImportFrom)}
        modules |= {alias.name for node in top if isinstance(node, ast.Import) for alias in node.names}
        roots = {module.split(".")[0] for module in modules} - {"click", "provkit", "__future__"}
        assert roots <= sys.stdlib_module_names, (name, roots)
        assert not {one for one in modules if one.startswith("provkit.") and not one.startswith("provkit.cli")}, name


@pytest.mark.parametrize("what", ["import provkit", "provkit --help", "provkit build --help", "provkit biuld"])
def test_help_loads_nothing_heavy(what: str) -> None:
    words = what.split()[1:] if what.startswith("provkit") else []
    code = f"""
import sys, json
import provkit
if {words!r}:
    from provkit.cli import main
    try:
        main({words!r})
    except SystemExit:
        pass
print(json.dumps(sorted(name.split(".")[0] for name in sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(json.loads(done.stdout.splitlines()[-1]))
    assert loaded.isdisjoint(HEAVY)


def test_a_question_about_a_build_loads_no_search_kernels() -> None:
    code = "import sys, provkit.database; assert 'numba' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
