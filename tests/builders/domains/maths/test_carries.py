"""Carries and borrows: each is what the written reckoning is off by when it is forgotten."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from provkit.builders.domains.maths.carries import borrows, carries, product_carries


def written_sum(addends: list[int], forgotten: int) -> int:
    """Column addition in which the carry out of one column is forgotten (-1: none)."""
    width = max(len(str(addend)) for addend in addends)
    digits, carry = [], 0
    for column in range(width):
        total = sum(int(str(addend)[::-1][column]) for addend in addends if column < len(str(addend))) + carry
        carry = 0 if column == forgotten else total // 10
        digits.append(total % 10)
    return int(f"{carry or ''}{''.join(map(str, digits[::-1]))}")


def written_line(number: int, digit: int, forgotten: int) -> int:
    """A line of a written product: `number` times one digit, with one carry forgotten (-1: none)."""
    digits, carry = [], 0
    for column, one in enumerate(str(number)[::-1]):
        total = int(one) * digit + carry
        carry = 0 if column == forgotten else total // 10
        digits.append(total % 10)
    return int(f"{carry or ''}{''.join(map(str, digits[::-1]))}")


def written_difference(minuend: int, subtrahend: int, forgotten: int) -> int | None:
    """Column subtraction in which the borrow out of one column is forgotten; None where it does not come out."""
    digits, borrow = [], 0
    for column, one in enumerate(str(minuend)[::-1]):
        other = int(str(subtrahend)[::-1][column]) if column < len(str(subtrahend)) else 0
        left = int(one) - other - borrow
        borrow = int(left < 0)
        digits.append(left % 10)
        if column == forgotten:
            borrow = 0
    return None if borrow else int("".join(map(str, digits[::-1])))


def test_by_hand() -> None:
    assert carries([48, 37]) == [10]
    assert carries([48, 24, 8]) == [20]
    assert carries([275, 148, 6]) == [10, 100]
    assert carries([70, 60]) == []  # the 1 of 130 is written down, not carried
    assert borrows(52, 17) == [10]
    assert borrows(304, 127) == [10, 100]
    assert borrows(100, 7) == []  # forgetting it would leave more than there was
    assert product_carries(14, 6) == [20]
    assert product_carries(38, 25) == [40, 100]  # 38 * 5 carries 4 tens; 38 * 2 carries 1, one place further left
    assert product_carries(9, 8) == []


@given(st.lists(st.integers(1, 99_999), min_size=2, max_size=4))
def test_a_forgotten_carry_of_a_sum(addends: list[int]) -> None:
    columns = len(str(max(addends))) - 1
    wrong = {written_sum(addends, column) for column in range(columns)} - {sum(addends)}
    assert {sum(addends) - one for one in carries(addends)} == wrong


@given(st.integers(1, 9_999), st.integers(1, 999))
def test_a_forgotten_carry_of_a_product(left: int, right: int) -> None:
    top, bottom = max(left, right), min(left, right)
    wrong = set()
    for place, digit in enumerate(str(bottom)[::-1]):
        for column in range(len(str(top)) - 1):
            line = written_line(top, int(digit), column)
            wrong.add(left * right - (top * int(digit) - line) * 10**place)
    assert {left * right - one for one in product_carries(left, right)} == wrong - {left * right}


@given(st.integers(1, 99_999), st.integers(1, 99_999))
def test_a_forgotten_borrow_of_a_difference(one: int, other: int) -> None:
    minuend, subtrahend = max(one, other), min(one, other)
    right = minuend - subtrahend
    columns = range(len(str(subtrahend)))
    wrong = {value for c in columns if (value := written_difference(minuend, subtrahend, c)) is not None}
    assert {right + off for off in borrows(minuend, subtrahend)} == {w for w in wrong - {right} if w <= minuend}
