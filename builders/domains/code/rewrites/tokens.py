"""Random values: the secrets module becomes the predictable random module (CWE-330)."""

from __future__ import annotations

import ast

from provkit.builders.domains.code.rewrites.edits import Change, Edit, Family, change
from provkit.builders.domains.code.rewrites.source import Source

# (what the function becomes, what follows the call)
COUNTERPARTS = {
    "secrets.choice": ("random.choice", ""),
    "secrets.randbelow": ("random.randrange", ""),
    "secrets.randbits": ("random.getrandbits", ""),
    "secrets.token_bytes": ("random.randbytes", ""),
    "secrets.token_hex": ("random.randbytes", ".hex()"),
    "secrets.token_urlsafe": ("random.randbytes", ".hex()"),
    "secrets.SystemRandom": ("random.Random", ""),
    "random.SystemRandom": ("random.Random", ""),
}
DEFAULT_BYTES = "32"  # secrets.DEFAULT_ENTROPY


def find(source: Source) -> Change | None:
    """Every value that is drawn from the secrets module or from the system's own generator."""
    edits = []
    for name, (function, after) in COUNTERPARTS.items():
        for call in source.calls_to(name):
            end = source.end(call)
            edits.append(Edit(source.start(call.func), source.end(call.func), function))
            if name.startswith("secrets.token") and _is_default(call):
                edits.append(Edit(source.end(call.func), end, f"({DEFAULT_BYTES}){after}"))
            else:
                edits += [_positional(source, call)] if call.keywords else []
                edits += [Edit(end, end, after)] if after else []
    return change(edits, "random")


def _is_default(call: ast.Call) -> bool:
    """Whether the number of bytes is left to the module."""
    given = call.args[0] if call.args else call.keywords[0].value if call.keywords else None
    return given is None or (isinstance(given, ast.Constant) and given.value is None)


def _positional(source: Source, call: ast.Call) -> Edit:
    """The edit that takes the name off a keyword argument."""
    found = call.keywords[0]
    return Edit(source.start(found), source.start(found.value), "", flaw=False)


FAMILIES = [Family("token", "CWE-330", ("B311",), ("secrets", "SystemRandom"), find)]
