"""pyproject.toml names every package and every builder: what it leaves out would be missing from the wheel."""

from __future__ import annotations

import tomllib
from pathlib import Path

from provkit import registry

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
FOLDERS = {"provkit": "provkit", "builders": "provkit.builders", "sql": "provkit.sql", "catalog": "provkit.catalog"}


def test_every_package_is_listed() -> None:
    found = {
        ".".join([name, *init.parent.relative_to(ROOT / folder).parts])
        for folder, name in FOLDERS.items()
        for init in (ROOT / folder).rglob("__init__.py")
    }
    assert found == set(PROJECT["tool"]["setuptools"]["packages"])


def test_every_entry_point_is_a_builder() -> None:
    for name in PROJECT["project"]["entry-points"]["provkit.builders"]:
        assert registry.kind_of(registry.load(name)) in ("generator", "row", "set")


def test_no_module_is_longer_than_it_may_be() -> None:
    long = [
        path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py") if len(path.read_text().split("\n")) > 401
    ]
    assert long == []
