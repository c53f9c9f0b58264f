"""The papers behind provkit, and what here realises each: recipes, steps, commands, modules, or a plan."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
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

    def cited_in(self, text: str) -> bool:
        """Whether a text names this paper, by its arXiv number, or else by its title (the part before a colon)."""
        if self.arxiv is not None and self.arxiv in ARXIV.findall(text):
            return True
        return not ARXIV.search(text) and self.title.split(":")[0].lower() in text.lower()


@cache
def papers() -> tuple[Paper, ...]:
    """The papers of catalog/papers.yaml, in its order."""
    import yaml

    entries = yaml.safe_load((files("provkit.catalog") / FILE).read_text(encoding="utf-8"))
    cited = {name: recipes.find(name).recipe().paper or "" for name in recipes.names()}
    return tuple(_paper(entry, cited.items()) for entry in entries)


def cited(text: str, among: Sequence[Paper]) -> list[Paper]:
    """The papers that a text names."""
    return [paper for paper in among if paper.cited_in(text)]


def _paper(entry: dict[str, Any], texts: Iterable[tuple[str, str]]) -> Paper:
    lists = {name: tuple(entry.get(name, ())) for name in ("recipes", "steps", "commands", "modules")}
    rest = {name: value for name, value in entry.items() if name not in lists}
    paper = Paper(**{"arxiv": None, **rest, **lists})
    own = [name for name, text in texts if paper.cited_in(text)]
    return Paper(**{**asdict(paper), "recipes": tuple(sorted({*paper.recipes, *own}))})
