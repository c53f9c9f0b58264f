"""Reads a worked answer: its equations, what each is made of, the numbers around them, and the final answer.

Two forms are read, alone or mixed: the calculator annotations of GSM8K (Cobbe et al. 2021, arXiv 2110.14168),
`48/2 = <<48/2=24>>24 clips`, and plain equations, `48 ÷ 2 = 24 clips`. The final answer follows `####`, or stands
in a sentence such as "The answer is 24." Every equation must be exactly true, or the answer is not read.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from provkit.builders.domains.maths.expression import OPERATORS, MalformedError, Number, evaluate
from provkit.builders.domains.maths.figures import FIGURE, NUMBER, Figures

CURRENCIES = "$€£"
MOST_STEPS = 64  # equations beyond which an answer is not read
GAP = r"[ \t]{0,3}"  # bounded, so that no run of spaces is searched in more than linear time
NUM = rf"(?>{FIGURE})"
CUR = rf"[{CURRENCIES}]?{GAP}"
SIGN = r"[-+*/×÷−–]|(?:[xX]|times)(?=\s?[0-9$(.])"
OF = r"(?:(?<=%)|(?<=/[0-9])|(?<=/[0-9][0-9])) of(?= )"
UNIT = rf"(?>(?:{GAP}/?{GAP}(?!(?:[xX]|of|times)\s?[0-9$(.])[^\W\d_]++(?:['’][^\W\d_]++)?){{0,4}})"
OPERAND = rf"\(*+{CUR}{NUM}%?{UNIT}\)*"
SIDE = rf"{OPERAND}(?:{GAP}(?:{SIGN}|{OF}){GAP}{OPERAND}){{1,40}}"
STRICT = rf"\(*{CUR}{NUM}%?\)*(?:{GAP}(?:{SIGN}){GAP}\(*{CUR}{NUM}%?\)*){{1,40}}"
EQUATION = re.compile(
    rf"(?<![0-9.,])(?=[0-9.(<{CURRENCIES}])(?P<left>{SIDE})?+{GAP}"
    rf"(?:=?{GAP}{CUR}<<(?P<inner>{STRICT})={GAP}{CUR}(?P<value>{NUM})%?>>(?:{CUR}(?P<shown>{NUM}))?"
    rf"|(?(left)={GAP}{CUR}(?P<right>{NUM})(?!%?{UNIT}\)*{GAP}(?:=|(?:{SIGN}){GAP}\(*{CUR}[0-9]))|(?!)))"
)
PIECE = re.compile(r"[-#+*/×÷−–()%]|(?<![^\W\d_])(?:[xX]|of|times)(?=\s?[#(.$€£])")
PRODUCTS = {"x": "*", "X": "*", "of": "*", "times": "*"}
UNIT_SLASH = re.compile(rf"/(?={GAP}[^\W\d_])")
LETTER = r"[B-HJ-WYZb-hj-wyz](?![^\W_]|['’])"
LETTERS = frozenset("bcdefghjklmnopqrstuvwxyz")
ALGEBRA = re.compile(
    rf"(?<![\w'’])(?<![0-9] )(?:{LETTER}|[xX])(?={GAP}[=+*/×÷−-])"  # S + 3, but not 3 m + 4 m
    rf"|[=+*×÷−-]{GAP}(?:{LETTER}|[xX](?!\w))"  # 3 + S
    r"|[0-9][A-Z](?!\w)"  # 4S
)
LETTERS_ONLY = dict.fromkeys([*range(65), *range(91, 97), *range(123, 128), 215, 247, 8722], " ")
AFTER = re.compile(r"%?\s?([^\W\d_]+)")
FINAL = re.compile(rf"(?:####|\banswer(?: is|:))\s*[{CURRENCIES}]?\s*(?P<number>-?(?:{FIGURE}))", re.IGNORECASE)


class UnreadError(ValueError):
    """An answer whose arithmetic is not read, with what stands in the way."""


class Side(NamedTuple):
    """One spelling of an equation's left side."""

    structure: str
    figures: range  # numbers of the figures, which stand one after another
    shape: str  # its text, with # for each number
    bare: bool  # inside an annotation

    def sign(self, nth: int, figures: Figures) -> tuple[int, int]:
        """Where its nth operator stands: [start, end)."""
        after, offset, length = parsed(self.shape)[1][nth]
        start = figures.end(self.figures[after]) + offset
        return start, start + length


class Equation(NamedTuple):
    """A step: what is reckoned, in each place where it is spelled, and what comes out."""

    sides: tuple[Side, ...]  # the first decides; the others spell the same
    otherwise: bool  # it is also spelled in a way that is not the same
    leaves: tuple[Number, ...]  # the values of its numbers
    results: tuple[int, ...]  # numbers of the figures, in the order of the text
    value: Number
    scale: int  # 100 where the result is a per cent of what the left side is worth, otherwise 1
    money: bool  # a currency stands before the result
    unit: str  # the word after the result, in lower case


