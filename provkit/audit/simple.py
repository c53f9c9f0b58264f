"""Rows of so plain a form that a build's reader cannot refuse them, so that it need not be asked."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any

FITS = 2**63 - 1
TURN = {("role", "content"), ("content", "role")}

Form = tuple[tuple[str, str], ...]


def plain_form(rows: Sequence[dict[str, Any]]) -> tuple[Form, int] | None:
    """Columns and their kinds (text, integer, boolean, chat), and how many keys all objects have; None for others.

    Every row has the same columns, every value of a column the same kind, nothing is null; a chat is a list of
    turns with role and content, both text.
    """
    keys = set(map(tuple, rows))
    if len(keys) != 1:
        return None
    form, names = [], next(iter(keys))
    count = len(rows) * len(names)
    for name in names:
        values = [row[name] for row in rows]
        kinds = set(map(type, values))
        kind = kinds.pop() if len(kinds) == 1 else None
        if kind is list:
            turns = list(chain.from_iterable(values))
            if not _are_turns(turns):
                return None
            count += 2 * len(turns)
            form.append((name, "chat"))
        elif kind is str or kind is bool:
            form.append((name, kind.__name__))
        elif kind is int and min(values) >= -FITS and max(values) <= FITS:
            form.append((name, "int"))
        else:
            return None
    return tuple(form), count


def has_keys(block: bytes, count: int) -> bool:
    """Whether a block of JSON lines holds exactly `count` keys, so that none stands twice; False where it is open.

    A key is a quote and a colon; inside a text the quote has a backslash before it.
    """
    if b"\t" in block or b"\r" in block or b'" :' in block or b'\\\\":' in block:
        return False
    return block.count(b'":') - block.count(b'\\":') == count


def _are_turns(turns: list[Any]) -> bool:
    if not turns or set(map(type, turns)) != {dict} or not set(map(tuple, turns)) <= TURN:
        return False
    return {type(turn["role"]) for turn in turns} | {type(turn["content"]) for turn in turns} == {str}
