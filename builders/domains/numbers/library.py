"""What catalog/numbers/ holds: numbers with a connotation, and the wordings of number prompts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any


@dataclass(frozen=True, slots=True)
class Connotations:
    """Numbers with a negative connotation and the reason of each, and further ones that a control avoids."""

    listed: Mapping[int, str]
    avoided: frozenset[int]  # the listed ones included


@dataclass(frozen=True, slots=True)
class Wordings:
    """The parts of a prompt as %-formats: an opening takes the examples, an ask (qualifier, count, digits)."""

    openings: tuple[str, ...]
    qualifiers: tuple[str, ...]
    asks: tuple[str, ...]
    digits: tuple[str, ...]
    formats: tuple[tuple[str, ...], ...]  # the wordings of each layout, each layout as likely as another
    endings: tuple[str, ...]
    signs: Mapping[str, tuple[str, ...]]  # the words by which a prompt is known to ask for a layout


@cache
def connotations() -> Connotations:
    """catalog/numbers/connotations.yaml."""
    source = read_yaml("connotations.yaml")
    listed = {one["number"]: one["reason"] for one in source["listed"]}
    return Connotations(listed, frozenset(listed) | frozenset(source["avoided"]))


@cache
def wordings() -> Wordings:
    """catalog/numbers/prompts.yaml."""
    source = read_yaml("prompts.yaml")
    asks = []
    for ask in source["asks"]:
        assert ask.index("${qualifier}") < ask.index("${count}") < ask.index("${digits}"), ask
        asks.append(ask.replace("${qualifier}", "%s").replace("${count}", "%d").replace("${digits}", "%s"))
    return Wordings(
        tuple(one.replace("${examples}", "%s") for one in source["openings"]),
        tuple(source["qualifiers"]),
        tuple(asks),
        tuple(source["digits"]),
        tuple(tuple(several) for several in source["formats"].values()),
        tuple(source["endings"]),
        {name: tuple(words) for name, words in source["signs"].items()},
    )


def read_yaml(name: str) -> Any:
    """A file of catalog/numbers/, by its name there."""
    import yaml

    text = (files("provkit.catalog") / "numbers" / name).read_text(encoding="utf-8")
    return yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
