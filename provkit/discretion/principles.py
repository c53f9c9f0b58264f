"""Lists of principles, and the rubric that asks a judge about one of them."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml

from provkit.errors import InputError, plain
from provkit.registry import near
from provkit.rubrics.template import Rubric, checked
from provkit.sources.yaml_rows import compose, construct

SLOT = "<principle>"


@dataclass(frozen=True, slots=True)
class Principle:
    """A principle by id, as a sentence."""

    id: str
    text: str


@dataclass(frozen=True, slots=True)
class Principles:
    """A list of principles and the rubric with the slot `<principle>`."""

    listed: tuple[Principle, ...]
    rubric: str

    def rubrics(self) -> list[Rubric]:
        """One rubric a principle, called by its id."""
        return [Rubric(one.id, self.rubric.replace(SLOT, one.text)) for one in self.listed]


def read_principles(name: str = "default") -> Principles:
    """A list of catalog/principles, or of a YAML file with `rubric` and `principles`, each `{id, text}`.

    A file of one principle a line (`.txt`) takes the rubric of the catalog; the ids are their numbers from 0.

    Raises:
        InputError: with file and line, for a file that is none, or a rubric with a fault.
    """
    path = Path(name)
    if path.suffix == ".txt":
        lines = [line.strip() for line in _text(path).splitlines() if line.strip()]
        return Principles(tuple(Principle(str(at), line) for at, line in enumerate(lines)), read_principles().rubric)
    if path.suffix not in (".yaml", ".yml"):
        folder = files("provkit.catalog") / "principles"
        known = sorted(one.name.removesuffix(".yaml") for one in folder.iterdir() if one.name.endswith(".yaml"))
        if name not in known:
            said = f"no principles '{plain(name, 60)}' in the catalog{near(name, known)}"
            raise InputError(said, do="a list of your own is named by its path, .yaml or .txt")
        return _read((folder / f"{name}.yaml").read_text(encoding="utf-8"), f"{name}.yaml")
    return _read(_text(path), path.name)


def _read(text: str, file: str) -> Principles:
    root = compose(text, file)
    value: Any = construct(root, file) if isinstance(root, yaml.MappingNode) else None
    if not isinstance(value, dict) or not isinstance(value.get("principles"), list):
        raise InputError("a mapping with `principles` is expected, each {id, text}", file=file, line=1)
    listed = []
    for at, one in enumerate(value["principles"], 1):
        if not isinstance(one, dict) or not {"id", "text"} <= one.keys():
            raise InputError(f"principle {at} has not both id and text", file=file, field="principles")
        listed.append(Principle(str(one["id"]), str(one["text"])))
    if len({one.id for one in listed}) < len(listed):
        raise InputError("an id stands twice", file=file, field="principles")
    rubric = str(value.get("rubric") or read_principles().rubric)
    if SLOT not in rubric:
        raise InputError(f"no slot {SLOT}", file=file, field="rubric", do="say where the principle goes")
    for one in listed:
        checked(Rubric(one.id, rubric.replace(SLOT, one.text), file))
    return Principles(tuple(listed), rubric)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(str(error), file=path) from None
