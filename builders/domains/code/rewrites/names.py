"""What a name stands for: the bindings of each scope, and where they lead."""

from __future__ import annotations

import ast
from typing import NamedTuple

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
ASSIGNMENTS = {ast.Assign, ast.NamedExpr, ast.AnnAssign}


class Binding(NamedTuple):
    """One place that gives a name its meaning.

    `target` is the dotted name that an import brings ("" for the rest), `value` the expression that is
    assigned or entered, or the annotation of a parameter, `node` the statement or target itself.
    """

    target: str
    value: ast.expr | None
    node: ast.AST


class Scope:
    """The names that a module, a class or a function binds. Comprehensions and lambdas bind in theirs."""

    __slots__ = ("bindings", "elsewhere", "node", "parent")

    def __init__(self, node: ast.AST, parent: Scope | None) -> None:
        self.node = node
        self.parent = parent
        self.bindings: dict[str, list[Binding]] = {}
        self.elsewhere: dict[str, bool] = {}  # names declared global (True) or nonlocal (False)

    def bind(self, name: str, target: str, value: ast.expr | None, node: ast.AST) -> None:
        """Record one more meaning of a name."""
        if name in self.bindings:
            self.bindings[name].append(Binding(target, value, node))
        else:
            self.bindings[name] = [Binding(target, value, node)]

    def settle(self) -> None:
        """Hand the names declared global or nonlocal over to the scope that they live in."""
        if self.parent is None:
            return
        for name, is_global in self.elsewhere.items():
            home = self.parent
            while home.parent and (is_global or name not in home.bindings):
                home = home.parent
            home.bindings.setdefault(name, []).extend(self.bindings.pop(name, []))

    def lookup(self, name: str) -> list[Binding]:
        """The bindings that a use of the name in this scope may mean; none for a builtin."""
        scope: Scope | None = self
        while scope:
            if (scope is self or scope.node.__class__ is not ast.ClassDef) and name in scope.bindings:
                return scope.bindings[name]
            scope = scope.parent
        return []


def bind_import(scope: Scope, node: ast.Import | ast.ImportFrom) -> None:
    """Record what an import statement binds; a relative import leads nowhere that we know."""
    if isinstance(node, ast.Import):
        for alias in node.names:
            target = alias.name if alias.asname else alias.name.partition(".")[0]
            scope.bind(alias.asname or target, target, None, node)
    else:
        for alias in node.names:
            target = f"{node.module}.{alias.name}" if node.module and not node.level else ""
            scope.bind(alias.asname or alias.name, target, None, node)


def bind_stored(scope: Scope, name: ast.Name, parent: ast.AST) -> None:
    """Record an assignment to a name; only a plain one says what the value is."""
    kind = parent.__class__
    value: ast.expr | None = None
    if kind in ASSIGNMENTS:
        value = parent.value  # type: ignore[attr-defined]
    elif kind is ast.withitem:
        value = parent.context_expr  # type: ignore[attr-defined]
    scope.bind(name.id, "", value, name)
