"""What keeps a joined path in its directory: the joins of a source, and the conditions that check them."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from provkit.builders.domains.code.rewrites.source import END, Source, walk

RESOLVERS = ("os.path.realpath", "os.path.abspath", "os.path.normpath")
INSIDE = ("is_relative_to", "startswith", "relative_to")  # methods of the path that are true of one inside
COMMON = ("os.path.commonpath", "os.path.commonprefix")
STEPS = ("..", "/", "\\")  # what a name must not have in it
REFUSALS = ("abort", "exit", "error")


@dataclass(frozen=True, slots=True)
class Join:
    """A name that is assigned a joined path: the expression, and the names that its last part is made of."""

    value: ast.expr
    parts: frozenset[str]


Joins = dict[str, Join]


def joins(source: Source) -> dict[ast.AST, Joins]:
    """For each function, the names that are assigned a joined path, or such a path resolved."""
    found: dict[ast.AST, Joins] = {}
    assigned = [node for node in source.parents if isinstance(node, ast.Assign)]
    for statement in sorted(assigned, key=END):
        if not isinstance(statement.targets[0], ast.Name) or not isinstance(statement.value, ast.Call | ast.BinOp):
            continue
        mine = found.setdefault(source.function(statement), {})
        value = statement.value
        last = [part for node in walk(value) if (part := last_part(source, node))]
        parts = {name for part in last for name in mentioned(part)}
        if not last and unresolved(source, value) is not None:
            parts = {part for name in mentioned(value) if name in mine for part in mine[name].parts}
        if parts:
            mine[statement.targets[0].id] = Join(value, frozenset(parts))
    return found


def last_part(source: Source, node: ast.AST) -> ast.expr | None:
    """The last part of an expression that joins paths, where it is not constant."""
    part = None
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
        part = node.right
    elif isinstance(node, ast.Call) and node.args:
        name = source.called(node)
        method = node.func.attr if isinstance(node.func, ast.Attribute) else ""
        if method == "joinpath" or name == "os.path.join" or (name == "pathlib.Path" and len(node.args) > 1):
            part = node.args[-1]
    return None if isinstance(part, ast.Constant) else part


def unresolved(source: Source, joined: ast.expr) -> ast.expr | None:
    """The path that an expression resolves; None where it resolves none."""
    if not isinstance(joined, ast.Call):
        return None
    if isinstance(joined.func, ast.Attribute) and joined.func.attr in ("resolve", "absolute"):
        return joined.func.value
    is_resolver = source.named(joined.func) in RESOLVERS and len(joined.args) == 1
    return joined.args[0] if is_resolver else None


def mentioned(node: ast.AST) -> set[str]:
    """The names in an expression."""
    return {inner.id for inner in walk(node) if inner.__class__ is ast.Name}


def sense(source: Source, test: ast.expr, mine: Joins) -> bool | None:
    """What a condition says of a joined path: True for inside its directory, False for outside, None for nothing."""
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        inner = sense(source, test.operand, mine)
        return None if inner is None else not inner
    if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And):  # target != base and base not in target.parents
        found = [sense(source, value, mine) for value in test.values]
        is_outside = False in found and not any(isinstance(value, ast.Call) for value in test.values)
        return False if is_outside else None
    if isinstance(test, ast.Call):
        return _sense_of_call(source, test, mine)
    if not isinstance(test, ast.Compare) or len(test.ops) != 1:
        return None
    left, operator, right = test.left, test.ops[0], test.comparators[0]
    if isinstance(operator, ast.In | ast.NotIn):
        is_in = isinstance(operator, ast.In)
        if isinstance(right, ast.Attribute) and right.attr == "parents" and mentioned(right) & set(mine):
            return is_in
        steps = isinstance(left, ast.Constant) and left.value in STEPS
        steps |= source.named(left) in ("os.sep", "os.pardir")
        return not is_in if steps and _of_part(right, mine) else None
    called = [inner for side in (left, right) for inner in walk(side) if isinstance(inner, ast.Call)]
    if any(source.named(call.func) in COMMON for call in called) and mentioned(test) & set(mine):
        return isinstance(operator, ast.Eq) if isinstance(operator, ast.Eq | ast.NotEq) else None
    return None


def _sense_of_call(source: Source, call: ast.Call, mine: Joins) -> bool | None:
    func = call.func
    if isinstance(func, ast.Attribute):
        if func.attr in INSIDE and mentioned(func.value) & set(mine):
            return True
        if func.attr in ("is_absolute", "startswith") and _of_part(func.value, mine):
            return False
    return False if source.named(func) == "os.path.isabs" and _of_part(call, mine) else None


def _of_part(node: ast.AST, mine: Joins) -> bool:
    """Whether an expression is about the last part of a join."""
    names = mentioned(node)
    return any(names & join.parts for join in mine.values()) and not names & set(mine)


def refuses(body: list[ast.stmt]) -> bool:
    """Whether a block ends by raising, returning, skipping or aborting."""
    last = body[-1]
    if isinstance(last, ast.Expr) and isinstance(last.value, ast.Call):
        func = last.value.func
        name = func.attr if isinstance(func, ast.Attribute) else func.id if isinstance(func, ast.Name) else ""
        return name in REFUSALS
    return isinstance(last, ast.Raise | ast.Return | ast.Continue)
