"""Reads a worked answer: its equations, what each is made of, the numbers around them, and the final answer.

Two forms are read, alone or mixed: the calculator annotations of GSM8K (Cobbe et al. 2021, arXiv 2110.14168),
`48/2 = <<48/2=24>>24 clips`, and plain equations, `48 ÷ 2 = 24 clips`. The final answer follows `####`, or stands
in a sentence such as "The answer is 24." Every equation must be exactly true, or the answer is not read.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from provkit.builders.domains.maths.expression import OPERATORS, MalformedError, Number, evaluate
from provkit.builders.domains.maths.figures import FIGURE, Figure, exact

TOKEN = re.compile(
    rf"(?P<N>{FIGURE})|(?P<w>[^\W\d_]+(?:['’][^\W\d_]+)*)|(?P<open><<)|(?P<close>>>)|(?P<sign>[-+*/×÷−–=%()$€£])"
    r"|(?P<n>\n)|(?P<other>\S)"
)
KINDS = {"/": "S", "=": "=", "%": "%", "(": "(", ")": ")", "$": "$", "€": "$", "£": "$"}
TIMES_WORDS = {"x": "*", "X": "*", "of": "*", "times": "*"}

# The kinds of the tokens, one character each, make a text of their own, in which the equations are found.
OPERAND = r"\(*\$?N%?(?:S?w){0,4}\)*"
SIDE = rf"{OPERAND}(?:[OS]{OPERAND})+"
STRICT = r"\(*\$?N%?\)*(?:[OS]\(*\$?N%?\)*)+"
EQUATION = re.compile(
    rf"(?:(?P<prose>{SIDE})=?)?\$?<(?P<inner>{STRICT})=\$?(?P<value>N)%?>(?:\$?(?P<shown>N))?"
    rf"|(?P<left>{SIDE})=\$?(?P<right>N)(?!%?(?:S?w){{0,4}}\)*(?:[OS]\(*\$?N|=))"
)
ALGEBRA = re.compile(r"v[OS=]|[OS=]\(*v|Nv")
FINAL = re.compile(rf"(?:####|\banswer(?: is|:))\s*[$€£]?\s*(?P<number>-?(?:{FIGURE}))", re.IGNORECASE)
REASON = "not read"


class UnreadError(ValueError):
    """An answer whose arithmetic is not read, with what stands in the way."""


@dataclass(frozen=True, slots=True)
class Side:
    """One spelling of an equation's left side: its structure, and where its numbers and operators stand."""

    structure: str
    figures: tuple[int, ...]  # numbers of the figures
    signs: tuple[tuple[int, int], ...]  # [start, end) of each operator
    bare: bool  # inside an annotation


@dataclass(frozen=True, slots=True)
class Equation:
    """A step: what is reckoned, in each place where it is spelled, and what comes out."""

    sides: tuple[Side, ...]  # the first decides; the others spell the same
    results: tuple[int, ...]  # numbers of the figures, in the order of the text
    value: Number
    money: bool  # a currency stands before the result
    unit: str  # the word after the result, in lower case
    scale: int  # 100 where the result is a per cent of what the left side is worth, otherwise 1


@dataclass(frozen=True, slots=True)
class Working:
    """A worked answer, read."""

    text: str
    figures: tuple[Figure, ...]
    equations: tuple[Equation, ...]
    final: int  # number of the figure
    words: frozenset[str]  # all in lower case


def read(text: str) -> Working:
    """The equations and figures of a worked answer.

    Raises:
        UnreadError: where it has no equation, no final answer, algebra, or an equation that is not exactly true.
    """
    kinds, spans, figures, words = tokens(text)
    final = FINAL.search(text, max(text.rfind("####"), 0))
    if final is None:
        raise UnreadError("no final answer after #### or “answer is”")
    at = {figure.start: number for number, figure in enumerate(figures)}
    last = at.get(final.start("number"))
    if last is None:
        raise UnreadError("a negative final answer")
    if ALGEBRA.search(kinds):
        raise UnreadError("a letter stands for a number")
    numbers = {token: at[start] for token, (start, _) in enumerate(spans) if kinds[token] == "N"}
    equations: list[Equation] = []
    annotated = 0
    for match in EQUATION.finditer(kinds):
        annotated += match["inner"] is not None
        equations.append(equation(match, kinds, spans, numbers, text, figures))
    if annotated != kinds.count("<"):
        raise UnreadError("a calculator annotation of another form")
    if not equations:
        raise UnreadError("no equation")
    return Working(text, tuple(figures), tuple(equations), last, words)


