"""What catalog/code_tasks/ holds: vocabularies, frames and task families, read when first asked for.

A family has `tasks` (phrasings; each shows every slot), `slots` (a vocabulary or a list of values each; their
combinations are its rows), `names` (free choices inside the code) and `code`, marked as text.py explains.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

from provkit.builders.domains.code.tasks.text import PLACEHOLDER, Code, Text, Values
from provkit.errors import InputError


@dataclass(frozen=True, slots=True)
class Family:
    """One kind of task: its phrasings, its answers, and the slots that make it many.

    Picks come in this order: slots (they make tasks distinct), names (free choices in code), placeholder.
    """

    id: str
    idiom: str
    slots: tuple[str, ...]
    slot_sizes: tuple[int, ...]
    name_sizes: tuple[int, ...]
    tasks: tuple[Text, ...]
    codes: tuple[Code, ...]

    @property
    def size(self) -> int:
        """How many distinct tasks the slots make."""
        return math.prod(self.slot_sizes)


@dataclass(frozen=True, slots=True)
class Frames:
    """Wordings around a task: for each style its layouts, and the parts that a layout refers to."""

    layouts: Mapping[str, tuple[Text, ...]]
    sizes: Mapping[str, tuple[int, ...]]  # for each style, the number of wordings of each part


@cache
def families() -> Mapping[str, Family]:
    """All task families by id, in the order of their files' names; a file is named after its idiom."""
    found: dict[str, Family] = {}
    for file in sorted((root() / "families").iterdir(), key=lambda entry: entry.name):
        for name, entry in read(file).items():
            if name in found:
                raise InputError("this family is defined twice", file=file.name, field=name)
            found[name] = family(name, file.name.removesuffix(".yaml"), entry)
    return found


@cache
def placeholders() -> Values:
    """The comments that stand where code was cut out."""
    return Values.of(read(root() / "frames.yaml")["placeholders"])


@cache
def frames() -> Frames:
    """The wordings around a task, by style; `@task@` and `@template@` in a layout are the row's own."""
    source = read(root() / "frames.yaml")
    layouts: dict[str, tuple[Text, ...]] = {}
    sizes: dict[str, tuple[int, ...]] = {}
    for style, frame in source["styles"].items():
        parts = {part: Values.of(wordings) for part, wordings in frame["parts"].items()}
        layouts[style] = tuple(Text.compile(layout, parts) for layout in frame["layouts"])
        sizes[style] = tuple(len(values) for values in parts.values())
    return Frames(layouts, sizes)


@cache
def vocabularies() -> Mapping[str, Values]:
    """The word lists that families share, by name."""
    source = read(root() / "words.yaml")
    records: list[dict[str, str]] = []
    fields: list[dict[str, str]] = []
    for home, entries in source["records"].items():
        for record, names in entries.items():
            value = {"name": record, "home": home, "one": names[0], "two": names[1], "three": names[2]}
            records.append(value)
            for at, key in enumerate(names):
                one, two = [names[(at + step) % len(names)] for step in (1, 2)]
                fields.append({"name": record, "home": home, "key": key, "one": one, "two": two})
    lists = {name: Values.of(values) for name, values in source["lists"].items()}
    return {"records": Values.of(records), "fields": Values.of(fields), **lists}


def family(name: str, idiom: str, entry: Mapping[str, Any]) -> Family:
    """A family from its YAML.

    Raises:
        InputError: naming the family and what is wrong in it.
    """
    try:
        slots = {slot: values_of(values) for slot, values in entry["slots"].items()}
        names = {slot: values_of(values) for slot, values in entry.get("names", {}).items()}
        every = {**slots, **names, PLACEHOLDER: placeholders()}
        return Family(
            name,
            idiom,
            tuple(slots),
            tuple(len(values) for values in slots.values()),
            (*(len(values) for values in names.values()), len(placeholders())),
            tuple(Text.compile(task, every) for task in entry["tasks"]),
            Code.variants(entry["code"], every),
        )
    except InputError as error:
        raise InputError(error.problem, file=f"{idiom}.yaml", field=name, do=error.do) from None


def values_of(values: str | list[str | Mapping[str, str]]) -> Values:
    """A slot's values: the name of a vocabulary, or the list itself."""
    return vocabularies()[values] if isinstance(values, str) else Values.of(values)


def root() -> Traversable:
    """The directory catalog/code_tasks/."""
    return files("provkit.catalog") / "code_tasks"


def read(file: Traversable) -> Any:
    """The content of a YAML file."""
    import yaml

    return yaml.load(file.read_text(encoding="utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
