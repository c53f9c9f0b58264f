"""The slips: ways in which one step of a worked answer goes wrong, and what then comes out of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal, get_args

from provkit.builders.domains.maths.carries import borrows, carries, product_carries
from provkit.builders.domains.maths.expression import Number, Rule, evaluate, operators, replaced
from provkit.builders.domains.maths.figures import places
from provkit.builders.domains.maths.known import Known
from provkit.builders.domains.maths.units import units
from provkit.builders.domains.maths.working import Equation, Working, words_of

Kind = Literal["wrong_operation", "dropped_carry", "order_of_operations", "unit", "off_by_one"]
KINDS: tuple[Kind, ...] = get_args(Kind)

OTHERS = {"+": "-*", "-": "+", "*": "+/", "/": "*-"}
RULES: tuple[Rule, ...] = ("left_to_right", "add_first", "no_parentheses", "right_first")


@dataclass(frozen=True, slots=True)
class Slip:
    """One mistake in one step: the value that its equation then has, and what changes on its left side."""

    kind: Kind
    step: int  # number of the equation, from 0
    value: Number
    edits: tuple[tuple[int, int, str], ...] = ()  # start, end, text of operators
    factors: Mapping[int, Number] = field(default_factory=dict)  # figures of a wrong conversion


def wrong_operation(working: Working, step: int, _: Known) -> Iterator[Slip]:
    """Another operator; the equation is reckoned rightly, but it is not the one that the story asks for."""
    equation = working.equations[step]
    first = equation.sides[0]
    if equation.otherwise or "%" in first.structure or not units().operations.isdisjoint(said(working, equation)):
        return
    for nth, operator in enumerate(operators(first.structure)):
        signs = [side.sign(nth, working.figures) for side in equation.sides]
        if any(end - start > 1 for start, end in signs):  # it is a word
            continue
        for other in OTHERS[operator]:
            value = reckoned(equation, replaced(first.structure, nth, other))
            if value is not None:
                edits = [
                    (*sign, spelled(working.text, sign, side.bare, other))
                    for sign, side in zip(signs, equation.sides, strict=True)
                ]
                yield Slip("wrong_operation", step, value, tuple(edits))


def dropped_carry(working: Working, step: int, _: Known) -> Iterator[Slip]:
    """A carry of the written sum or product is forgotten, or a borrow of the written difference."""
    equation = working.equations[step]
    structure = equation.sides[0].structure
    leaves = equation.leaves
    kinds = set(operators(structure))
    if "%" in structure or len(kinds) > 1 or (len(leaves) > 2 and kinds != {"+"}):
        return
    decimals = [places(leaf) or 0 for leaf in leaves]
    shift = sum(decimals) if kinds == {"*"} else max(decimals)
    shifts = decimals if kinds == {"*"} else [shift] * len(leaves)
    scaled = [int(leaf * 10**by) for leaf, by in zip(leaves, shifts, strict=True)]
    if kinds == {"+"}:
        lost = carries(scaled)
    elif kinds == {"*"}:
        lost = product_carries(*scaled)
    elif kinds == {"-"}:
        lost = [-one for one in borrows(*scaled)]
    else:
        return
    for one in lost:
        yield Slip("dropped_carry", step, equation.value - Fraction(one, 10**shift) * equation.scale)


def order_of_operations(working: Working, step: int, _: Known) -> Iterator[Slip]:
    """The left side is read in a wrong order; it stays as it is written."""
    equation = working.equations[step]
    structure = equation.sides[0].structure
    if equation.otherwise or len(operators(structure)) < 2:
        return
    found = {value for rule in RULES if (value := reckoned(equation, structure, rule)) is not None}
    for value in sorted(found - {equation.value}):
        yield Slip("order_of_operations", step, value)


def unit(working: Working, step: int, known: Known) -> Iterator[Slip]:
    """A wrong factor between two units, wherever the step's line names it."""
    equation = working.equations[step]
    first = equation.sides[0]
    line = working.line(equation.results[0])
    if equation.otherwise:
        return
    earlier = {one.value for one in working.equations[:step]}
    words = None
    for at, value in enumerate(equation.leaves):
        for one in known.conversions:
            if one.factor != value or value in known.figures or value in earlier:
                continue
            if not beside_product(first.structure, at):
                continue
            words = said(working, equation) if words is None else words
            if one.large.isdisjoint(words) and one.small.isdisjoint(words):
                continue
            echoes = elsewhere(working, value, line)
            if echoes is None:
                continue
            for wrong in one.wrong:
                leaves = (*equation.leaves[:at], wrong, *equation.leaves[at + 1 :])
                result = evaluate(first.structure, leaves)
                if result is not None:
                    figures = [*echoes, *(side.figures[at] for side in equation.sides)]
                    factors = dict.fromkeys(figures, wrong)
                    yield Slip("unit", step, result * equation.scale, factors=factors)


def off_by_one(working: Working, step: int, _: Known) -> Iterator[Slip]:
    """The result is one too many or one too few."""
    for one in (1, -1):
        yield Slip("off_by_one", step, working.equations[step].value + one)


SLIPS: Mapping[Kind, Callable[[Working, int, Known], Iterator[Slip]]] = {
    "wrong_operation": wrong_operation,
    "dropped_carry": dropped_carry,
    "order_of_operations": order_of_operations,
    "unit": unit,
    "off_by_one": off_by_one,
}


def reckoned(equation: Equation, structure: str, rule: Rule = "standard") -> Number | None:
    """What comes out when the equation's numbers stand in `structure`."""
    value = evaluate(structure, equation.leaves, rule)
    return None if value is None else value * equation.scale


def said(working: Working, equation: Equation) -> frozenset[str]:
    """The words on the line of an equation."""
    at = working.figures.starts[equation.results[0]]
    start, end = working.text.rfind("\n", 0, at) + 1, working.text.find("\n", at)
    return words_of(working.text[start : end if end >= 0 else None])


def spelled(text: str, sign: tuple[int, int], bare: bool, operator: str) -> str:
    """An operator in the manner of the text around it; `sign` is where it is to stand."""
    if bare or operator == "+":
        return operator
    if operator == "-":
        return "−" if "−" in text else "-"
    typographic = "×" in text or "÷" in text
    if operator == "/":
        return "÷" if typographic else "/"
    start, end = sign
    spaced = text[start - 1] == " " and text[end] == " "
    return "×" if typographic else "x" if spaced and " x " in text else "*"


def beside_product(structure: str, nth: int) -> bool:
    """Whether the nth number of a structure is a factor or a divisor."""
    at = [position for position, char in enumerate(structure) if char == "N"][nth]
    return structure[at - 1 : at] in ("*", "/") or structure[at + 1 : at + 2] in ("*", "/")


def elsewhere(working: Working, value: Number, line: int) -> list[int] | None:
    """Figures of that value beside the equations: those on the line; None when another line has one."""
    found = [number for number in working.loose if working.figures.values[number] == value]
    return found if all(working.line(number) == line for number in found) else None
