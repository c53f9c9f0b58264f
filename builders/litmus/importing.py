"""The step `litmus_import`: rows of public or own sets as LITMUS rows, by their columns."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

from provkit.builders.litmus.maps import ColumnMap, column_map, maps
from provkit.registry import builder
from provkit.row import Drop, Row
from provkit.table import INPUT, Rows


@builder
class LitmusImport:
    """Makes rows with input, axiom, safety_label and source_dataset out of rows of other columns.

    MMLU, HH-RLHF, HateCheck, AdvBench, JailbreakBench and sets with LITMUS's own columns are known by their columns. A
    row of HH-RLHF is a pair by itself; matched rows of HateCheck (by case) and JailbreakBench (by index, the label by
    "benign" or "harmful" in the name of file or split) keep what matches them. Pairs of `litmus_pairs` pass.

    Args:
        columns: a map for rows that none of these fits, as in catalog/litmus/sources.yaml: `{input: text, label:
            {column: y, safe: [ok], unsafe: [bad]}}`, with axiom, source and pair where there are such columns.
        name: the source_dataset of rows that this map reads and that have no column for it.
    """

    columns: dict[str, Any] | None = None
    name: str = "own"

    def __post_init__(self) -> None:
        if self.columns is not None:
            column_map(self.name, self.columns)

    @cached_property
    def _maps(self) -> tuple[ColumnMap, ...]:
        own = () if self.columns is None else (column_map(self.name, self.columns),)
        return (*own, *maps())

    def rewrite(self, rows: Rows) -> Callable[[Row], Row | Drop]:
        """The rows; one that no map fits is dropped."""
        numbers = rows.lineage(columns=[INPUT]).column(INPUT).to_pylist()
        places = [" ".join(filter(None, (one.source, one.file, one.arm, one.split))) for one in rows.inputs]

        def act(row: Row) -> Row | Drop:
            if is_pair(row):
                return row
            found = next((one for one in self._maps if one.fits(row)), None)
            if found is None:
                return Drop("unknown columns", ", ".join(name for name in row if row[name] is not None))
            read = found.read(row, places[numbers[row.at]])
            if isinstance(read, Drop):
                return read
            return row.derive(read, note={"map": found.name}, without=[name for name in row if name not in read])

        return act


def is_pair(row: Row) -> bool:
    """Whether a row holds both sides already."""
    return isinstance(row.get("safe"), str) and isinstance(row.get("unsafe"), str)
