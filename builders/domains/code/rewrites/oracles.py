"""Judges for the weaknesses that bandit does not know, made independently of the rewrites."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from provkit.builders.domains.code.rewrites.secret import FAKE_SECRET
from provkit.builders.domains.code.rewrites.source import parsed

GUARDS = re.compile(
    r"\b(is_relative_to|relative_to|commonpath|commonprefix|startswith|secure_filename|safe_join|basename|"
    r"send_from_directory)\b|\.parents\b|'\.\.'"
)
JOINED = re.compile(r"(^|\.)(path\.join|joinpath|Path)$")


def unchecked_paths(code: str) -> list[int]:
    """The lines of functions' path joins with a variable name, where the function has nothing that confines it."""
    found = []
    for function in _functions(parsed(code)):
        if GUARDS.search(ast.unparse(function)):
            continue
        expressions = [node for node in ast.walk(function) if isinstance(node, ast.expr)]
        found += [node.lineno for node in expressions if _joins_variable(node)]
    return sorted(set(found))


def _functions(tree: ast.AST) -> Iterator[ast.AST]:
    """The functions of a tree, the outermost ones."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node
        else:
            yield from _functions(node)


def _joins_variable(node: ast.expr) -> bool:
    if isinstance(node, ast.BinOp):
        return isinstance(node.op, ast.Div) and _is_variable(node.right)
    if not isinstance(node, ast.Call) or not node.args:
        return False
    name = ast.unparse(node.func)
    return bool(JOINED.search(name)) and _is_variable(node.args[-1])


def _is_variable(node: ast.expr) -> bool:
    """Whether a path part may come from outside: not a constant, a number made a string, or a part of a path."""
    if isinstance(node, ast.Attribute):
        return node.attr not in ("name", "stem", "suffix")
    return isinstance(node, ast.Subscript | ast.JoinedStr) or (isinstance(node, ast.Name) and not node.id.isupper())


def open_modes(code: str) -> list[int]:
    """The lines of calls that give the group or everyone else the right to write a file or directory."""
    return sorted(
        node.lineno
        for node in ast.walk(parsed(code))
        if isinstance(node, ast.Call) and re.search(r"(chmod|mkdir|makedirs|touch|os\.open)$", ast.unparse(node.func))
        for given in [*node.args, *(keyword.value for keyword in node.keywords if keyword.arg == "mode")]
        if isinstance(given, ast.Constant) and type(given.value) is int and given.value & 0o022
    )


def fake_secrets(code: str) -> list[int]:
    """The lines with one of the fake secrets that the rewrites leave behind."""
    return sorted(
        node.lineno
        for node in ast.walk(parsed(code))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.startswith(FAKE_SECRET)
    )
