"""Reads a worked answer: its equations, what each is made of, the numbers around them, and the final answer.

Two forms are read, alone or mixed: the calculator annotations of GSM8K (Cobbe et al. 2021, arXiv 2110.14168),
`48/2 = <<48/2=24>>24 clips`, and plain equations, `48 ÷ 2 = 24 clips`. The final answer follows `####`, or stands
in a sentence such as "The answer is 24." Every equation must be exactly true, or the answer is not read.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from provkit.builders.domains.maths.expression import OPERATORS, MalformedError, Number, evaluate
from provkit.builders.domains.maths.figures import FIGURE, LONGEST, NUMBER, Figures

CURRENCIES = "$€£"
MOST_STEPS = 64  # equations beyond which an answer is not read
GAP = r"[ \t]{0,3}"  # bounded, so that no run of spaces is searched in more than linear time
NUM = rf"(?>{FIGURE})"
CUR = rf"[{CURRENCIES}]?{GAP}"
SIGN = r"[-+*/×÷−–]|(?:[xX]|times)(?=\s?[\d$(.])"
OF = r"(?:(?<=%)|(?<=/\d)|(?<=/\d\d)) of(?= )"
UNIT = rf"(?>(?:{GAP}/?{GAP}(?!(?:[xX]|of|times)\s?[\d$(.])[^\W\d_]++(?:['’][^\W\d_]++)?){{0,4}})"
OPERAND = rf"\(*+{CUR}{NUM}%?{UNIT}\)*"
SIDE = rf"{OPERAND}(?:{GAP}(?:{SIGN}|{OF}){GAP}{OPERAND}){{1,40}}"
STRICT = rf"\(*{CUR}{NUM}%?\)*(?:{GAP}(?:{SIGN}){GAP}\(*{CUR}{NUM}%?\)*){{1,40}}"
EQUATION = re.compile(
    rf"(?<![\d.,])(?=[\d.(<{CURRENCIES}])(?P<left>{SIDE})?+{GAP}"
    rf"(?:=?{GAP}{CUR}<<(?P<inner>{STRICT})={GAP}{CUR}(?P<value>{NUM})%?>>(?:{CUR}(?P<shown>{NUM}))?"
    rf"|(?(left)={GAP}{CUR}(?P<right>{NUM})(?!%?{UNIT}\)*{GAP}(?:=|(?:{SIGN}){GAP}\(*{CUR}\d))|(?!)))"
)
PIECE = re.compile(rf"{FIGURE}|[-+*/×÷−–()%]|[xX](?![^\W\d_])|\bof\b|\btimes\b")
PRODUCTS = {"x": "*", "X": "*", "of": "*", "times": "*"}
UNIT_SLASH = re.compile(rf"/(?={GAP}[^\W\d_])")
LETTER = r"[B-HJ-WYZb-hj-wyz](?![^\W_]|['’])"
ALGEBRA = re.compile(
    rf"(?<![\w'’])(?<!\d )(?:{LETTER}|[xX])(?={GAP}[=+*/×÷−-])|[=+*×÷−-]{GAP}(?:{LETTER}|[xX](?!\w))|\d[A-Z](?!\w)"
)
WORD = re.compile(r"[^\W\d_]+")
AFTER = re.compile(r"%?\s?([^\W\d_]+)")
FINAL = re.compile(rf"(?:####|\banswer(?: is|:))\s*[{CURRENCIES}]?\s*(?P<number>-?(?:{FIGURE}))", re.IGNORECASE)


class UnreadError(ValueError):
    """An answer whose arithmetic is not read, with what stands in the way."""


class Side(NamedTuple):
    """One spelling of an equation's left side: its structure, and where its numbers and operators stand."""

    structure: str
    figures: tuple[int, ...]  # numbers of the figures
    signs: tuple[tuple[int, int], ...]  # [start, end) of each operator
    bare: bool  # inside an annotation


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
    if ALGEBRA.search(text):
        raise UnreadError("a letter stands for a number")
    if len(max(NUMBER.findall(text), key=len)) > LONGEST:
        raise UnreadError(f"a number of more than {LONGEST} digits")
    figures = Figures.of(text)
    at = dict(zip(figures.starts, range(len(figures)), strict=True))
    last = at.get(final.start("number"))
    if last is None:
        raise UnreadError("a negative final answer")
    matches = list(itertools.islice(EQUATION.finditer(text), MOST_STEPS + 1))
    if len(matches) > MOST_STEPS:
        raise UnreadError(f"more than {MOST_STEPS} steps")
    equations = tuple([equation(match, text, figures, at) for match in matches])
    annotated = [one for one in equations if one.sides[0].bare]
    if len(annotated) != text.count("<<"):
        raise UnreadError("a calculator annotation of another form")
    if not equations:
        raise UnreadError("no equation")
    bare = frozenset([number for one in annotated for number in (*one.sides[0].figures, one.results[0])])
    return Working(text, figures, equations, last, bare, frozenset(WORD.findall(text.lower())))


def equation(match: re.Match[str], text: str, figures: Figures, at: Mapping[int, int]) -> Equation:
    """The equation that `EQUATION` found.

    Raises:
        UnreadError: when it is no expression, or not exactly true.
    """
    annotation = match["inner"] is not None
    first = side(match.span("inner" if annotation else "left"), text, at, annotation)
    values = figures.values
    leaves = tuple([values[number] for number in first.figures])
    sides = [first]
    results = [at[match.start("value" if annotation else "right")]]
    value = values[results[0]]
    otherwise = False
    if annotation:
        if match["left"] is not None:
            spelled = side(match.span("left"), text, at, False)
            if spelled.structure == first.structure and tuple([values[n] for n in spelled.figures]) == leaves:
                sides.append(spelled)
            otherwise = len(sides) == 1
        if match["shown"] is not None and values[shown := at[match.start("shown")]] == value:
            results.append(shown)
    try:
        found = evaluate(first.structure, leaves)
    except MalformedError:
        found = None
    end = figures.end(results[-1])
    scale = 100 if found is not None and found * 100 == value and text[end : end + 1] == "%" else 1
    if found is None or found * scale != value:
        raise UnreadError(f"not exactly true: {' '.join(match.group().split())}")
    starts = [figures.starts[results[-1]], text.find("<<", match.start())] if annotation else [match.start("right")]
    money = any(text[start - 1] in CURRENCIES for start in starts if start)
    after = AFTER.match(text, end)
    unit = after[1].lower() if after else ""
    return Equation(tuple(sides), otherwise, leaves, tuple(results), value, scale, money, unit)


def side(span: tuple[int, int], text: str, at: Mapping[int, int], bare: bool) -> Side:
    """A left side that stands in [start, end); units are passed over, and a parenthesis that opened before it."""
    structure: list[str] = []
    figures: list[int] = []
    signs: list[tuple[int, int]] = []
    for piece in PIECE.finditer(text, *span):
        spelled = piece.group()
        number = at.get(piece.start())
        if number is not None:
            structure.append("N")
            figures.append(number)
        elif spelled in "()%":
            structure.append(spelled)
        elif spelled != "/" or not UNIT_SLASH.match(text, piece.start()):
            structure.append(OPERATORS.get(spelled) or PRODUCTS[spelled])
            signs.append(piece.span())
    opened = structure.count("(") - structure.count(")")
    return Side("".join(structure[opened if opened > 0 else 0 :]), tuple(figures), tuple(signs), bare)
