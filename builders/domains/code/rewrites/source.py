"""One Python text, parsed once: its calls by the dotted name they lead to, and the exact place of every node.

The stdlib parser and edits of the text, not libcst: parsed with scopes and positions an answer of 26 lines takes
0.3 ms here and 20 ms there (its tree alone 1.6), and what no edit touches stays byte for byte by construction.
Positions inside f-strings are wrong before Python 3.12, so a call in one is only found again by its text, where
that text is there once.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections import defaultdict
from functools import cache, cached_property
from itertools import accumulate
from operator import attrgetter

from provkit.builders.domains.code.rewrites.names import FUNCTIONS, Binding, Scope, bind_import, bind_stored
from provkit.chance import Chance

NEWLINE = re.compile(r"\r\n|\r|\n")
NOT_CHILDREN = set(
    "ctx op ops id attr arg kind type_comment name names rest kwd_attrs module level conversion simple is_async"
    " asname type_ignores".split()
)
CHILDREN: dict[type, tuple[str, ...]] = {
    cls: tuple(field for field in cls._fields if field not in NOT_CHILDREN)
    for cls in vars(ast).values()
    if isinstance(cls, type) and issubclass(cls, ast.AST)
}
CHILDREN |= {ast.Constant: (), type(None): ()}  # lists hold None for the key of `**` in a dict
NOT_PYTHON = (SyntaxError, ValueError, RecursionError, MemoryError)  # what the parser says of other text
END = attrgetter("end_lineno", "end_col_offset")


class Source:
    """A Python text with its tree, scopes and positions, and the chance for what a rewrite may choose."""

    def __init__(self, text: str, tree: ast.Module | None = None, chance: Chance | None = None) -> None:
        self.text = text
        self.tree = tree or parsed(text)
        self.chance = chance or Chance.of(text)
        self.parents: dict[ast.AST, ast.AST] = {}
        self.loads: defaultdict[str, list[ast.Name]] = defaultdict(list)
        self.imports: list[ast.Import | ast.ImportFrom] = []
        self.strings: list[ast.JoinedStr] = []
        self.attributes: defaultdict[str, list[ast.expr | None]] = defaultdict(list)
        self._scopes: dict[ast.AST, Scope] = {}
        self._calls: list[ast.Call] = []
        self._named: dict[int | str, str] = {}
        self._called: dict[ast.Call, str] = {}
        self._moved: dict[ast.AST, tuple[int, int]] = {}
        self._starts = line_starts(text)
        self._ascii = text.isascii()
        self._walk()

    # Places

    def start(self, node: ast.AST) -> int:
        """The offset of the node's first character."""
        if node in self._moved:
            return self._moved[node][0]
        return self._offset(node.lineno, node.col_offset)  # type: ignore[attr-defined]

    def end(self, node: ast.AST) -> int:
        """The offset behind the node's last character."""
        if node in self._moved:
            return self._moved[node][1]
        return self._offset(node.end_lineno, node.end_col_offset)  # type: ignore[attr-defined]

    def of(self, node: ast.AST) -> str:
        """The node's own text."""
        return self.text[self.start(node) : self.end(node)]

    def line_start(self, offset: int) -> int:
        """The offset at which the line of an offset begins."""
        return max(self.text.rfind("\n", 0, offset), self.text.rfind("\r", 0, offset)) + 1

    def line_end(self, offset: int) -> int:
        """The offset of the line break that ends the line of an offset, or of the end of the text."""
        match = NEWLINE.search(self.text, offset)
        return match.start() if match else len(self.text)

    def indent(self, offset: int) -> str:
        """The white space that the line of an offset begins with."""
        line = self.text[self.line_start(offset) : self.line_end(offset)]
        return line[: len(line) - len(line.lstrip(" \t\f"))]

    @cached_property
    def newline(self) -> str:
        """The line break that the text uses first."""
        match = NEWLINE.search(self.text)
        return match.group() if match else "\n"

    def _offset(self, line: int, column: int) -> int:
        start = self._starts[line - 1]
        if self._ascii:
            return start + column
        stop = self._starts[line] if line < len(self._starts) else len(self.text)
        return start + len(self.text[start:stop].encode()[:column].decode())

    # Names

    def scope(self, node: ast.AST) -> Scope:
        """The scope that a node is in."""
        while True:
            node = self.parents[node]
            if node in self._scopes:
                return self._scopes[node]

    @property
    def scopes(self) -> list[Scope]:
        """Every scope, the module's first."""
        return list(self._scopes.values())

    def function(self, node: ast.AST) -> ast.AST:
        """The function that a node is in, or the module."""
        scope = self.scope(node)
        while scope.parent and isinstance(scope.node, ast.ClassDef):
            scope = scope.parent
        return scope.node

    def named(self, node: ast.AST | None) -> str:
        """The dotted name that an expression leads to, with `()` for each call on the way; "" where unknown.

        `tar.extractall` after `with tarfile.open(p) as tar` is `tarfile.open().extractall`.
        """
        if isinstance(node, ast.Name):
            return self._named_name(node)
        if isinstance(node, ast.Attribute):
            base = self.named(node.value)
            if not base and isinstance(node.value, ast.Name):
                return self._named_attribute(f"{node.value.id}.{node.attr}")
            return f"{base}.{node.attr}" if base else ""
        if isinstance(node, ast.Call):
            base = self.named(node.func)
            return f"{base}()" if base else ""
        return ""

    def _named_name(self, node: ast.Name) -> str:
        bindings = self.scope(node).lookup(node.id)
        if not bindings:
            return f"builtins.{node.id}"
        if id(bindings) not in self._named:
            self._named[id(bindings)] = ""  # what leads back to itself leads nowhere
            self._named[id(bindings)] = self._meaning(bindings)
        return self._named[id(bindings)]

    def _named_attribute(self, name: str) -> str:
        if name not in self._named:
            self._named[name] = ""
            self._named[name] = self._agreed(self.attributes.get(name, []))
        return self._named[name]

    def _meaning(self, bindings: list[Binding]) -> str:
        targets = {binding.target for binding in bindings if binding.target}
        others = [binding for binding in bindings if not binding.target]
        if targets:  # `yaml = None` in the except of an import leaves the name as it is
            return targets.pop() if len(targets) == 1 and all(is_none(other.value) for other in others) else ""
        if any(isinstance(other.node, ast.arg) for other in others):
            kind = self.named(others[0].value) if len(others) == 1 else ""
            return f"{kind}()" if kind else ""
        return self._agreed([binding.value for binding in others])

    def _agreed(self, values: list[ast.expr | None]) -> str:
        found = {self.named(value) for value in values if not is_none(value)}
        return found.pop() if len(found) == 1 else ""

    def value(self, node: ast.AST) -> ast.expr | None:
        """What a name was assigned, where that happens once and plainly."""
        if not isinstance(node, ast.Name):
            return None
        bindings = self.scope(node).lookup(node.id)
        if len(bindings) != 1 or not isinstance(self.parents.get(bindings[0].node), ast.Assign | ast.AnnAssign):
            return None
        return bindings[0].value

    # Calls

    @cached_property
    def calls(self) -> list[ast.Call]:
        """The calls outside f-strings, inner ones before those around them."""
        return sorted([call for call in self._calls if call not in self._hidden], key=END)

    @cached_property
    def _hidden(self) -> set[ast.Call]:
        return {call for call in self._calls if self.in_string(call)} if self.strings else set()

    def calls_to(self, *names: str) -> list[ast.Call]:
        """The calls that lead to one of these dotted names, inner ones first; those in f-strings that have a place."""
        wanted, last = _wanted(names)
        by_last = self._by_last
        found = [call for key in last if key in by_last for call in by_last[key] if self.called(call) in wanted]
        if len(found) > 1:
            found.sort(key=END)
        if not found or not self._hidden:
            return found
        shown = [call for call in found if call not in self._hidden]
        return shown + [call for call in found if call in self._hidden and self._find_again(call)]

    @cached_property
    def _by_last(self) -> dict[str, list[ast.Call]]:
        """The calls by the attribute that they call; under "" those of a plain name, which may stand for any."""
        found: defaultdict[str, list[ast.Call]] = defaultdict(list)
        for call in self._calls:
            func = call.func
            if isinstance(func, ast.Name):
                found[""].append(call)
            elif isinstance(func, ast.Attribute):
                found[func.attr].append(call)
        return dict(found)

    def called(self, call: ast.Call) -> str:
        """The dotted name of what a call calls."""
        if call not in self._called:
            self._called[call] = self.named(call.func)
        return self._called[call]

    def methods(self, *names: str) -> list[ast.Call]:
        """The calls of an attribute of one of these names, whatever it belongs to."""
        return [call for call in self.calls if isinstance(call.func, ast.Attribute) and call.func.attr in names]

    def in_string(self, node: ast.AST) -> bool:
        """Whether a node is inside an f-string, where its place is not known."""
        while not isinstance(node, ast.stmt):
            node = self.parents[node]
            if isinstance(node, ast.JoinedStr):
                return True
        return False

    def _find_again(self, call: ast.Call) -> bool:
        """Give the nodes of a call in an f-string their places; False where its text is not there just once."""
        outer = next(string for string in self.strings if any(inner is call for inner in ast.walk(string)))
        whole, part = self.of(outer), ast.unparse(call)
        if whole.count(part) != 1 or not part.isascii() or "\n" in part:
            return False
        if not any(isinstance(node, ast.Set) for node in ast.walk(parsed(f"({whole.replace(part, '({0})')})"))):
            return False  # it is in the text of the string
        base = self.start(outer) + whole.index(part)
        for old, new in zip(ast.walk(call), ast.walk(ast.parse(part, mode="eval").body), strict=True):
            if isinstance(new, ast.expr | ast.keyword):
                self._moved[old] = (base + new.col_offset, base + (new.end_col_offset or 0))
        return True

    # The walk

    def _walk(self) -> None:
        """Visits every node once, scope by scope, and inside a scope level by level."""
        self._scopes[self.tree] = Scope(self.tree, None)
        parents, loads, calls, children = self.parents, self.loads, self._calls, CHILDREN
        for scope in (todo := [self._scopes[self.tree]]):
            queue: list[ast.AST] = [scope.node]
            append = queue.append
            for node in queue:
                kind: type = node.__class__
                if kind is ast.Name:
                    if node.ctx.__class__ is ast.Load:  # type: ignore[attr-defined]
                        loads[node.id].append(node)  # type: ignore[attr-defined, arg-type]
                    else:
                        bind_stored(scope, node, parents[node])  # type: ignore[arg-type]
                    continue
                if kind is ast.Constant:
                    continue
                if kind is ast.Call:
                    calls.append(node)  # type: ignore[arg-type]
                elif kind is ast.Attribute:
                    if node.ctx.__class__ is ast.Store:  # type: ignore[attr-defined]
                        self._set_attribute(node, parents[node])  # type: ignore[arg-type]
                elif kind in SPECIAL and self._visit(node, scope):
                    todo.append(self._scopes[node])
                    continue
                for field in children[kind]:
                    value = getattr(node, field)
                    if value.__class__ is list:
                        for one in value:
                            parents[one] = node
                        queue += value
                    elif value is not None:
                        parents[value] = node
                        append(value)
        parents.pop(None, None)  # type: ignore[call-overload]
        for scope in todo:
            if scope.elsewhere:
                scope.settle()

    def _set_attribute(self, node: ast.Attribute, parent: ast.AST) -> None:
        if isinstance(node.value, ast.Name):
            value = parent.value if isinstance(parent, ast.Assign | ast.AnnAssign) else None
            self.attributes[f"{node.value.id}.{node.attr}"].append(value)

    def _visit(self, node: ast.AST, scope: Scope) -> bool:
        """Record what a node other than a name binds; True for one that opens a scope of its own."""
        kind = node.__class__
        if kind is ast.arg:
            scope.bind(node.arg, "", node.annotation, node)  # type: ignore[attr-defined]
        elif kind in SCOPED:
            if node is not scope.node:
                scope.bind(node.name, "", None, node)  # type: ignore[attr-defined]
                self._scopes[node] = Scope(node, scope)
                return True
        elif isinstance(node, ast.Import | ast.ImportFrom):
            self.imports.append(node)
            bind_import(scope, node)
        elif isinstance(node, ast.JoinedStr):
            if not self.in_string(node):
                self.strings.append(node)
        elif isinstance(node, ast.Global | ast.Nonlocal):
            scope.elsewhere |= dict.fromkeys(node.names, isinstance(node, ast.Global))
        elif isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar):
            if node.name:
                scope.bind(node.name, "", None, node)
        elif isinstance(node, ast.MatchMapping) and node.rest:
            scope.bind(node.rest, "", None, node)
        return False


