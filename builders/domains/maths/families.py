"""Families of word problems, read from catalog/maths/problems/: numbers, a story, a question and a worked solution.

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

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from importlib.resources import files
from operator import itemgetter
from typing import Any

from provkit.builders.domains.maths.expression import MalformedError, Number, evaluate, postfix, whole
from provkit.builders.domains.maths.figures import exact, places
from provkit.builders.domains.maths.known import ALWAYS, ratio
from provkit.builders.domains.maths.story import Text, column, word_references
from provkit.builders.domains.maths.units import read_yaml, units
from provkit.errors import InputError

RANGE = re.compile(r"([\d.]+)\.\.([\d.]+?)(?: by ([\d.]+))?( \$)?")
TERM = re.compile(r"[A-Za-z_]\w*|[\d.]+|[-+*/()%]")
STYLES = ({"*": "×", "/": "÷"}, {})


@dataclass(frozen=True, slots=True)
class Step:
    """An expression over the row's values, where its own value goes, and its spelling in each style."""

    structure: str
    leaves: tuple[int, ...]  # places of its numbers in the list of values
    target: int
    spelled: tuple[str, ...]  # a %-format for each style, of the leaves and the result
    take: Any  # the leaves and the result, out of a list


@dataclass(frozen=True, slots=True)
class Family:
    """A kind of word problem. A row's values are its literals, then numbers, givens and steps."""

    id: str
    literals: tuple[Number, ...]
    slots: tuple[tuple[tuple[Number, ...], ...], ...]  # what makes rows distinct: for each slot its values
    sizes: tuple[int, ...]
    given: tuple[Step, ...]
    steps: tuple[Step, ...]
    money: tuple[bool, ...]  # for each value
    shown: tuple[int, ...]  # the values that the prompt shows, in order
    ratios: tuple[tuple[int, int | None], ...]  # places of per cents, and of numerator and denominator
    words: tuple[tuple[int, tuple[str, ...]], ...]  # number of the slot, and its strings
    word_sizes: tuple[int, ...]
    parts: tuple[tuple[Text, ...], ...]  # alternatives of each sentence of the story, then of the question
    lines: tuple[tuple[Text, ...], ...]  # alternatives of the line of each step

    free: tuple[int, ...]  # how many choices there are for each word, sentence and line, in this order

    @property
    def size(self) -> int:
        """How many combinations of numbers there are, before those are left out that make no good problem."""
        return math.prod(self.sizes)

    def solved(self, digits: Sequence[int]) -> list[Number] | None:
        """All values of a combination; None where it makes no good problem.

        Every step must come to more than one and, but for money, to a whole number; and to a number that neither
        the prompt nor another step nor common knowledge has, so that it is certain what each number rests on.
        """
        values, never = list(self.literals), reserved()
        for slot, digit in zip(self.slots, digits, strict=True):
            values += slot[digit]
        for step in self.given:
            values.append(evaluate(step.structure, [values[at] for at in step.leaves]) or 0)
        taken = {values[at] for at in self.shown}
        for top, bottom in self.ratios:
            taken |= ratio(values[top], "%" if bottom is None else f"/{values[bottom]}")
        for step in self.steps:
            value = evaluate(step.structure, [values[at] for at in step.leaves])
            if value is None or value <= 1 or value in taken or value in never:
                return None
            if not isinstance(value, int) and not (self.money[step.target] and (places(value) or 9) <= 2):
                return None
            taken.add(value)
            values.append(value)
        return values


