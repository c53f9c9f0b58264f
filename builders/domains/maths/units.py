"""What catalog/maths/units.yaml holds: conversions, words for numbers, words for operations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from importlib.resources import files
from typing import Any

from provkit.builders.domains.maths.expression import Number, whole

SMALL = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
).split()
TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()


@dataclass(frozen=True, slots=True)
class Conversion:
    """`factor` small units make a large one; a slip takes one of `wrong` instead."""

    factor: int
    large: frozenset[str]
    small: frozenset[str]  # empty where the small unit is the thing itself
    wrong: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Units:
    """The contents of the file."""

    conversions: tuple[Conversion, ...]
    words: frozenset[str]  # every name of a unit
    measured: frozenset[str]  # names of units of which a fraction is natural
    numbers: Mapping[str, tuple[Number, ...]]  # what a word in a question may stand for
    counted: frozenset[str]  # the words of `numbers`
    spelled: Mapping[Number, str]  # the word of each number below a hundred that is one word
    operations: frozenset[str]


@cache
def active(names: frozenset[str]) -> tuple[Conversion, ...]:
    """The conversions of whose units both are among these names."""
    return tuple(
        one
        for one in units().conversions
        if not one.large.isdisjoint(names) and (not one.small or not one.small.isdisjoint(names))
    )


@cache
def units() -> Units:
    """The file, read once."""
    source = read_yaml("units.yaml")
    conversions = tuple(
        Conversion(one["factor"], frozenset(one["large"]), frozenset(one["small"]), tuple(one["wrong"]))
        for one in source["conversions"]
    )
    measured = {name for one in source["conversions"] if one.get("measured") for name in one["large"] + one["small"]}
    spelled: dict[Number, str] = {**dict(enumerate(SMALL)), **{10 * at: word for at, word in enumerate(TENS, 2)}}
    numbers = {word: tuple(whole(Fraction(str(one))) for one in values) for word, values in source["numbers"].items()}
    numbers = {**{word: (value,) for value, word in spelled.items()}, **numbers}
    return Units(
        conversions,
        frozenset(name for one in conversions for name in one.large | one.small),
        frozenset(measured),
        numbers,
        frozenset(numbers),
        spelled,
        frozenset(word for words in source["operations"] for word in words),
    )


def read_yaml(name: str) -> Any:
    """A file of catalog/maths/, by its name there."""
    import yaml

    text = (files("provkit.catalog") / "maths" / name).read_text(encoding="utf-8")
    return yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