def tokens(text: str) -> tuple[str, list[tuple[int, int]], list[Figure], frozenset[str]]:
    """The kinds of all tokens, one character each; their places; the figures among them; and the words.

    Kinds: N number, w word, v single letter, O operator, S slash, n end of line, < > annotation, . anything else;
    parentheses, =, % and $ (any currency) are themselves.
    """
    kinds: list[str] = []
    spans: list[tuple[int, int]] = []
    figures: list[Figure] = []
    words: set[str] = set()
    maybe: list[int] = []  # words that may be operators
    line = 0
    for match in TOKEN.finditer(text):
        group, found = match.lastgroup, match.group()
        spans.append(match.span())
        if group == "N":
            kinds.append("N")
            figures.append(Figure(match.start(), match.end(), line, found, exact(found)))
        elif group == "w":
            words.add(found.lower())
            if found in TIMES_WORDS:
                maybe.append(len(kinds))
            kinds.append("v" if len(found) == 1 and found not in "aAIx" and not unit_before(text, match.start()) else "w")
        elif group == "sign":
            kinds.append(KINDS.get(found, "O"))
        elif group == "n":
            kinds.append("n")
            line += 1
        else:
            kinds.append({"open": "<", "close": ">"}.get(group or "", "."))
    kinds.append(".")
    for token in maybe:
        word = text[slice(*spans[token])]
        before, after = kinds[token - 1] if token else ".", kinds[token + 1]
        fraction = before == "N" and token > 1 and kinds[token - 2] == "S"
        if after in "N$(" and (before == "%" or fraction if word == "of" else before in "N%)"):
            kinds[token] = "O"
        elif word in "xX":
            kinds[token] = "v"
    return "".join(kinds), spans, figures, frozenset(words)


def unit_before(text: str, start: int) -> bool:
    """Whether a single letter is a unit, as in `5 m` and `30 g`."""
    return text[start] in "mglhskL" and text[:start].rstrip()[-1:].isdigit()


def equation(
    match: re.Match[str],
    kinds: str,
    spans: Sequence[tuple[int, int]],
    numbers: dict[int, int],
    text: str,
    figures: Sequence[Figure],
) -> Equation:
    """The equation that `EQUATION` found in `kinds`.

    Raises:
        UnreadError: when it is no expression, or not exactly true.
    """
    if match["inner"] is None:
        sides = [side(match.span("left"), kinds, spans, numbers, text, False)]
        results = [numbers[match.start("right")]]
        last = match.end("right")
    else:
        sides = [side(match.span("inner"), kinds, spans, numbers, text, True)]
        if match["prose"] is not None:
            spelled = side(match.span("prose"), kinds, spans, numbers, text, False)
            same = [figures[one].value for one in spelled.figures] == [figures[one].value for one in sides[0].figures]
            if same and spelled.structure == sides[0].structure:
                sides.append(spelled)
        results = [numbers[match.start("value")]]
        last = match.end("value")
        if match["shown"] is not None and figures[numbers[match.start("shown")]].value == figures[results[0]].value:
            results.append(numbers[match.start("shown")])
    value = figures[results[0]].value
    try:
        found = evaluate(sides[0].structure, [figures[one].value for one in sides[0].figures])
    except MalformedError:
        found = None
    scale = 100 if kinds[last] == "%" and found is not None and found * 100 == value else 1
    if found is None or found * scale != value:
        said = " ".join(text[spans[match.start()][0] : spans[last - 1][1]].split())
        raise UnreadError(f"not exactly true: {said}")
    money = "$" in kinds[match.end("inner" if match["inner"] is not None else "left") : match.end()] or (
        match["inner"] is not None and kinds[match.start("inner") - 2] == "$"
    )
    after = match.end() + (kinds[match.end()] == "%")
    unit = text[slice(*spans[after])].lower() if kinds[after] == "w" else ""
    return Equation(tuple(sides), tuple(results), value, money, unit, scale)


def side(
    span: tuple[int, int],
    kinds: str,
    spans: Sequence[tuple[int, int]],
    numbers: dict[int, int],
    text: str,
    bare: bool,
) -> Side:
    """A left side between two tokens; units are passed over, and a parenthesis that opened before it."""
    structure: list[str] = []
    figures: list[int] = []
    signs: list[tuple[int, int]] = []
    for token in range(*span):
        kind = kinds[token]
        if kind == "N":
            structure.append(kind)
            figures.append(numbers[token])
        elif kind in "()%":
            structure.append(kind)
        elif kind in "OS" and kinds[token + 1] in "N($":  # otherwise a slash inside a unit
            spelled = text[slice(*spans[token])]
            structure.append(OPERATORS.get(spelled) or TIMES_WORDS[spelled])
            signs.append(spans[token])
    opened, closed = structure.count("("), structure.count(")")
    while opened > closed and structure[0] == "(":
        del structure[0]
        opened -= 1
    return Side("".join(structure), tuple(figures), tuple(signs), bare)
