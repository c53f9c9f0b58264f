"""Equations between written numbers in a text, and which of them are false."""

from __future__ import annotations

import re
from fractions import Fraction

_DIGITS = r"\d{1,15}(?:,\d{3}){0,4}(?:\.\d{1,15})?%?"  # bounded, and so are the signs: no text takes long
_NUMBER = rf"\$?{_DIGITS}"
_SIGN = r"[ \t]{0,3}(?:[-+*/×÷·−–]|x(?=[ \t]*[\d$]))[ \t]{0,3}"
EQUATION = re.compile(
    rf"(?<![\w.,)$%^])(?P<left>{_NUMBER}(?:{_SIGN}{_NUMBER}){{1,12}})[ \t]*=[ \t]*(?P<right>\$?-?{_DIGITS})"
    r"(?![\d(]|[.,]\d|[ \t]*[-+*/×÷·−–^])"
)
_MAYBE = re.compile(r"[\d%][ \t]*=[ \t]*[-$\d]")
_PART = re.compile(rf"{_NUMBER}|[-+*/×÷·−–x]")
_LEADING = re.compile(r"[-+*/×÷·−–=(^][ \t]*\Z")  # what stands before is part of the expression, and was not read
TIMES, OVER, MINUS = "*×·x", "/÷", "-−–"


def equations(text: str) -> tuple[int, int]:
    """How many equations `number sign number … = number` a text holds, and how many of them are false.

    Signs bind as usual, brackets are not read. A right side with decimals may be rounded to the places that it shows;
    a division whose right side shows none, to a whole number.
    """
    count = false = 0
    for found in EQUATION.finditer(text) if _MAYBE.search(text) else ():
        if _LEADING.search(text, max(0, found.start() - 8), found.start()):
            continue
        value = _value(found["left"])
        if value is None:
            continue
        count += 1
        false += not _equal(value, found["right"], any(sign in found["left"] for sign in OVER))
    return count, false


def _value(expression: str) -> int | Fraction | None:
    """What an expression comes to; None for a division by zero."""
    parts = _PART.findall(expression)
    total: int | Fraction = 0
    product = _number(parts[0])
    for sign, number in zip(parts[1::2], map(_number, parts[2::2]), strict=True):
        if sign in TIMES:
            product *= number
        elif sign in OVER:
            if not number:
                return None
            product = Fraction(product) / number
        else:
            total, product = total + product, -number if sign in MINUS else number
    return total + product


def _number(text: str) -> int | Fraction:
    bare = text.strip("$%").replace(",", "")
    if bare.isdecimal() and text[-1] != "%":  # as most are, and faster by far
        return int(bare)
    return Fraction(bare) / (100 if text[-1] == "%" else 1)


def _equal(value: int | Fraction, right: str, divided: bool) -> bool:
    bare = right.replace("$", "").replace(",", "").rstrip("%")
    if isinstance(value, int) and bare.lstrip("-").isdecimal() and right[-1] != "%":
        return bool(value == int(bare))
    places = len(bare.partition(".")[2])
    stated, scale = Fraction(bare), 100 if right[-1] == "%" else 1
    if value == stated / scale:
        return True
    if not places and not divided:
        return False
    return bool(abs(value * scale - stated) <= Fraction(1, 2) / 10**places)
