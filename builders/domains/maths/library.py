"""The families of word problems, read from catalog/maths/problems/.

A family in YAML:

- `words`: for each slot the vocabulary that fills it;
- `numbers`: for each name a range, `12..48`, `5..55 by 5`, `0.2..0.6 by 0.05 $` ($: it is written as money), or,
  for names that go together, a list, `"top, bottom": [[2, 3], [3, 4]]`;
- `given`: numbers that the story shows and that follow from others, so that a division comes out even;
- `story`: its sentences, each with alternatives that show the same numbers in the same order;
- `ask`: the question's alternatives;
- `solve`: the steps, `name = expression` (`name $ = expression` for money), each with alternatives of its line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from importlib.resources import files
from operator import itemgetter
from typing import Any

from provkit.builders.domains.maths.expression import MalformedError, Number, postfix, whole
from provkit.builders.domains.maths.families import STYLES, Family, Step
from provkit.builders.domains.maths.figures import exact
from provkit.builders.domains.maths.story import Text, column, word_references
from provkit.builders.domains.maths.units import read_yaml
from provkit.errors import InputError

RANGE = re.compile(r"([\d.]+)\.\.([\d.]+?)(?: by ([\d.]+))?( \$)?")
TERM = re.compile(r"[A-Za-z_]\w*|[\d.]+|[-+*/()%]")
PERCENT = re.compile(r"([A-Za-z_]\w*)%")


@dataclass(frozen=True, slots=True)
class Formula:
    """A named expression: `total = trays * each`, with a $ after the name where it is money."""

    name: str
    money: bool
    text: str

    @classmethod
    def of(cls, name: str, text: str) -> Formula:
        """`name` as it stands in the YAML."""
        return cls(name.strip(" $"), "$" in name, text.strip())


@dataclass(frozen=True, slots=True)
class Numbers:
    """The slots of a family that vary: names in order, values, which are money, which are fractions."""

    names: list[str]
    slots: list[tuple[tuple[Number, ...], ...]]
    money: set[str]
    ratios: list[tuple[str, str | None]]

    @classmethod
    def read(cls, source: Mapping[str, Any]) -> Numbers:
        """The entry `numbers`.

        Raises:
            InputError: when a range is none.
        """
        found = cls([], [], set(), [])
        for key, values in source.items():
            names = [one.strip() for one in key.split(",")]
            found.names.extend(names)
            match = RANGE.fullmatch(values) if isinstance(values, str) else None
            if match is not None:
                low, high, by = exact(match[1]), exact(match[2]), exact(match[3] or "1")
                count = int((high - low) / Fraction(by)) + 1
                found.slots.append(tuple((whole(low + number * by),) for number in range(count)))
                found.money.update(names if match[4] else ())
            elif isinstance(values, list):
                found.slots.append(tuple(tuple(one) for one in values))
            else:
                raise InputError(f"no range: {values}", do="write it as 12..48, 5..55 by 5 or 0.2..0.6 by 0.05 $")
            if len(names) == 2:
                found.ratios.append((names[0], names[1]))
        return found


@cache
def families() -> Mapping[str, Family]:
    """All families by id, in the order of their files' names."""
    found: dict[str, Family] = {}
    folder = files("provkit.catalog") / "maths" / "problems"
    for file in sorted(one.name for one in folder.iterdir() if one.name.endswith(".yaml")):
        for name, entry in read_yaml(f"problems/{file}").items():
            if name in found:
                raise InputError("this family is defined twice", file=file, field=name)
            try:
                found[name] = family(name, entry)
            except InputError as error:
                raise InputError(error.problem, file=file, field=name, do=error.do) from None
    return found


def family(name: str, entry: Mapping[str, Any]) -> Family:
    """A family from its YAML.

    Raises:
        InputError: saying what is wrong in it.
    """
    varied = Numbers.read(entry["numbers"])
    given = [Formula.of(key, text) for key, text in entry.get("given", {}).items()]
    solve = [Formula.of(*next(iter(one)).split("=")) for one in entry["solve"]]
    formulas = [*given, *solve]
    literals = list(dict.fromkeys(t for one in formulas for t in TERM.findall(one.text) if t[0].isdigit()))
    order = [*literals, *varied.names, *(one.name for one in formulas)]
    at = {one: number for number, one in enumerate(order)}
    money = varied.money | {one.name for one in formulas if one.money}
    ratios = [*varied.ratios, *((per, None) for one in solve for per in PERCENT.findall(one.text))]
    told = [*entry["story"], entry["ask"]]
    every = [*told, *(next(iter(one.values())) for one in entry["solve"])]
    words: Mapping[str, str] = entry["words"]
    references = word_references([text for texts in every for text in texts], list(words))
    strings = [*order, *(f"={one.name}" for one in solve), *references]
    where = {one: number for number, one in enumerate(strings)}
    texts = [tuple(Text.compile(text, where) for text in alternatives) for alternatives in every]
    slots = {one: number for number, one in enumerate(words)}
    named = [(one, re.split(r"[.:]", one)[0]) for one in references]
    return Family(
        id=name,
        literals=tuple(exact(one) for one in literals),
        slots=tuple(varied.slots),
        sizes=tuple(map(len, varied.slots)),
        given=tuple(step(one, at) for one in given),
        steps=tuple(step(one, at) for one in solve),
        money=tuple(one in money for one in order),
        shown=tuple(shown(texts[: len(told)], len(order))),
        ratios=tuple((at[top], None if bottom is None else at[bottom]) for top, bottom in ratios),
        words=tuple((slots[slot], column(one, words[slot])) for one, slot in named),
        parts=tuple(texts[: len(told)]),
        lines=tuple(texts[len(told) :]),
        free=(*(len(column(slot, words[slot])) for slot in words), *map(len, texts)),
    )


def step(formula: Formula, at: Mapping[str, int]) -> Step:
    """A step from its expression; `at` has the place of each name and literal among the values.

    Raises:
        InputError: when it is no expression, or names nothing.
    """
    terms = TERM.findall(formula.text)
    leaves = [one for one in terms if one[0].isalnum()]
    structure = "".join("N" if one[0].isalnum() else one for one in terms)
    try:
        postfix(structure)
        places = tuple(at[one] for one in leaves)
    except (MalformedError, KeyError) as error:
        raise InputError(f"not understood: {formula.text} ({error})") from None
    spelled = tuple("".join(spelling(one, style) for one in terms) + " = %s" for style in STYLES)
    return Step(structure, places, at[formula.name], spelled, itemgetter(*places, at[formula.name]))


def spelling(term: str, style: Mapping[str, str]) -> str:
    """A term of an expression in a %-format."""
    if term[0].isalnum():
        return "%s"
    if term == "%":
        return "%%"
    return term if term in "()" else f" {style.get(term, term)} "


def shown(parts: Sequence[Sequence[Text]], values: int) -> Iterator[int]:
    """The values that the sentences show, in order.

    Raises:
        InputError: when the alternatives of a sentence show others, or in another order, so that equal prompts
            could come of different numbers.
    """
    for alternatives in parts:
        orders = [tuple(place for place in text.places if place < values) for text in alternatives]
        if len(set(orders)) > 1:
            raise InputError(f"alternatives with other numbers: {alternatives[0].format}")
        yield from orders[0]
