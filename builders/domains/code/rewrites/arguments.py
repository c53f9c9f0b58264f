"""Adding, replacing and removing an argument of a call, with the comments and line breaks around it kept."""

from __future__ import annotations

import ast
import re

from provkit.builders.domains.code.rewrites.edits import Edit
from provkit.builders.domains.code.rewrites.source import Source

COMMENT = re.compile(r"#[^\r\n]*")
REST = re.compile(r"[ \t]*,?[ \t]*(#[^\r\n]*)?(\r\n|\r|\n)")
COMMA = re.compile(r"\s*,\s*")


def arguments(call: ast.Call) -> list[ast.expr | ast.keyword]:
    """All arguments in the order of the text."""
    found: list[ast.expr | ast.keyword] = [*call.args, *call.keywords]
    return sorted(found, key=lambda node: (node.lineno, node.col_offset))


def keyword(call: ast.Call, *names: str) -> ast.keyword | None:
    """The first keyword argument of one of these names."""
    return next((found for found in call.keywords if found.arg in names), None)


def argument(call: ast.Call, position: int, *names: str) -> ast.expr | None:
    """The argument at a position, or under one of these names; None behind a `*`."""
    if any(isinstance(arg, ast.Starred) for arg in call.args[: position + 1]):
        return None
    if position < len(call.args):
        return call.args[position]
    found = keyword(call, *names)
    return found.value if found else None


def is_open(call: ast.Call) -> bool:
    """Whether the call has a `**`, so that any keyword may be given already."""
    return any(found.arg is None for found in call.keywords)


def rename_call(source: Source, call: ast.Call, name: str, module: str) -> Edit:
    """Another function of the same module: the last part of a dotted name, or `module.name` for a bare one."""
    end = source.end(call.func)
    if isinstance(call.func, ast.Attribute):
        return Edit(end - len(call.func.attr), end, name)
    return Edit(source.start(call.func), end, f"{module}.{name}")


def blank(text: str) -> str:
    """The text between two nodes with its comments overwritten by spaces."""
    return COMMENT.sub(lambda match: " " * len(match.group()), text)


def whole_end(source: Source, node: ast.AST, stop: int) -> int:
    """The end of an argument with the brackets around it; `stop` is where the call's own bracket closes."""
    gap = blank(source.text[source.end(node) : stop]).partition(",")[0]
    return source.end(node) + gap.rfind(")") + 1


def bounds(source: Source, node: ast.AST, stop: int) -> tuple[int, int]:
    """Where an argument starts and ends with the brackets around it."""
    start, end = source.start(node), whole_end(source, node, stop)
    for _ in range(source.text.count(")", source.end(node), end)):
        start = source.text.rindex("(", 0, start)
    return start, end


def append_argument(source: Source, call: ast.Call, text: str) -> Edit | None:
    """One more argument at the end, on a line of its own where the last one has a line with a comma."""
    given = arguments(call)
    close = source.end(call) - 1
    if not given:
        return Edit(close, close, text)
    last = given[-1]
    if isinstance(last, ast.GeneratorExp) and len(given) == 1 and source.end(last) == source.end(call):
        return None  # f(x for x in y) has no room for a second argument
    stop = whole_end(source, last, close)
    comma = blank(source.text[stop:close]).find(",")
    if comma < 0:
        return Edit(stop, stop, f", {text}")
    comma += stop + 1
    if comma <= (line_end := source.line_end(comma)) < close:
        lead = source.newline + source.indent(source.start(last))
        return Edit(line_end, line_end, f"{lead}{text},")
    return Edit(comma, comma, f" {text}")


def set_keyword(source: Source, call: ast.Call, name: str, text: str) -> Edit | None:
    """`name=text` as a keyword argument, in place of the value that it has or as a new one."""
    found = keyword(call, name)
    if found:
        return Edit(source.start(found.value), source.end(found.value), text)
    return append_argument(source, call, f"{name}={text}")


def remove_argument(source: Source, call: ast.Call, gone: ast.expr | ast.keyword) -> Edit:
    """The edit that takes out an argument and one comma; a comment behind the argument before it stays."""
    given = arguments(call)
    at = given.index(gone)
    close = source.end(call) - 1
    start, stop = bounds(source, gone, source.start(given[at + 1]) if at + 1 < len(given) else close)
    comma = COMMA.match(blank(source.text[stop:close]))
    line = source.line_start(start)
    if not source.text[line:start].strip() and (rest := REST.match(source.text, stop)):
        return Edit(line, rest.end(), "", flaw=False)
    before = whole_end(source, given[at - 1], start) if at else start
    if at + 1 < len(given) or "#" in source.text[before:start] or at == 0:
        return Edit(start, stop + comma.end() if comma else stop, "", flaw=False)
    return Edit(before, stop, "", flaw=False)  # the comma that goes is the one before
