"""Credentials: one read from the environment becomes an obviously fake literal (CWE-798)."""

from __future__ import annotations

import ast
import re

from provkit.builders.domains.code.rewrites.edits import Change, Edit, Family, change
from provkit.builders.domains.code.rewrites.source import Source

FAKE_SECRET = "example-not-a-real-secret-"  # how each literal begins: a secret scanner can allow-list it
READERS = ("os.getenv", "os.environ.get")
SECRET = re.compile(r"(^|_)(pass(word|wd|phrase)?|pwd|secret|token|key|apikey)$", re.I)


def find(source: Source) -> Change | None:
    """Every secret that a name, an argument or a configuration key gets from the environment."""
    edits = []
    chance = source.chance.child("secret")
    for node in _reads(source):
        if _is_secret(source, node) and not source.in_string(node):
            key = node.args[0] if isinstance(node, ast.Call) else node.slice
            quote = source.of(key)[-1]
            text = f"{quote}{FAKE_SECRET}{chance.integer(0, 0xFFFF):04x}{quote}"
            edits.append(Edit(source.start(node), source.end(node), text))
    return change(edits)


def _reads(source: Source) -> list[ast.Call | ast.Subscript]:
    """The places that read an environment variable with a constant name, in the order of the text."""
    found: list[ast.Call | ast.Subscript] = [
        call for call in source.calls_to(*READERS) if call.args and _is_text(call.args[0])
    ]
    aliases = {alias.asname or alias.name.partition(".")[0] for node in source.imports for alias in node.names}
    for environ in [use for name in aliases for use in source.loads.get(name, ())]:
        parent = source.parents[environ]
        whole = parent if isinstance(parent, ast.Attribute) else environ
        user = source.parents[whole]
        if isinstance(user, ast.Subscript) and source.named(user.value) == "os.environ" and _is_text(user.slice):
            found.append(user)
    return sorted(found, key=source.start)


def _is_secret(source: Source, node: ast.AST) -> bool:
    """Whether what is read goes straight to a name that looks like a secret's; `.encode()` on the way is fine."""
    parent = source.parents[node]
    if isinstance(parent, ast.Attribute) and parent.attr in ("encode", "strip"):
        node = source.parents[parent]
        parent = source.parents[node]
    if isinstance(parent, ast.Assign | ast.AnnAssign) and parent.value is node:
        targets = parent.targets if isinstance(parent, ast.Assign) else [parent.target]
        return any(SECRET.search(_name(target)) for target in targets)
    return isinstance(parent, ast.keyword) and bool(SECRET.search(parent.arg or ""))


def _name(target: ast.expr) -> str:
    if isinstance(target, ast.Subscript):
        return str(target.slice.value) if isinstance(target.slice, ast.Constant) else ""
    return target.attr if isinstance(target, ast.Attribute) else target.id if isinstance(target, ast.Name) else ""


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


FAMILIES = [Family("secret", "CWE-798", ("B105", "B106"), ("environ", "getenv"), find)]
