"""What a worked answer may use without having reckoned it: the numbers of the question, and common knowledge."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import NamedTuple

from provkit.builders.domains.maths.expression import Number, whole
from provkit.builders.domains.maths.figures import FIGURE, LONGEST, NUMBER, exact
from provkit.builders.domains.maths.units import TENS, Conversion, active, units

WORDS_ONLY = dict.fromkeys([*range(45), *range(46, 65), *range(91, 97), *range(123, 128), 8217], " ")
RATIO = re.compile(rf"({FIGURE})\s?(%|percent|/\s?[0-9]{{1,9}})")
ALWAYS = frozenset[Number]({0, 1, 2})  # one of a kind, and a couple: never told from a result of the same value


class Known(NamedTuple):
    """Numbers that need no step to be there, and the conversions that question and answer speak of."""

    numbers: frozenset[Number]
    figures: frozenset[Number]  # those that the question has in figures
    conversions: tuple[Conversion, ...]


def known(question: str, words: frozenset[str]) -> Known:
    """What the question gives, in figures and in words, and the factors of the conversions that are spoken of.

    Args:
        question: its text.
        words: the words of the answer, in lower case.
    """
    table = units()
    lower = question.lower()
    figures = frozenset([exact(one) for one in NUMBER.findall(question) if len(one) <= LONGEST])
    numbers = set(figures)
    asked = set(lower.translate(WORDS_ONLY).split())
    for word in asked & table.counted:
        numbers.update(table.numbers[word])
    if "-" in lower:
        for word in (word for word in asked if "-" in word):
            numbers |= hyphenated(word)
            words = words.union(word.split("-"))
    if "%" in question or "/" in question or "percent" in lower:
        for top, bottom in RATIO.findall(lower):
            if len(top) <= LONGEST:
                numbers |= ratio(exact(top), bottom)
        numbers |= {100}
    conversions = active((words & table.words) | (asked & table.words))
    return Known(ALWAYS.union(numbers, [one.factor for one in conversions]), figures, conversions)


def hyphenated(word: str) -> set[Number]:
    """The numbers in `twenty-five` and in `two-thirds`."""
    table = units()
    found: set[Number] = set()
    parts = word.split("-")
    for part in parts:
        found.update(table.numbers.get(part, ()))
    if parts[0] in TENS and len(found) == 2:
        found.add(sum(found))
    return found


def ratio(top: Number, bottom: str) -> set[Number]:
    """What `20%` or `3/4` leads to without a step: the share as a number, and what it leaves of the whole."""
    base: Number = exact(bottom[1:].strip()) if bottom[0] == "/" else 100
    if not base:
        return set()
    share = whole(Fraction(top) / base)
    return {share, whole(1 - Fraction(share)), whole(1 + Fraction(share)), base, base - top, base + top}
