"""Column maps: how rows of public sets become LITMUS rows, out of catalog/litmus/sources.yaml or of a recipe's own."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

from provkit.row import Drop

SIDES = ("safe", "unsafe")
TURN = re.compile(r"\n\n(Human|Assistant): ?")


@dataclass(frozen=True, slots=True)
class ColumnMap:
    """Which column holds what; `label` is a side, or empty where `values` or `named` say it.

    Attributes:
        name: of the set, the source_dataset of its rows unless `source` names a column.
        needs: the columns that a row must have.
        input, axiom, source, pair: columns; empty where there is none.
        label, column, values, named: one side for all rows; or the column that says it and what its values mean; or
            what a word in the name of the file or split means.
        sides: the columns of a safe and an unsafe text in one row; empty where a row is one text.
    """

    name: str
    needs: tuple[str, ...]
    input: str = ""
    axiom: str = ""
    source: str = ""
    pair: str = ""
    label: str = ""
    column: str = ""
    values: Mapping[str, str] = field(default_factory=dict)
    named: Mapping[str, str] = field(default_factory=dict)
    sides: tuple[str, ...] = ()

    def fits(self, row: Mapping[str, Any]) -> bool:
        """Whether a row has what this map needs."""
        return all(row.get(column) is not None for column in self.needs)

    def read(self, row: Mapping[str, Any], place: str) -> dict[str, Any] | Drop:
        """The columns of a LITMUS row, or of a pair; `place` is the name of the file or split that it stood in."""
        axiom = row.get(self.axiom) if self.axiom else None
        source = str(row.get(self.source) or self.name) if self.source else self.name
        base = {"axiom": None if axiom is None else str(axiom)}
        if self.sides:
            (asked, safe), (_, unsafe) = (last_turn(str(row[column])) for column in self.sides)
            if not safe or not unsafe:
                return Drop("no text", f"{', '.join(self.sides)}")
            given = {"safe_source": source, "unsafe_source": source, "question": asked or None, "pairing": "given"}
            return {**base, "safe": safe, "unsafe": unsafe, **given}
        text = row[self.input]
        if not isinstance(text, str) or not text.strip():
            return Drop("no text", self.input)
        side = self._side(row, place)
        if side is None:
            return Drop("no label", f"{self.column or 'the name of its file'}: {row.get(self.column, place)}")
        pair = row.get(self.pair) if self.pair else None
        return {
            "input": text.strip(),
            **base,
            "safety_label": side,
            "source_dataset": source,
            "pair": None if pair is None else f"{source} {pair}",
        }

    def _side(self, row: Mapping[str, Any], place: str) -> str | None:
        if self.label:
            return self.label
        if self.column:
            return self.values.get(str(row[self.column]).strip().lower())
        return next((side for word, side in self.named.items() if word in place.lower()), None)


def last_turn(text: str) -> tuple[str, str]:
    """Of a dialogue in the form of HH-RLHF what was last asked and what was answered; of another text itself."""
    turns = TURN.split(text)
    if len(turns) < 3 or turns[-2] != "Assistant":
        return "", text.strip()
    asked = turns[-3].strip() if len(turns) >= 5 and turns[-4] == "Human" else ""
    return asked, turns[-1].strip()


@cache
def maps() -> tuple[ColumnMap, ...]:
    """catalog/litmus/sources.yaml, in its order."""
    import yaml

    read = yaml.safe_load((files("provkit.catalog") / "litmus" / "sources.yaml").read_text(encoding="utf-8"))
    return tuple(column_map(name, entry) for name, entry in read.items())


def column_map(name: str, entry: Mapping[str, Any]) -> ColumnMap:
    """A map from its YAML.

    Raises:
        ValueError: when it has neither an input and a label nor two sides, or a key that means nothing.
    """
    known = {"needs", "input", "label", "axiom", "source", "pair", *SIDES}
    if strange := sorted(set(entry) - known):
        raise ValueError(f"{name}: unknown key {strange[0]!r}; there are {', '.join(sorted(known))}")
    columns: dict[str, Any] = {key: str(entry[key]) for key in ("input", "axiom", "source", "pair") if key in entry}
    if all(side in entry for side in SIDES):
        sides = tuple(str(entry[side]) for side in SIDES)
        return ColumnMap(name, tuple(entry.get("needs", sides)), sides=sides, **columns)
    label = entry.get("label")
    if "input" not in entry or label is None:
        raise ValueError(f"{name}: `input` and `label`, or `safe` and `unsafe`, are expected")
    found: dict[str, Any] = {}
    if isinstance(label, str):
        found["label"] = label
    elif "named" in label:
        found["named"] = dict(label["named"])
    else:
        found["column"] = label["column"]
        found["values"] = {str(value).lower(): side for side in SIDES for value in label.get(side, [side])}
    sides_named = {found.get("label", "safe"), *found.get("named", {}).values()}
    if not sides_named <= set(SIDES):
        raise ValueError(f"{name}: a label is safe or unsafe, not {', '.join(sorted(sides_named - set(SIDES)))}")
    needs = tuple(entry.get("needs", [columns["input"], *([found["column"]] if "column" in found else [])]))
    return ColumnMap(name, needs, **columns, **found)
