"""Whether every row has the columns of the first, and every column one type throughout, as a build demands."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from provkit.audit.form import SCHEMA, Form
from provkit.audit.model import Example
from provkit.errors import plain

DEPTH = 16  # of nesting that is compared
FIELDS = 256  # keys of one nested object that are compared
KINDS = {str: "text", bool: "boolean", int: "number", float: "number", list: "list", dict: "object"}


@dataclass(slots=True)
class Shape:
    """The types that stand at one place of the rows, and at the places inside it."""

    kinds: set[str] = field(default_factory=set)
    fields: dict[str, Shape] = field(default_factory=dict)
    item: Shape | None = None

    def clash(self, other: Shape, path: str) -> str | None:
        """Where another shape has a type that this one does not go with, in words."""
        if self.kinds and other.kinds and self.kinds != other.kinds:
            return f"{path} is {_said(other.kinds)} where it was {_said(self.kinds)}"
        inner = [(self.fields[key], other.fields[key], f"{path}.{key}") for key in other.fields if key in self.fields]
        if self.item is not None and other.item is not None:
            inner.append((self.item, other.item, f"{path}[]"))
        return next((found for mine, its, at in inner if (found := mine.clash(its, at))), None)

    def take(self, other: Shape) -> None:
        """Adds what another shape knows where this one knew nothing."""
        self.kinds = self.kinds or other.kinds
        for key, shape in other.fields.items():
            if key in self.fields:
                self.fields[key].take(shape)
            elif len(self.fields) < FIELDS:
                self.fields[key] = shape
        if self.item is None:
            self.item = other.item
        elif other.item is not None:
            self.item.take(other.item)

    def mixed(self) -> bool:
        """Whether several types stand at one place."""
        inner = [*self.fields.values(), *([self.item] if self.item else [])]
        return len(self.kinds) > 1 or any(shape.mixed() for shape in inner)


def shape_of(values: list[Any], depth: int = DEPTH) -> Shape:
    """The shape of a column's values, taken together."""
    types = set(map(type, values))
    shape = Shape({KINDS.get(kind, kind.__name__) for kind in types if kind is not type(None)})
    if depth and list in types:
        lists = values if len(types) == 1 else [value for value in values if type(value) is list]
        shape.item = shape_of(list(chain.from_iterable(lists)), depth - 1)
    if depth and dict in types:
        objects = values if len(types) == 1 else [value for value in values if type(value) is dict]
        keys = {key for some in set(map(tuple, objects)) for key in some}
        if len(keys) <= FIELDS:
            shape.fields = {key: shape_of([one.get(key) for one in objects], depth - 1) for key in sorted(keys)}
    return shape


class Schema:
    """Watches the rows of one file; the first row settles the columns, the first value a column's type."""

    def __init__(self, form: Form, fill: bool = False) -> None:
        self._form, self._fill = form, fill
        self._columns: frozenset[str] | None = None
        self._shape = Shape()

    def see(self, rows: list[dict[str, Any]], place: Callable[[int], Example]) -> None:
        """Compares a stretch of rows with those before."""
        if not rows:
            return
        if self._columns is None:
            self._columns = frozenset(rows[0])
        if {frozenset(keys) for keys in set(map(tuple, rows))} != {self._columns}:
            self._differing(rows, place)
        columns = sorted(self._columns)[:FIELDS]
        together = Shape({"object"}, {name: shape_of([row.get(name) for row in rows]) for name in columns})
        if not together.mixed() and self._shape.clash(together, "") is None:
            self._shape.take(together)
            return
        for at, row in enumerate(rows):
            alone = Shape({"object"}, {name: shape_of([row.get(name)]) for name in columns})
            found = next((name for name, one in alone.fields.items() if one.mixed()), None)
            clash = f"{found} holds several types in one row" if found else self._shape.clash(alone, "")
            if clash is None:
                self._shape.take(alone)
            else:
                self._form.saw(SCHEMA, f"the type of {plain(clash.lstrip('.'), 120)}", place(at), "rows")

    def _differing(self, rows: list[dict[str, Any]], place: Callable[[int], Example]) -> None:
        assert self._columns is not None
        words: dict[tuple[str, ...], str] = {}
        for at, row in enumerate(rows):
            keys = tuple(row)
            if keys not in words:
                words[keys] = self._said(keys)
            if words[keys]:
                self._form.saw(
                    SCHEMA, "rows with other columns than the first row", place(at).said(words[keys]), "rows"
                )

    def _said(self, keys: tuple[str, ...]) -> str:
        assert self._columns is not None
        missing, more = sorted(self._columns.difference(keys)), [key for key in keys if key not in self._columns]
        parts = [
            f"{word} {', '.join(plain(key, 40) for key in some[:5])}"
            for word, some in (("without", missing), ("with", more))
            if some
        ]
        return " and ".join(parts)


def _said(kinds: set[str]) -> str:
    return " or ".join(sorted(kinds))
