"""Paths: a name from outside is joined to a directory and no longer checked to stay in it (CWE-22)."""

from __future__ import annotations

import ast

from provkit.builders.domains.code.rewrites.arguments import argument
from provkit.builders.domains.code.rewrites.containment import (
    Joins,
    joins,
    last_part,
    mentioned,
    refuses,
    sense,
    unresolved,
)
from provkit.builders.domains.code.rewrites.edits import Change, Edit, Family, change
from provkit.builders.domains.code.rewrites.source import Source
from provkit.builders.domains.code.rewrites.statements import forgotten, remove_statement

CLEANERS = ("werkzeug.utils.secure_filename", "werkzeug.secure_filename")
JOINERS = ("werkzeug.utils.safe_join", "werkzeug.security.safe_join", "flask.safe_join")
SENDER = "send_from_directory"


def find(source: Source) -> Change | None:
    """Every check that a joined path stays in its directory, and every name that is cleaned before it is joined."""
    edits: list[Edit] = []
    found = joins(source)
    if any(found.values()):
        for node in [node for node in source.parents if isinstance(node, ast.If | ast.Expr)]:
            mine = found.get(source.function(node), {})
            edits += _condition(source, node, mine) if isinstance(node, ast.If) else _statement(source, node, mine)
    for call in source.calls_to(*CLEANERS):
        if len(call.args) == 1:
            edits.append(Edit(source.start(call), source.end(call), source.of(call.args[0])))
    for call in source.calls_to(*JOINERS):
        edits.append(Edit(source.start(call.func), source.end(call.func), "os.path.join"))
    edits += _basenames(source)
    edits += _sent(source)
    names_os = any("os.path.join" in edit.text for edit in edits)
    return change(dict.fromkeys(edits), *(["os"] if names_os else []))


def _condition(source: Source, node: ast.If, mine: Joins) -> list[Edit]:
    """The edits that take the check of a joined path out of an `if`, or the whole of it; none where it has none."""
    test = node.test
    terms = test.values if isinstance(test, ast.BoolOp) else [test]
    if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And) and sense(source, test, mine) is None:
        checks, word = [term for term in terms if sense(source, term, mine) is True], " and "
    elif not node.orelse and refuses(node.body):
        terms = [test] if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And) else terms
        checks, word = [term for term in terms if sense(source, term, mine) is False], " or "
    else:
        return []
    kept = [source.of(term) for term in terms if term not in checks]
    if not checks or (word == " and " and not kept):
        return []
    if kept:
        gone: Edit | None = Edit(source.start(test), source.end(test), word.join(kept), flaw=False)
    else:
        gone = remove_statement(source, node, comments=True)
    return _with_join(source, checks, gone, mine)


def _statement(source: Source, node: ast.Expr, mine: Joins) -> list[Edit]:
    """The edits that take out `target.relative_to(base)` in a `try`, which is there for what it raises."""
    call, block = node.value, source.parents[node]
    if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and isinstance(block, ast.Try)):
        return []
    if call.func.attr != "relative_to" or not sense(source, call, mine):
        return []
    alone = len(block.body) == 1
    if alone and (block.orelse or block.finalbody or not all(refuses(each.body) for each in block.handlers)):
        return []
    return _with_join(source, [call], remove_statement(source, block if alone else node, comments=True), mine)


def _with_join(source: Source, checks: list[ast.expr], gone: Edit | None, mine: Joins) -> list[Edit]:
    """The removal of a check, with the resolving of the path and of the directory that was for it alone."""
    if gone is None:
        return []
    names = set().union(*map(mentioned, checks))
    inner = {name for target in names & set(mine) for name in mentioned(mine[target].value)}
    edits = [gone]
    for target, join in mine.items():
        if (target in names or join.parts & names) and target not in inner:
            start, plain = source.start(join.value), unresolved(source, join.value)
            edits.append(Edit(start, source.end(join.value), source.of(plain)) if plain else Edit(start, start, ""))
    kept = gone.text.split()
    for use in {node.id: node for check in checks for node in ast.walk(check) if isinstance(node, ast.Name)}.values():
        if use.id not in mine and use.id not in kept and source.function(use) is not source.tree:
            unused = forgotten(source, use, gone.start, gone.end)
            edits += [unused] if unused else []
    return edits


def _basenames(source: Source) -> list[Edit]:
    """The edits of a join whose last part is a file name that is cut to its own last part first."""
    edits = []
    for call in source.calls_to("os.path.basename"):
        given = call.args[0] if len(call.args) == 1 else None
        named = given.attr if isinstance(given, ast.Attribute) else given.id if isinstance(given, ast.Name) else ""
        if "name" in named and last_part(source, source.parents[call]) is call:
            edits.append(Edit(source.start(call), source.end(call), source.of(call.args[0])))
    return edits


def _sent(source: Source) -> list[Edit]:
    """The edits of Flask's send_from_directory, which checks the name, to send_file, which does not."""
    edits = []
    calls = source.calls_to(*(f"flask.{SENDER}", f"flask.helpers.{SENDER}"))
    for call in calls:
        directory, name = argument(call, 0, "directory"), argument(call, 1, "path", "filename")
        if len(call.args) < 2 or directory is None or name is None or isinstance(name, ast.Constant):
            return []
        joined = f"os.path.join({source.of(directory)}, {source.of(name)})"
        edits.append(Edit(source.start(directory), source.end(name), joined))
        edits.append(Edit(source.end(call.func) - len(SENDER), source.end(call.func), "send_file"))
    imported = [alias for node in source.imports for alias in node.names if alias.name == SENDER] if calls else []
    direct = [call for call in calls if isinstance(call.func, ast.Name)]
    if any(alias.asname for alias in imported) or len(source.loads[SENDER]) != len(direct):
        return []
    if imported and "send_file" not in source.loads:
        edits += [Edit(source.start(alias), source.end(alias), "send_file", flaw=False) for alias in imported]
    return edits


NEEDLES = ("relative_to", "startswith", ".parents", "commonp", "secure_filename", "safe_join", "basename")
FAMILIES = [Family("path", "CWE-22", (), (*NEEDLES, SENDER), find)]
