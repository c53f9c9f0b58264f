"""The step `whitespace`: texts without stray white space at their ends, and with one kind of line end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from provkit.audit.mending import without_edges
from provkit.registry import builder
from provkit.row import Row


@builder
class Whitespace:
    """Brings line ends to LF and takes leading blank lines and leading and trailing white space off every text.

    Arms that differ in it can be told apart without reading them, a fault of released sets. Text columns and the
    content of turns are changed alike in all rows. A first line keeps an indent that the lines after it share, since
    that is a block of code. The note says where and what: `{"answer": ["trailing"]}`.

    For sets that are made: all texts alike, line ends too. `mend_whitespace` is for rows that were taken over from
    elsewhere: it does the same to the edges, leaves line ends as they are, and can be told its columns.
    """

    def apply(self, row: Row) -> Row:
        """The row with clean texts; the row itself where they were clean."""
        found: dict[str, list[str]] = {}
        changes: dict[str, Any] = {}
        for name, value in row.items():
            if isinstance(value, str):
                changes[name] = cleaned(value, found.setdefault, name)
            elif name == "messages" and isinstance(value, list):
                changes[name] = [turn_cleaned(turn, found.setdefault) for turn in value]
        return row.derive(changes, found) if found else row


Found = Callable[[str, list[str]], list[str]]


def turn_cleaned(turn: Any, found: Found) -> Any:
    """A turn with clean content."""
    content = turn.get("content") if isinstance(turn, dict) else None
    return {**turn, "content": cleaned(content, found, str(turn.get("role")))} if isinstance(content, str) else turn


def cleaned(text: str, found: Found, where: str) -> str:
    """The clean text; `found` hears what was wrong, if anything."""
    ends = text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text
    clean = without_edges(ends)
    if clean == text:
        return text
    said = found(where, [])
    for what, wrong in (
        ("line ends", ends != text),
        ("leading", ends.rstrip() != clean),
        ("trailing", ends != ends.rstrip()),
    ):
        if wrong and what not in said:
            said.append(what)
    return clean