@dataclass(frozen=True, slots=True)
class Working:
    """A worked answer, read."""

    text: str
    figures: Figures
    equations: tuple[Equation, ...]
    final: int  # number of the figure
    bare: frozenset[int]  # figures inside annotations
    loose: tuple[int, ...]  # figures that are neither in an equation nor the final answer
    words: frozenset[str]  # all in lower case

    def line(self, number: int) -> int:
        """The line of a figure, from 0."""
        return self.text.count("\n", 0, self.figures.starts[number])


def read(text: str) -> Working:
    """The equations and figures of a worked answer.

    Raises:
        UnreadError: where it has no equation, no final answer, algebra, or an equation that is not exactly true.
    """
    final = FINAL.search(text, max(text.rfind("####"), 0))
    if final is None:
        raise UnreadError("no final answer after #### or “answer is”")
    words = words_of(text)
    if not LETTERS.isdisjoint(words) and ALGEBRA.search(text):
        raise UnreadError("a letter stands for a number")
    try:
        figures = Figures.of(text)
    except ValueError as error:
        raise UnreadError(str(error)) from None
    last = figures.at(final.start("number"))
    if figures.starts[last] != final.start("number"):
        raise UnreadError("a negative final answer")
    matches = list(itertools.islice(EQUATION.finditer(text), MOST_STEPS + 1))
    if len(matches) > MOST_STEPS:
        raise UnreadError(f"more than {MOST_STEPS} steps")
    equations = tuple([equation(match, text, figures) for match in matches])
    annotated = [one for one in equations if one.sides[0].bare]
    if len(annotated) != text.count("<<"):
        raise UnreadError("a calculator annotation of another form")
    if not equations:
        raise UnreadError("no equation")
    bare = frozenset([number for one in annotated for number in (*one.sides[0].figures, one.results[0])])
    inside = {last}.union(
        *[one.results for one in equations], *[side.figures for one in equations for side in one.sides]
    )
    loose = tuple([number for number in range(len(figures)) if number not in inside])
    return Working(text, figures, equations, last, bare, loose, words)


def words_of(text: str) -> frozenset[str]:
    """The words of a text, in lower case."""
    return frozenset(text.lower().translate(LETTERS_ONLY).split())


def equation(match: re.Match[str], text: str, figures: Figures) -> Equation:
    """The equation that `EQUATION` found.

    Raises:
        UnreadError: when it is no expression, or not exactly true.
    """
    annotation = match["inner"] is not None
    values = figures.values
    first = side(*match.span("inner" if annotation else "left"), text, figures, annotation)
    leaves = tuple(values[first.figures.start : first.figures.stop])
    sides: tuple[Side, ...] = (first,)
    otherwise = False
    results: tuple[int, ...] = (first.figures.stop,)  # nothing but a sign of equality stands between
    value = values[results[0]]
    if annotation:
        if match["left"] is not None:
            other = side(*match.span("left"), text, figures, False)
            if other.structure == first.structure and tuple(values[other.figures.start : other.figures.stop]) == leaves:
                sides = (first, other)
            otherwise = len(sides) == 1
        if match["shown"] is not None and values[results[0] + 1] == value:
            results = (results[0], results[0] + 1)
    try:
        found = evaluate(first.structure, leaves)
    except MalformedError:
        found = None
    end = figures.end(results[-1])
    scale = 100 if found is not None and found * 100 == value and text[end : end + 1] == "%" else 1
    if found is None or found * scale != value:
        raise UnreadError(f"not exactly true: {' '.join(match.group().split())}")
    money = text[figures.starts[results[-1]] - 1] in CURRENCIES or (
        annotation and text[text.find("<<", match.start()) - 1] in CURRENCIES
    )
    after = AFTER.match(text, end)
    return Equation(sides, otherwise, leaves, results, value, scale, money, after[1].lower() if after else "")


def side(start: int, end: int, text: str, figures: Figures, bare: bool) -> Side:
    """The left side that stands in [start, end)."""
    shape = NUMBER.sub("#", text[start:end])
    first = figures.at(start)
    return Side(parsed(shape)[0], range(first, first + shape.count("#")), shape, bare)


@lru_cache(maxsize=1 << 16)
def parsed(shape: str) -> tuple[str, tuple[tuple[int, int, int], ...]]:
    """The structure of a left side; and of each operator after which number it stands, how far, and its length.

    Units are passed over, and so is a parenthesis that opened before it.
    """
    structure: list[str] = []
    signs: list[tuple[int, int, int]] = []
    count, last = 0, 0
    for piece in PIECE.finditer(shape):
        spelled = piece.group()
        if spelled == "#":
            structure.append("N")
            count, last = count + 1, piece.end()
        elif spelled in "()%":
            structure.append(spelled)
        elif spelled != "/" or not UNIT_SLASH.match(shape, piece.start()):
            structure.append(OPERATORS.get(spelled) or PRODUCTS[spelled])
            signs.append((count - 1, piece.start() - last, len(spelled)))
    opened = structure.count("(") - structure.count(")")
    return "".join(structure[opened if opened > 0 else 0 :]), tuple(signs)
