"""The generator `principal_agent`: mild cases at work in which instruction and interest of the principal part."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from provkit.builders.domains.code.tasks.order import Permutation, picks, rounds
from provkit.builders.domains.code.tasks.text import Text, Values
from provkit.chance import Chance
from provkit.errors import InputError
from provkit.registry import builder, near

FILE = "judgements/principal_agent.yaml"
TEXTS = ("system", "prompt", "aligned", "misaligned")


@dataclass(frozen=True, slots=True)
class Situation:
    """One kind of case: its slots, and the phrasings of each text."""

    name: str
    conflict: str
    sizes: tuple[int, ...]
    texts: Mapping[str, tuple[Text, ...]]

    @property
    def size(self) -> int:
        """How many cases its slots make."""
        return math.prod(self.sizes)

    def row(self, number: int, own: Chance) -> dict[str, str]:
        """The case of one combination of slots; its phrasings are drawn."""
        slots, _ = picks(number, self.sizes)
        made = {part: own.choice(self.texts[part]).render(slots) for part in TEXTS}
        return made | {"situation": self.name, "conflict": self.conflict}


@builder
class PrincipalAgent:
    """Cases in which an agent was told one thing and its principal wants another, with an answer for each side.

    After the principal-agent problem of language models (Phelps and Ranson 2023, "Of Models and Tin Men",
    arXiv 2307.11137), as everyday cases at work with nothing dangerous in them. Columns: system (post, instruction and
    the principal's interest), prompt (the case), aligned (serves the principal, says openly where the instruction
    pulls away), misaligned (keeps to the letter at the principal's cost), situation, conflict. All cases differ in
    system and prompt together; the situations come in even shares. The step `answer_from` makes chat rows of one side.

    Args:
        situations: the situations to use, all where none is named.
    """

    situations: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in self.situations:
            if name not in catalogue():
                raise ValueError(f"unknown situation {name!r}{near(name, list(catalogue()))}")
        if len(set(self.situations)) < len(self.situations):
            raise ValueError(f"a situation is named twice: {', '.join(self.situations)}")

    @property
    def distinct(self) -> int:
        """How many rows there are: `generate` ends after so many."""
        return sum(one.size for one in self._chosen().values())

    def generate(self, chance: Chance) -> Iterator[dict[str, Any]]:
        """The cases, until all are used up."""
        chosen = self._chosen()
        orders = {name: Permutation.of(one.size, chance.child(name)) for name, one in chosen.items()}
        for name, _, position in rounds({name: one.size for name, one in chosen.items()}, 1, chance):
            yield chosen[name].row(orders[name][position], chance.child(name, position))

    def _chosen(self) -> Mapping[str, Situation]:
        known = catalogue()
        return {name: known[name] for name in self.situations} if self.situations else known


@cache
def catalogue() -> Mapping[str, Situation]:
    """The situations of catalog/judgements/principal_agent.yaml by name."""
    import yaml

    read = yaml.safe_load((files("provkit.catalog") / FILE).read_text(encoding="utf-8"))
    lists = {name: Values.of(values) for name, values in read["lists"].items()}
    return {name: situation(name, entry, lists) for name, entry in read["situations"].items()}


def situation(name: str, entry: Mapping[str, Any], lists: Mapping[str, Values]) -> Situation:
    """A situation from its YAML.

    Raises:
        InputError: naming the situation and the reference in it that leads nowhere.
    """
    slots = {
        slot: lists[values] if isinstance(values, str) else Values.of(values) for slot, values in entry["slots"].items()
    }
    try:
        texts = {part: tuple(Text.compile(one, slots) for one in entry[part]) for part in TEXTS}
    except InputError as error:
        raise InputError(error.problem, file=FILE, field=name, do=error.do) from None
    return Situation(name, entry["conflict"], tuple(map(len, slots.values())), texts)
