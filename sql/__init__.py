"""Schema, views and macros of the DuckDB interface, one object a file."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable


def objects() -> list[Traversable]:
    """The files of all objects: functions, then the macros that use them, then views."""
    root = files("provkit.sql")
    found = [file for kind in ("functions", "macros", "views") for file in sorted((root / kind).iterdir(), key=_name)]
    return [file for file in found if file.name.endswith(".sql")]


def names() -> set[str]:
    """What the objects are called, and the view `texts`, which is made anew for each set of builds."""
    return {file.name.removesuffix(".sql") for file in objects()} | {"texts"}


def _name(file: Traversable) -> str:
    return file.name
