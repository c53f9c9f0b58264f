"""Carries and borrows of written arithmetic on whole numbers, each at its worth."""

from __future__ import annotations


def carries(addends: list[int]) -> list[int]:
    """The carries of a written sum, each at its worth: 48 + 37 has one, of 10."""
    found, carry, place = [], 0, 1
    while place <= max(addends):
        carry = (sum(addend // place % 10 for addend in addends) + carry) // 10
        place *= 10
        if carry and place <= max(addends):  # the last one is written down, not carried
            found.append(carry * place)
    return found


def borrows(minuend: int, subtrahend: int) -> list[int]:
    """The borrows of a written difference, each at its worth: 52 - 17 has one, of 10."""
    found, borrow, place = [], 0, 1
    while place <= subtrahend:
        borrow = int(minuend // place % 10 - borrow < subtrahend // place % 10)
        place *= 10
        if borrow and minuend - subtrahend + place <= minuend:
            found.append(place)
    return found


def product_carries(left: int, right: int) -> list[int]:
    """The carries in the lines of a written product, one line for each digit of the smaller factor."""
    top, bottom = max(left, right), min(left, right)
    found, shift = [], 1
    while shift <= bottom:
        digit, carry, place = bottom // shift % 10, 0, 1
        while place <= top:
            carry = (top // place % 10 * digit + carry) // 10
            place *= 10
            if carry and place <= top:
                found.append(carry * place * shift)
        shift *= 10
    return found
