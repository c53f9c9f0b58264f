"""Asks a model about every row of a set: once all together, so that answers are at hand, then row by row."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

from provkit.llm.teacher import Teacher, known
from provkit.row import Drop, NoSuchPart, Row
from provkit.table import Rows

A = TypeVar("A", bound=Row | list[Row] | Drop)
One = Callable[[Row, Teacher], Coroutine[Any, Any, A]]


def each_row(one: One[A], rows: Rows, teacher: Teacher) -> Callable[[Row], A]:
    """What a step answers row by row, after all that it asks has been asked.

    Nothing but the cache holds the answers in between, so that memory does not grow with the number of rows.
    """
    if teacher.endpoint is not None:
        total, heard = len(rows), 0

        def done(_: object) -> None:
            nonlocal heard
            heard += 1
            if heard % 16 == 0 or heard == total:
                teacher.progress(heard, total)

        teacher.over(rows.rows(), guarded(one, teacher), done)
    return lambda row: known(one(row, teacher))


def guarded(one: One[A], teacher: Teacher) -> Callable[[Row], Awaitable[A | Drop]]:
    """The same for one row, where a row without prompt or answer is a drop as in every step."""

    async def ask(row: Row) -> A | Drop:
        try:
            return await one(row, teacher)
        except NoSuchPart as error:
            return Drop(f"no {error.part}", str(error))

    return ask
