"""Whether a source is still Python after its edits, by parsing no more of it than they touch."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from provkit.builders.domains.code.rewrites.edits import Edit, changed
from provkit.builders.domains.code.rewrites.source import NOT_PYTHON, Source, parsed

SIMPLE = {ast.Expr, ast.Assign, ast.AnnAssign, ast.AugAssign, ast.Return, ast.Raise, ast.Assert, ast.Delete}
SIMPLE |= {ast.Import, ast.ImportFrom}
HEADED = {ast.With, ast.AsyncWith, ast.If, ast.While, ast.For, ast.AsyncFor}
BLOCKS = ("body", "orelse", "handlers", "finalbody", "cases")


def still_parses(source: Source, ordered: list[Edit]) -> bool:
    """Whether a source is Python after the edits.

    Only the top-level statements that they touch are parsed again: the others are as they were, and what lies
    between them is whole lines, imports put in or statements taken out. Of these, only the statements inside that
    hold an edit are parsed, where each of them stays one statement of its kind.
    """
    for node in source.tree.body:
        decorators = getattr(node, "decorator_list", [])
        start = source.line_start(source.start(decorators[0])) if decorators else source.start(node)
        end = source.end(node)
        inside = [edit for edit in ordered if start <= edit.start and edit.end <= end]
        if inside and not _stay(source, node, inside) and _tree(source, start, end, inside) is None:
            return False
    return True


def _stay(source: Source, top: ast.stmt, edits: list[Edit]) -> bool:
    """Whether all edits are inside of statements, or of the heads of statements, that stay what they are.

    One statement of the same kind can take the place of the other wherever that stands. False where this is not
    plain, which says nothing yet.
    """
    touched: dict[ast.stmt, list[Edit]] = {}
    for edit in edits:
        touched.setdefault(_innermost(source, top, edit), []).append(edit)
    for node, mine in touched.items():
        kind = node.__class__
        start, end, rest = source.start(node), source.end(node), ""
        if kind in HEADED:
            end, rest = source.start(node.body[0]), "pass"  # type: ignore[attr-defined]
        elif kind not in SIMPLE:
            return False
        if any(edit.end > end for edit in mine) or mine[-1].text.endswith(("\n", "\r")):
            return False
        tree = _tree(source, start, end, mine, rest)
        if tree is None or len(tree.body) != 1 or tree.body[0].__class__ is not kind:
            return False
    return True


def _innermost(source: Source, node: ast.stmt, edit: Edit) -> ast.stmt:
    """The innermost statement that an edit is inside of."""
    while True:
        for inner in _within(node):
            if source.start(inner) <= edit.start and edit.end <= source.end(inner):
                node = inner
                break
        else:
            return node


def _within(node: ast.AST) -> Iterator[ast.stmt]:
    """The statements of a node's blocks, those of its handlers and cases too."""
    for field in BLOCKS:
        inner: Iterable[ast.AST] = getattr(node, field, ())
        for one in inner:
            if isinstance(one, ast.stmt):
                yield one
            else:
                yield from _within(one)


def _tree(source: Source, start: int, end: int, edits: list[Edit], rest: str = "") -> ast.Module | None:
    """The tree of a stretch of the source after its edits, with more behind it; None where it is not Python."""
    try:
        return parsed(changed(source.text, start, end, edits) + rest)
    except NOT_PYTHON:
        return None
