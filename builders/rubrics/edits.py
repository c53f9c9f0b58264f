"""Edits of a rubric: drawn, composed, recorded, and replayed out of the record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from provkit.builders.rubrics.operators import OPERATORS, Change
from provkit.chance import Chance
from provkit.errors import InputError
from provkit.rubrics.pieces import joined, split, untouched

TRIES = 40  # draws for one edit that applies, before a text counts as one that no operator changes
REWRITE = "rewrite"

Edit = dict[str, Any]


def edited(text: str, chance: Chance, count: int, operators: Sequence[str] = ()) -> tuple[str, list[Edit]]:
    """A text after `count` edits, and their record; fewer where no operator applies any more.

    An edit is recorded as its operator, the draw that it takes its chance from, and in words what it put in and what
    stood there: `{"operator", "draw", "put", "was"}`.
    """
    names = list(operators) or list(OPERATORS)
    edits: list[Edit] = []
    for _ in range(count):
        for _ in range(TRIES):
            name, draw = chance.choice(names), chance.integer(0, 2**53 - 1)  # exact in any JSON reader
            change = _applied(text, name, draw)
            if change is not None:
                text = joined(change.pieces)
                edits.append({"operator": name, "draw": draw, "put": change.put, "was": change.was})
                break
    return text, edits


def replayed(text: str, edits: Sequence[Mapping[str, Any]]) -> str:
    """The text that recorded edits make of a seed.

    Raises:
        InputError: when an operator is unknown or no longer applies: the record is of another seed or version.
    """
    for number, edit in enumerate(edits, 1):
        if edit.get("operator") == REWRITE:  # by a model: the record holds the whole text
            text = str(edit["put"])
            continue
        if edit.get("operator") not in OPERATORS:
            raise InputError(f"edit {number}: no operator {edit.get('operator')!r}", field="edits")
        change = _applied(text, edit["operator"], int(edit["draw"]))
        if change is None or change.put != edit.get("put", change.put):
            do = "replay it on its own seed, with the version of provkit that made it"
            raise InputError(f"edit {number}, {edit['operator']}, does not do here what it did", field="edits", do=do)
        text = joined(change.pieces)
    return text


def _applied(text: str, name: str, draw: int) -> Change | None:
    """What an operator does with this draw; None where it does not apply, changes nothing, or would touch the form."""
    change = OPERATORS[name](split(text), Chance.of("rubric edit", name, draw))
    if change is None:
        return None
    made = joined(change.pieces)
    return change if made != text and untouched(text, made) else None
