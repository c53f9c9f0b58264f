"""Operation trees: arithmetic as a structure and its leaves, exactly evaluated, by the rules or by wrong ones.

A structure is the expression with `N` for each number: `N*(N+N)`. Its leaves are the numbers from left to right.
A structure is parsed once and kept as a function of its leaves, for any number of rows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import lru_cache
from operator import add, itemgetter, mul, sub
from typing import Literal

Number = int | Fraction
Rule = Literal["standard", "left_to_right", "add_first", "no_parentheses", "right_first"]

OPERATORS = {"+": "+", "-": "-", "−": "-", "–": "-", "*": "*", "×": "*", "/": "/", "÷": "/"}
"""The spellings of an operator, and the character that a structure has for it; `%` after a number divides by 100."""

PRECEDENCE: dict[Rule, dict[str, int]] = {
    "standard": {"+": 1, "-": 1, "*": 2, "/": 2},
    "left_to_right": {"+": 1, "-": 1, "*": 1, "/": 1},
    "add_first": {"+": 2, "-": 2, "*": 1, "/": 1},
    "no_parentheses": {"+": 1, "-": 1, "*": 2, "/": 2},
    "right_first": {"+": 1, "-": 1, "*": 2, "/": 2},
}


class MalformedError(ValueError):
    """A structure that is no expression."""


def whole(value: Number) -> Number:
    """The same number, as an int where it is one."""
    return value.numerator if isinstance(value, Fraction) and value.denominator == 1 else value


def evaluate(structure: str, leaves: Sequence[Number], rule: Rule = "standard") -> Number | None:
    """The exact value of an expression; None where it divides by zero.

    Raises:
        MalformedError: when the structure is no expression.
    """
    try:
        value = tree(structure, rule)(leaves)
    except ZeroDivisionError:
        return None
    return value if value.__class__ is int else whole(value)


@lru_cache(maxsize=1 << 14)
def tree(structure: str, rule: Rule = "standard") -> Callable[[Sequence[Number]], Number]:
    """The operation tree as a function of the leaves.

    Raises:
        MalformedError: when the structure is no expression.
    """
    stack: list[Callable[[Sequence[Number]], Number]] = []
    for item in postfix(structure, rule):
        if isinstance(item, int):
            stack.append(itemgetter(item))
        elif item == "%":
            stack.append(node(quotient, stack.pop(), lambda _: 100))
        else:
            right, left = stack.pop(), stack.pop()
            stack.append(node(FUNCTIONS[item], left, right))
    return stack[0]


def node(
    function: Callable[[Number, Number], Number],
    left: Callable[[Sequence[Number]], Number],
    right: Callable[[Sequence[Number]], Number],
) -> Callable[[Sequence[Number]], Number]:
    """A node of a tree: an operator over two others."""
    return lambda leaves: function(left(leaves), right(leaves))


def quotient(dividend: Number, divisor: Number) -> Number:
    """The exact quotient.

    Raises:
        ZeroDivisionError: when `divisor` is zero.
    """
    if isinstance(dividend, int) and isinstance(divisor, int):
        value, rest = divmod(dividend, divisor)
        return Fraction(dividend, divisor) if rest else value
    return whole(Fraction(dividend) / divisor)


FUNCTIONS: dict[str, Callable[[Number, Number], Number]] = {"+": add, "-": sub, "*": mul, "/": quotient}


def postfix(structure: str, rule: Rule = "standard") -> tuple[int | str, ...]:
    """The operation tree in postfix: leaves as their position, operators as themselves.

    Args:
        structure: an expression with `N` for each number.
        rule: how it is read: `standard`, or one of four mistaken ways: every operator alike from left to right;
            addition and subtraction before the others; as if the parentheses were not there; and, among
            operators of equal precedence, the right one first.

    Raises:
        MalformedError: when the structure is no expression.
    """
    if rule == "no_parentheses":
        structure = structure.replace("(", "").replace(")", "")
    precedence = PRECEDENCE[rule]
    output: list[int | str] = []
    held: list[str] = []
    leaves = 0
    operand_next = True
    for char in structure:
        if operand_next != (char in "N("):
            raise MalformedError(structure)
        if char == "N":
            output.append(leaves)
            leaves += 1
            operand_next = False
        elif char == "(":
            held.append(char)
        elif char == "%":
            output.append(char)
        elif char == ")":
            while held and held[-1] != "(":
                output.append(held.pop())
            if not held:
                raise MalformedError(structure)
            held.pop()
        elif char in precedence:
            mine = precedence[char] + (rule == "right_first")  # so that an equal one to the left waits
            while held and held[-1] != "(" and precedence[held[-1]] >= mine:
                output.append(held.pop())
            held.append(char)
            operand_next = True
        else:
            raise MalformedError(structure)
    while held:
        output.append(held.pop())
    if operand_next or "(" in output:
        raise MalformedError(structure)
    return tuple(output)


@lru_cache(maxsize=1 << 14)
def operators(structure: str) -> str:
    """The operators of a structure from left to right, without parentheses and per cents."""
    return "".join(char for char in structure if char in "+-*/")


@lru_cache(maxsize=1 << 14)
def replaced(structure: str, nth: int, operator: str) -> str:
    """The structure with its nth operator (from 0) replaced."""
    at = [position for position, char in enumerate(structure) if char in "+-*/"][nth]
    return structure[:at] + operator + structure[at + 1 :]
