"""The papers behind provkit, and what here realises each: recipes, steps, commands, modules, or a plan."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache
from importlib.resources import files
from typing import Any

from provkit import recipes

FILE = "papers.yaml"
ARXIV = re.compile(r"\b\d{4}\.\d{4,5}\b")


@dataclass(frozen=True, slots=True)
class Paper:
    """A paper, with what it is here for; `arxiv` is None where its number is not known to us.

    `recipes` are those that the catalog names for it and those whose own `paper` cites it.
    """

    title: str
    authors: str
    year: int
    arxiv: str | None
    about: str
    recipes: tuple[str, ...] = ()
    steps: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()
    planned: str | None = None

    @property
    def realised(self) -> str:
        """What realises it, in a line; "planned" and what, where nothing does yet."""
        parts = [("recipe", self.recipes), ("step", self.steps), ("command", self.commands), ("module", self.modules)]
        said = [f"{kind}{'s' if len(names) > 1 else ''} {', '.join(names)}" for kind, names in parts if names]
        return "; ".join([*said, *([f"planned: {self.planned}"] if self.planned else [])])

    def plain(self) -> dict[str, Any]:
        """The same as plain data."""
        return {**asdict(self), "realised": self.realised}

    @property
    def name(self) -> str:
        """The title up to a colon."""
        return self.title.split(":")[0]


@cache
def papers() -> tuple[Paper, ...]:
    """The papers of catalog/papers.yaml, in its order."""
    import yaml

    entries = yaml.safe_load((files("provkit.catalog") / FILE).read_text(encoding="utf-8"))
    listed = [_paper(entry) for entry in entries]
    own: dict[Paper, set[str]] = {paper: set(paper.recipes) for paper in listed}
    for name in recipes.names():
        for paper in cited(recipes.find(name).recipe().paper or "", listed):
            own[paper].add(name)
    return tuple(replace(paper, recipes=tuple(sorted(own[paper]))) for paper in listed)


def cited(text: str, among: Sequence[Paper]) -> list[Paper]:
    """The papers that a text names: by arXiv number, else by name, the longest where one name holds another."""
    numbers = set(ARXIV.findall(text))
    if numbers:
        return [paper for paper in among if paper.arxiv in numbers]
    lower = text.lower()
    found = [paper for paper in among if paper.name.lower() in lower]
    return [one for one in found if not any(_inside(one.name, other.name) for other in found)]


def _inside(name: str, other: str) -> bool:
    return name.lower() != other.lower() and name.lower() in other.lower()


def _paper(entry: dict[str, Any]) -> Paper:
    lists = {name: tuple(entry.get(name, ())) for name in ("recipes", "steps", "commands", "modules")}
    rest = {name: value for name, value in entry.items() if name not in lists}
    return Paper(**{"arxiv": None, **rest, **lists})