SCOPED = {*FUNCTIONS, ast.ClassDef}
SPECIAL = {ast.Import, ast.ImportFrom, ast.arg, ast.JoinedStr, *SCOPED}
SPECIAL |= {ast.Global, ast.Nonlocal, ast.ExceptHandler, ast.MatchAs, ast.MatchStar, ast.MatchMapping}


@cache
def _wanted(names: tuple[str, ...]) -> tuple[frozenset[str], tuple[str, ...]]:
    """Dotted names as a set, and the keys of `_by_last` under which their calls are."""
    return frozenset(names), ("", *dict.fromkeys(name.rpartition(".")[2] for name in names))


def line_starts(text: str) -> list[int]:
    """The offset of the first character of each line."""
    if "\r" in text:
        return [0, *(match.end() for match in NEWLINE.finditer(text))]
    return [0, *accumulate(len(line) + 1 for line in text.split("\n")[:-1])]


def parsed(text: str) -> ast.Module:
    """The tree of a Python text; what the parser warns of in it is not ours to print.

    Raises:
        SyntaxError, ValueError, RecursionError, MemoryError: when the text is not Python.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(text)


def walk(node: ast.AST) -> list[ast.AST]:
    """A node and all below it, level by level as `ast.walk` has them, without contexts and operators."""
    found = [node]
    for one in found:
        for field in CHILDREN[one.__class__]:
            value = getattr(one, field)
            if value.__class__ is list:
                found += [inner for inner in value if inner is not None]
            elif value is not None:
                found.append(value)
    return found


def is_none(value: ast.expr | None) -> bool:
    """Whether an expression is the literal None."""
    return isinstance(value, ast.Constant) and value.value is None
