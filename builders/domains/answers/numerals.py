"""Numbers as an answer writes them: in digits, and in Roman numerals."""

from __future__ import annotations

GROUPED_FROM = 10_000  # from here on a number is written with commas
ROMAN = (
    (1000, "M"), (900, "CM"), (500, "D"), (400, "CD"), (100, "C"), (90, "XC"), (50, "L"), (40, "XL"), (10, "X"),
    (9, "IX"), (5, "V"), (4, "IV"), (1, "I"),
)  # fmt: skip


def shown(number: int) -> str:
    """A number as it is written."""
    return f"{number:,}" if number >= GROUPED_FROM else str(number)


def roman(number: int) -> str:
    """A number from 1 to 3999 in Roman numerals."""
    text = ""
    for value, sign in ROMAN:
        times, number = divmod(number, value)
        text += sign * times
    return text
