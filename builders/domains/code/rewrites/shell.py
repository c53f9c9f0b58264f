"""Subprocesses: a list of arguments becomes one string for the shell (CWE-78)."""

from __future__ import annotations

import ast
import shlex

from provkit.builders.domains.code.rewrites.arguments import is_open, keyword, set_keyword
from provkit.builders.domains.code.rewrites.edits import Change, Edit, Family, change
from provkit.builders.domains.code.rewrites.source import Source
from provkit.builders.domains.code.rewrites.strings import formatted, inlined

CALLS = tuple(f"subprocess.{name}" for name in ("run", "call", "check_call", "check_output", "Popen"))
GROWING = {"append", "extend", "insert"}


def command(source: Source, words: ast.List | ast.Tuple) -> str | None:
    """The shell command that a list of words becomes, as a string literal; None where it cannot be written as one.

    A constant word with white space or a shell character in it is quoted for the shell, the variable ones are not.
    """
    parts: list[str | ast.expr] = []
    for at, word in enumerate(words.elts):
        parts += [" "] if at else []
        if isinstance(word, ast.Starred):
            parts.append(joined(word.value))
        elif isinstance(word, ast.Constant):
            parts.append(shlex.quote(str(word.value)))
        else:
            parts.append(word)
    first = next((word for word in words.elts if isinstance(word, ast.Constant)), None)
    return formatted(source, parts, source.of(first)[0] if first and source.of(first)[0] in "'\"" else '"')


def joined(words: ast.expr) -> ast.expr:
    """`" ".join(words)` as an expression that is not in the source."""
    return ast.Call(func=ast.Attribute(ast.Constant(" "), "join", ast.Load()), args=[words], keywords=[])


def varies(words: ast.expr) -> bool:
    """Whether a list has a word that is not constant, so that something can be injected."""
    return isinstance(words, ast.List | ast.Tuple) and not all(isinstance(word, ast.Constant) for word in words.elts)


def first_argument(source: Source, call: ast.Call) -> list[Edit]:
    """The edits that make a string of the words; none where they are not known to be a list that varies."""
    words = call.args[0]
    if isinstance(words, ast.List | ast.Tuple):
        text = command(source, words) if varies(words) else None
        return [Edit(source.start(words), source.end(words), text)] if text else []
    if isinstance(words, ast.Call) and source.named(words.func) == "shlex.split" and len(words.args) == 1:
        if inlined(source, words.args[0], '"') is None or isinstance(words.args[0], ast.Constant):
            return []
        return [Edit(source.start(words), source.end(words), source.of(words.args[0]))]
    return named_list(source, words) if isinstance(words, ast.Name) else []


def named_list(source: Source, name: ast.Name) -> list[Edit]:
    """The edits for a list with a name: in its place where this is its one use, else the call joins it."""
    bindings = source.scope(name).lookup(name.id)
    values = [binding.value for binding in bindings if binding.value is not None]
    only = source.value(name)
    uses = [use for use in source.loads[name.id] if source.function(use) is source.function(name)]
    if isinstance(only, ast.List | ast.Tuple) and len(uses) == 1 and source.function(only) is source.function(name):
        text = command(source, only) if varies(only) else None
        return [Edit(source.start(only), source.end(only), text)] if text else []
    if not values or not all(isinstance(value, ast.List) for value in values):
        return []
    added = any(isinstance(source.parents[binding.node], ast.AugAssign) for binding in bindings)
    grown = any(isinstance(parent := source.parents[use], ast.Attribute) and parent.attr in GROWING for use in uses)
    if len(values) + added < len(bindings) or not (added or grown or any(varies(value) for value in values)):
        return []
    return [Edit(source.start(name), source.end(name), f'" ".join({name.id})')]


def find(source: Source) -> Change | None:
    """Every call of subprocess with a list of words that varies and no shell."""
    edits: list[Edit] = []
    for call in source.calls_to(*CALLS):
        shell = keyword(call, "shell")
        if not call.args or is_open(call) or (shell and not is_false(shell.value)):
            continue
        words = first_argument(source, call)
        flag = set_keyword(source, call, "shell", "True")
        if words and flag:
            edits += [*words, flag]
    return change(edits)


def is_false(node: ast.expr) -> bool:
    """Whether an expression is the literal False."""
    return isinstance(node, ast.Constant) and node.value is False


FAMILIES = [Family("shell", "CWE-78", ("B602",), ("subprocess",), find)]
