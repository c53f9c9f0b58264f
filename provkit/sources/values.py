"""Values that may not stand in a column: canonical JSON does not have them, or Arrow would change them silently."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

import pyarrow as pa
import pyarrow.compute as pc

HUGE = 2.0**63  # from here on a float may have been an integer that 64 bits do not hold


@dataclass(frozen=True, slots=True)
class Fault:
    """A value that is refused: the position of its row, what is wrong with it, and what to do."""

    row: int
    problem: str
    do: str


def wrong_value(array: pa.Array) -> Fault | None:
    """The first value of a column that has no canonical JSON: NaN, an infinity, or a date that no calendar has."""
    if not _contains(array.type, _countable):
        return None
    if _anywhere(array, _not_finite):
        row = first_failing(len(array), lambda size: _anywhere(array.slice(0, size), _not_finite))
        return Fault(row, "NaN or an infinity, which JSON does not have", "write null where a number is missing")
    if _anywhere(array, _no_date):
        row = first_failing(len(array), lambda size: _anywhere(array.slice(0, size), _no_date))
        return Fault(row, "a date or time zone that no calendar has", "write years from 1 to 9999, and UTC")
    return None


def changed_value(values: Sequence[Any], kind: pa.DataType) -> Fault | None:
    """The first of Python's values that Arrow would take into a column of type `kind` as something else.

    It makes 1.0 of true beside other floats, a date of a date with a time, and drops a time zone beside times
    without one.
    """
    if not _contains(kind, _countable):
        return None
    found = _changed(((row, value) for row, value in enumerate(values) if value is not None), kind)
    return None if found is None else Fault(found[0], f"{found[1]} among {kind}", "a column holds one type throughout")


def huge_integer(array: pa.Array, raw: Sequence[bytes]) -> Fault | None:
    """The first integer of a JSON text that 64 bits do not hold, and that the parser made a float of.

    Args:
        array: the column.
        raw: each row as it stands in the file.
    """
    if not _contains(array.type, pa.types.is_floating) or not _anywhere(array, _huge):
        return None
    for row, text in enumerate(raw):
        try:
            json.loads(text, parse_int=_in_range)
        except OverflowError:
            return Fault(row, "an integer that 64 bits do not hold", "write it as text")
    return None


def first_failing(size: int, fails: Callable[[int], bool]) -> int:
    """The last row of the shortest run of first rows that fails; a longer run than a failing one must fail too."""
    low, high = 0, size
    while low + 1 < high:
        middle = (low + high) // 2
        low, high = (low, middle) if fails(middle) else (middle, high)
    return high - 1


def shape_of(kind: pa.DataType, room: int = 200) -> tuple[int, int]:
    """How many plain columns a type amounts to, and how deep it nests; `room` is as deep as we look."""
    if pa.types.is_list(kind) and room:
        columns, depth = shape_of(kind.value_type, room - 1)
        return columns, depth + 1
    if pa.types.is_struct(kind) and room:
        inner = [shape_of(kind.field(i).type, room - 1) for i in range(kind.num_fields)]
        return sum(columns for columns, _ in inner), 1 + max((depth for _, depth in inner), default=0)
    return 1, 0


def holds_empty_struct(kind: pa.DataType) -> bool:
    """Whether a type holds objects without any key, for which Parquet has no form."""
    return _contains(kind, lambda t: pa.types.is_struct(t) and not t.num_fields)


def _countable(kind: pa.DataType) -> bool:
    return bool(pa.types.is_floating(kind) or pa.types.is_temporal(kind))


def _contains(kind: pa.DataType, test: Callable[[pa.DataType], bool]) -> bool:
    if test(kind):
        return True
    return any(_contains(kind.field(i).type, test) for i in range(kind.num_fields))


def _anywhere(array: pa.Array, test: Callable[[pa.Array], bool]) -> bool:
    """Whether a test says yes to any number or date of a column, however nested."""
    kind = array.type
    if _countable(kind):
        return test(array)
    if pa.types.is_list(kind):
        return _anywhere(pc.list_flatten(array), test)
    if pa.types.is_struct(kind):
        return any(_anywhere(pc.struct_field(array, [i]), test) for i in range(kind.num_fields))
    return False


def _huge(array: pa.Array) -> bool:
    return pa.types.is_floating(array.type) and bool(pc.any(pc.greater_equal(pc.abs(array), HUGE)).as_py())


def _not_finite(array: pa.Array) -> bool:
    return pa.types.is_floating(array.type) and pc.all(pc.is_finite(array)).as_py() is False


def _no_date(array: pa.Array) -> bool:
    if pa.types.is_floating(array.type):
        return False
    try:
        pc.min_max(array).as_py()
    except (ValueError, OverflowError, LookupError):
        return True
    return False


def _changed(values: Iterable[tuple[int, Any]], kind: pa.DataType) -> tuple[int, str] | None:
    if pa.types.is_floating(kind):
        return next(((row, "true or false") for row, value in values if type(value) is bool), None)
    if pa.types.is_temporal(kind):
        spelled = ((row, _time_form(value)) for row, value in values)
        first = next(spelled, None)
        return None if first is None else next(((row, form) for row, form in spelled if form != first[1]), None)
    if pa.types.is_list(kind):
        return _changed(((row, one) for row, value in values for one in value if one is not None), kind.value_type)
    if not pa.types.is_struct(kind):
        return None
    held = list(values)
    inner = [kind.field(i) for i in range(kind.num_fields)]
    found = (
        _changed(((row, value[one.name]) for row, value in held if value.get(one.name) is not None), one.type)
        for one in inner
    )
    return min((one for one in found if one is not None), default=None)


def _time_form(value: Any) -> str:
    if not hasattr(value, "tzinfo"):
        return "a date without a time"
    return "a time without a zone" if value.tzinfo is None else "a time with a zone"


def _in_range(digits: str) -> int:
    if len(digits) > 20 or not -(1 << 63) <= (value := int(digits)) < 1 << 64:
        _too_big()
    return value


def _too_big() -> NoReturn:
    raise OverflowError
