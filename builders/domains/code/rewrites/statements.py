"""Taking out whole statements, with the comment that belongs to them."""

from __future__ import annotations

import ast
import re

from provkit.builders.domains.code.rewrites.edits import Edit
from provkit.builders.domains.code.rewrites.source import NEWLINE, Source

BLANK = re.compile(r"[ \t\f]*(\r\n|\r|\n)")
REST = re.compile(r"[ \t\f]*(#[^\r\n]*)?(?=\r|\n|\Z)")


def siblings(source: Source, statement: ast.stmt) -> list[ast.stmt]:
    """The block that a statement stands in."""
    parent = source.parents[statement]
    for field in ("body", "orelse", "finalbody"):
        block = getattr(parent, field, None)
        if isinstance(block, list) and statement in block:
            return block
    return [statement]


def remove_statement(source: Source, statement: ast.stmt, comments: bool = False) -> Edit | None:
    """The edit that takes out the lines of a statement.

    With `comments`, the comment lines right above go too; of blank lines on both sides the longer side stays.
    None where the statement shares a line with others, is the only one of its block, or is an `elif`.
    """
    text = source.text
    here, end = source.start(statement), source.end(statement)
    start, rest = source.line_start(here), REST.match(text, end)
    if text[start:here].strip() or not rest or text.startswith("elif", here) or len(siblings(source, statement)) == 1:
        return None
    line_break = NEWLINE.match(text, rest.end())
    end = line_break.end() if line_break else rest.end()
    while comments and start:
        above = source.line_start(start - 1)
        if text[start - 2 : start] == "\r\n":
            above = source.line_start(start - 2)
        line = text[above:start]
        if not line.lstrip().startswith("#") or not line.startswith(source.indent(source.start(statement))):
            break
        start = above
    spare = _blanks_above(text, start)
    while spare and (blank := BLANK.match(text, end)):
        end, spare = blank.end(), spare - 1
    return Edit(start, end, "", flaw=False)


def forgotten(source: Source, name: ast.expr, start: int, end: int) -> Edit | None:
    """The edit that takes out the assignment of a name that is used in text[start:end] alone; None for others."""
    if not isinstance(name, ast.Name) or not source.value(name):
        return None
    if not all(start <= source.start(use) < end for use in source.loads[name.id]):
        return None
    statement = source.parents[source.scope(name).lookup(name.id)[0].node]
    return remove_statement(source, statement) if isinstance(statement, ast.stmt) else None


def _blanks_above(text: str, start: int) -> int:
    """How many empty lines are right above; as many as you like under the opening of a block or of the text."""
    above = text[:start].rstrip(" \t\f\r\n")
    return len(text) if not above or above.endswith(":") else len(NEWLINE.findall(text, len(above), start)) - 1
