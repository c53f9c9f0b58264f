"""The recipes that provkit ships, and recipes in files of the user's own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import as_file, files
from pathlib import Path

from provkit.errors import InputError, plain
from provkit.recipe import Recipe
from provkit.recipe_file import MAX_RECIPE, read_recipe
from provkit.registry import near
from provkit.sources.text import decode


@dataclass(frozen=True, slots=True)
class Found:
    """A recipe's text, the name under which errors speak of it, and the folder that its paths start from."""

    text: str
    file: str
    base: Path

    def recipe(self, settings: Mapping[str, str] | None = None) -> Recipe:
        """The recipe, with `--set` values put in.

        Raises:
            InputError: as `provkit.recipe_file.read_recipe`.
        """
        return read_recipe(self.text, self.file, settings)


@cache
def names() -> dict[str, str]:
    """The text of every recipe of the catalog by name."""
    folder = files("provkit.catalog") / "recipes"
    listed = [one for one in folder.iterdir() if one.name.endswith(".yaml")]
    found = {one.name.removesuffix(".yaml"): one.read_text(encoding="utf-8") for one in listed}
    return dict(sorted(found.items()))


def find(name: str) -> Found:
    """A recipe by its catalog name, or by the path of a YAML file.

    Raises:
        InputError: when there is none, naming the nearest, or it cannot be read as text.
    """
    path = Path(name)
    if path.suffix.lower() in (".yaml", ".yml"):
        return Found(_text(path), str(path), path.parent)
    known = names()
    text = known.get(name.replace("_", "-"))
    if text is None:
        do = "provkit catalog list shows them; a recipe of your own is named by its path, ending in .yaml"
        raise InputError(f"no recipe '{plain(name, 60)}' in the catalog{near(name, known)}", do=do)
    with as_file(files("provkit.catalog") / "recipes") as base:
        return Found(text, f"{name}.yaml", base)


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_RECIPE + 1)
    except OSError as error:
        raise InputError(error.strerror or str(error), file=path) from None
    if len(raw) > MAX_RECIPE:
        raise InputError(f"a recipe of more than {MAX_RECIPE >> 10} KB", file=path)
    return "".join(decode(line, str(path), number) for number, line in enumerate(raw.splitlines(keepends=True), 1))
