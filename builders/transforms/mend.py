"""Mends what an audit found and what can be mended without doubt: white space, HTML entities, numbers as text."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from provkit.audit.mending import number_kind, without_edges, without_entities
from provkit.registry import builder
from provkit.row import Drop, Row


@builder
class MendWhitespace:
    """Takes blank lines off the front and white space off the back of texts (rule T003 of provkit audit).

    A first line keeps an indent that the lines after it share, so blocks of code stay as they are. Line ends stay too,
    so that nothing changes but what the rule reports; `whitespace` brings those to LF as well.
    """

    columns: list[str] | None = None
    """Only these columns (`messages` for the turns of chat rows); all when none is named."""

    def apply(self, row: Row) -> Row:
        """The row with its texts stripped; the note names the columns."""
        return _mended(row, self.columns, without_edges, "white space")


@builder
class MendEntities:
    """Reads HTML entities back that a scraper left in texts (rule T004 of provkit audit).

    A text with raw tags beside the entities, with code that escapes, or with an entity alone in quotes is left alone:
    there an entity may be meant.
    """

    columns: list[str] | None = None
    """Only these columns (`messages` for the turns of chat rows); all when none is named."""

    def apply(self, row: Row) -> Row:
        """The row with its entities read back; the note names the columns."""
        return _mended(row, self.columns, without_entities, "entities")


@builder
class MendNumbers:
    """Takes numbers out of their quotes in the named columns (rule T005 of provkit audit).

    A row whose text is no such number is dropped with its reason: it would give the column two types.
    """

    columns: dict[str, Literal["integer", "real"]]

    def apply(self, row: Row) -> Row | Drop:
        """The row with numbers; unchanged when the columns hold none as text."""
        changes: dict[str, Any] = {}
        for column, kind in self.columns.items():
            text = row.get(column)
            if not isinstance(text, str):
                continue
            found = number_kind(text)
            if found is None or (kind == "integer" and found != "integer"):
                return row.drop("no number", f"{column}: {text[:60]!r} is no {kind}")
            changes[column] = int(text) if kind == "integer" else float(text)
        return row.derive(changes, f"numbers: {', '.join(changes)}") if changes else row


def _mended(row: Row, columns: list[str] | None, mend: Callable[[str], str], what: str) -> Row:
    changes: dict[str, Any] = {}
    for column, value in row.items():
        if columns is not None and column not in columns:
            continue
        if isinstance(value, str):
            new: Any = mend(value)
        elif column == "messages" and isinstance(value, list):
            new = [_turn(turn, mend) for turn in value]
        else:
            continue
        if new != value:
            changes[column] = new
    return row.derive(changes, f"{what}: {', '.join(changes)}") if changes else row


def _turn(turn: Any, mend: Callable[[str], str]) -> Any:
    if isinstance(turn, dict) and isinstance(turn.get("content"), str):
        return {**turn, "content": mend(turn["content"])}
    return turn