@cache
def reserved() -> frozenset[Number]:
    """What no step may come to: factors between units, and numbers that need no source."""
    return ALWAYS.union(one.factor for one in units().conversions)


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
    slots: list[tuple[tuple[Number, ...], ...]] = []
    names: list[str] = []
    money: set[str] = set()
    ratios: list[tuple[str, str | None]] = []
    for key, values in entry["numbers"].items():
        several = [one.strip() for one in key.split(",")]
        names += several
        slot, priced = numbers(values)
        slots.append(slot)
        money |= set(several) if priced else set()
        if len(several) == 2:
            ratios.append((several[0], several[1]))
    formulas = [(key.rstrip(" $"), "$" in key, formula) for key, formula in entry.get("given", {}).items()]
    solve = [(*heading(next(iter(one))), next(iter(one.values()))) for one in entry["solve"]]
    ratios += [(one, None) for _, _, formula, _ in solve for one in re.findall(r"([a-z_]+)%", formula)]
    literals = list(dict.fromkeys(t for _, _, f, *_ in [*formulas, *solve] for t in TERM.findall(f) if t[0].isdigit()))
    order = [*literals, *names, *(one[0] for one in formulas), *(one[0] for one in solve)]
    money |= {one[0] for one in [*formulas, *solve] if one[1]}
    at = {one: number for number, one in enumerate(order)}
    steps = [step(one[2], at, at[one[0]]) for one in solve]
    every = [*entry["story"], entry["ask"], *(one[3] for one in solve)]
    words: dict[str, str] = entry["words"]
    references = word_references([text for texts in every for text in texts], list(words))
    strings = [*order, *(f"={one[0]}" for one in solve), *references]
    where = {one: number for number, one in enumerate(strings)}
    texts = [tuple(Text.compile(text, where) for text in alternatives) for alternatives in every]
    parts, lines = texts[: len(entry["story"]) + 1], texts[len(entry["story"]) + 1 :]
    slot_of = {one: number for number, one in enumerate(words)}
    columns = [(one, re.split(r"[.:]", one)[0]) for one in references]
    return Family(
        name,
        tuple(exact(one) for one in literals),
        tuple(slots),
        tuple(map(len, slots)),
        tuple(step(formula, at, at[one]) for one, _, formula in formulas),
        tuple(steps),
        tuple(one in money for one in order),
        tuple(shown(parts, len(order))),
        tuple((at[top], None if bottom is None else at[bottom]) for top, bottom in ratios),
        tuple((slot_of[slot], column(one, words[slot])) for one, slot in columns),
        tuple(len(column(slot, words[slot])) for slot in words),
        tuple(parts),
        tuple(lines),
        (*(len(column(slot, words[slot])) for slot in words), *map(len, parts), *map(len, lines)),
    )


def numbers(source: str | list[list[int]]) -> tuple[tuple[tuple[Number, ...], ...], bool]:
    """The values of a slot, and whether they are money."""
    if not isinstance(source, str):
        return tuple(tuple(one) for one in source), False
    match = RANGE.fullmatch(source)
    if match is None:
        raise InputError(f"no range: {source}", do="write it as 12..48, 5..55 by 5 or 0.2..0.6 by 0.05 $")
    low, high, by = exact(match[1]), exact(match[2]), exact(match[3] or "1")
    count = int((high - low) / Fraction(by)) + 1
    return tuple((whole(low + number * by),) for number in range(count)), match[4] is not None


def heading(key: str) -> tuple[str, bool, str]:
    """Name, whether it is money, and expression of a step's heading."""
    name, _, formula = key.partition("=")
    return name.rstrip(" $"), "$" in name, formula.strip()


def step(formula: str, at: Mapping[str, int], target: int) -> Step:
    """A step from its expression.

    Raises:
        InputError: when it is no expression, or names nothing.
    """
    terms = TERM.findall(formula)
    leaves = [one for one in terms if one[0].isalnum()]
    structure = "".join("N" if one[0].isalnum() else one for one in terms)
    try:
        postfix(structure)
        places = tuple(at[one] for one in leaves)
    except (MalformedError, KeyError) as error:
        raise InputError(f"not understood: {formula} ({error})") from None
    spelled = []
    for style in STYLES:
        signs = "".join("%s" if one[0].isalnum() else "%%" if one == "%" else
                        one if one in "()" else f" {style.get(one, one)} " for one in terms)  # fmt: skip
        spelled.append(f"{signs} = %s")
    return Step(structure, places, target, tuple(spelled), itemgetter(*places, target))


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
