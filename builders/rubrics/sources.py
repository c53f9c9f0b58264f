"""What a step finds in a set that was put together `alongside`: the rubric, and the pairs of each source."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from provkit.errors import InputError
from provkit.row import Drop, Row
from provkit.rubrics.layouts import Layout, NoPair, layout_of
from provkit.rubrics.pairs import Pair, Taking, taken
from provkit.rubrics.template import Rubric, checked
from provkit.table import INPUT, Rows


@dataclass(slots=True)
class Gathered:
    """Rubrics by their position in the set, pairs by source and position, why a row holds no pair, and other rows."""

    rubrics: dict[int, Rubric] = field(default_factory=dict)
    pairs: dict[str, dict[int, list[Pair]]] = field(default_factory=dict)
    odd: dict[int, str] = field(default_factory=dict)
    others: dict[int, Row] = field(default_factory=dict)

    def preferences(self, row: Row, label: Callable[[Pair], Row | Drop]) -> list[Row] | Drop:
        """What `label` makes of the pairs of a row: the rows, or where there are none the first drop."""
        if row.at in self.odd:
            return Drop("no pair", self.odd[row.at])
        made = [label(pair) for held in self.pairs.values() for pair in held.get(row.at, [])]
        kept = [one for one in made if isinstance(one, Row)]
        return kept or next((one for one in made if isinstance(one, Drop)), Drop("no pair"))


def gathered(rows: Rows, taking: Taking, rubric_from: str, others_from: str | None = None) -> Gathered:
    """The rubrics of the source `rubric_from`, the rows of `others_from`, and the pairs of every other one.

    Raises:
        InputError: for a rubric with a fault.
    """
    found = Gathered()
    names = [one.source for one in rows.inputs]
    sources = [names[number] for number in rows.lineage(columns=[INPUT]).column(INPUT).to_pylist()]
    layouts = _layouts(rows, sources, taking, (rubric_from, others_from))
    for at, (row, source) in enumerate(zip(rows.rows(), sources, strict=True)):
        if source == rubric_from:
            found.rubrics[at] = _rubric(row, rows, at)
            continue
        if source == others_from:
            found.others[at] = row
            continue
        try:
            found.pairs.setdefault(source, {})[at] = list(taken(row, taking, layouts[source]))
        except NoPair as error:
            found.odd[at] = str(error)
    return found


def _layouts(rows: Rows, sources: list[str], taking: Taking, without: tuple[str | None, ...]) -> dict[str, Layout]:
    """The layout of each source of pairs: told by the columns in which any of its rows has a value."""
    columns: dict[str, dict[str, Any]] = {}
    for content, source in zip(rows.contents(), sources, strict=True):
        known = columns.setdefault(source, {})
        known |= {name: value for name, value in content.items() if value is not None and name not in known}
    return {source: layout_of(taking.layout, row) for source, row in columns.items() if source not in without}


def one_rubric(rubrics: Mapping[int, Rubric], source: str) -> tuple[int, Rubric]:
    """The only rubric, and its position.

    Raises:
        InputError: when there are none or several.
    """
    if len(rubrics) != 1:
        raise InputError(f"one rubric is expected, it has {len(rubrics)}", field=source, do="give a file of one")
    return next(iter(rubrics.items()))


def _rubric(row: Row, rows: Rows, at: int) -> Rubric:
    import numpy as np

    where = rows.locators(np.array([at]))[0]
    text, name = row.get("prompt"), row.get("prompt_id")
    if not isinstance(text, str) or not isinstance(name, str | int):
        raise InputError("a rubric has the fields prompt_id and prompt", file=where)
    return checked(Rubric(str(name), text, where))
