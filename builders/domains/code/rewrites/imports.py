"""The imports that a change needs, and those that it leaves without a use."""

from __future__ import annotations

import ast
import re
from itertools import takewhile

from provkit.builders.domains.code.rewrites.arguments import COMMA, blank
from provkit.builders.domains.code.rewrites.edits import Change, Edit, in_order
from provkit.builders.domains.code.rewrites.source import Source
from provkit.builders.domains.code.rewrites.statements import remove_statement

Statement = ast.Import | ast.ImportFrom


def local_names(source: Source, *modules: str) -> bool:
    """Whether each module can be called by its own name anywhere in the source."""
    for module in modules:
        for scope in source.scopes:
            if any(binding.target != module for binding in scope.bindings.get(module, ())):
                return False
    return True


def settled(source: Source, change: Change) -> list[Edit] | None:
    """The edits of a change in order, with those of the imports; None where they cannot be made together."""
    ordered = in_order(change.edits)
    if ordered is None or not local_names(source, *change.modules) or not _fit_fstrings(source, ordered):
        return None
    missing = [module for module in change.modules if not _is_imported(source, module)]
    extra: list[Edit] = []
    for statement in source.imports:
        if any(edit.start < source.end(statement) and source.start(statement) < edit.end for edit in ordered):
            continue
        idle = [alias for alias in statement.names if _falls_idle(source, alias, ordered)]
        if missing and len(idle) == len(statement.names) and isinstance(source.parents[statement], ast.Module):
            extra.append(_swapped(source, statement, missing.pop(0)))
        elif idle:
            extra += _without(source, statement, idle)
    extra += [_added(source, module) for module in missing]
    return in_order([*ordered, *extra])


def _fit_fstrings(source: Source, ordered: list[Edit]) -> bool:
    """Whether no edit puts into an f-string what older Pythons do not take there."""
    spans = [(source.start(string), source.end(string)) for string in source.strings]
    return not any(
        start < edit.start and edit.end < end and re.search(r"[\\'\"#\r\n]", edit.text)
        for edit in ordered
        for start, end in spans
    )


def _is_imported(source: Source, module: str) -> bool:
    """Whether the module is imported by its own name, at the top of the source."""
    return any(
        isinstance(statement, ast.Import)
        and isinstance(source.parents[statement], ast.Module)
        and any(alias.name == module and not alias.asname for alias in statement.names)
        for statement in source.imports
    )


def _falls_idle(source: Source, alias: ast.alias, ordered: list[Edit]) -> bool:
    """Whether the edits take away every use of what an import binds, and there was one."""
    name = alias.asname or alias.name.partition(".")[0]
    uses = source.loads.get(name, [])
    for use in uses:
        at = source.start(use)
        if not any(edit.start <= at < edit.end for edit in ordered):
            return False
    return bool(uses) and not any(re.search(rf"(?<![.\w]){name}\b", edit.text) for edit in ordered)


def _swapped(source: Source, statement: Statement, module: str) -> Edit:
    return Edit(source.start(statement), source.end(statement), f"import {module}", flaw=False)


def _without(source: Source, statement: Statement, idle: list[ast.alias]) -> list[Edit]:
    """The edits that take some of the names out of an import statement, or the whole of it."""
    if len(idle) == len(statement.names):
        gone = remove_statement(source, statement)
        return [gone] if gone else []
    edits = []
    for at, alias in enumerate(statement.names):
        if alias not in idle:
            continue
        start, end = source.start(alias), source.end(alias)
        comma = COMMA.match(blank(source.text[end : source.end(statement)]))
        if at + 1 < len(statement.names) and comma:
            edits.append(Edit(start, end + comma.end(), "", flaw=False))
        else:
            before = max(i for i in range(at) if statement.names[i] not in idle)
            edits = [edit for edit in edits if edit.start < source.start(statement.names[before])]
            edits.append(Edit(source.end(statement.names[before]), end, "", flaw=False))
    return edits


def _added(source: Source, module: str) -> Edit:
    """`import module` at its place in the alphabet among the first imports, or above the first statement."""
    body = source.tree.body
    leading = takewhile(lambda node: isinstance(node, Statement | ast.Expr), body)
    head = [node for node in leading if isinstance(node, Statement) and not _is_future(node)]
    plain = [node for node in head if isinstance(node, ast.Import)]
    before = [node for node in plain if node.names[0].name < module]
    if before:
        return _line_after(source, before[-1], module)
    if head:
        return _line_before(source, head[0], module)
    fixed = [node for node in body if _is_future(node)]
    if not fixed and isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant):
        fixed = body[:1]
    if fixed:
        return _line_after(source, fixed[-1], module, gap=source.newline)
    return _line_before(source, body[0], module, gap=source.newline)


def _is_future(node: ast.stmt) -> bool:
    return isinstance(node, ast.ImportFrom) and node.module == "__future__"


def _line_after(source: Source, node: ast.stmt, module: str, gap: str = "") -> Edit:
    at = source.line_end(source.end(node))
    return Edit(at, at, f"{source.newline}{gap}import {module}", flaw=False)


def _line_before(source: Source, node: ast.stmt, module: str, gap: str = "") -> Edit:
    first = min([node, *getattr(node, "decorator_list", [])], key=source.start)
    at = source.line_start(source.start(first))
    return Edit(at, at, f"import {module}{source.newline}{gap}", flaw=False)
