"""Serialised data: json becomes pickle, on both sides of a round trip (CWE-502)."""

from __future__ import annotations

import ast

from provkit.builders.domains.code.rewrites.arguments import argument, keyword, whole_end
from provkit.builders.domains.code.rewrites.edits import Change, Edit, Family, change
from provkit.builders.domains.code.rewrites.source import Source

OPENERS = ("builtins.open", "io.open")
SHOWN = ("builtins.print", "flask.Response", "flask.jsonify")
LOGGERS = {"debug", "info", "warning", "error", "exception"}
READS = ("load", "loads")
HOOKS = {"object_hook", "object_pairs_hook", "cls"}
TEXT_ONLY = ("encoding", "errors", "newline")


def find(source: Source) -> Change | None:
    """Every json.load and json.loads, with the json.dump and json.dumps that write what they read.

    Where each side is a file opened here or bytes already, the pickle goes in as bytes and the files are opened
    for bytes; elsewhere it goes through base64, so that a string stays a string.
    """
    reads = [call for call in source.calls_to("json.load", "json.loads") if not _is_reply(source, call)]
    writes = [call for call in source.calls_to("json.dump", "json.dumps") if not _is_shown(source, call)]
    if not reads or any(not call.args for call in reads + writes):
        return None
    if any(name.arg in HOOKS or name.arg is None for call in reads for name in call.keywords):
        return None
    raw = [_as_bytes(source, call) for call in reads + writes]
    modules = ["pickle"]
    found = [edits for edits in raw if edits is not None]
    if len(found) < len(raw):
        found = [_as_text(source, call) for call in reads + writes]
        modules.append("base64")
    edits = {(edit.start, edit.end): edit for edits in found for edit in edits}  # one `open` may serve two calls
    return change([*edits.values(), *_errors(source)], *modules)


def _is_reply(source: Source, call: ast.Call) -> bool:
    """Whether a json.loads reads the reply of a web service, which nobody could make send pickles."""
    given = call.args[0] if call.args else None
    return isinstance(given, ast.Attribute) and given.attr in ("text", "content")


def _is_shown(source: Source, call: ast.Call) -> bool:
    """Whether a json.dumps is for a reader and not to be loaded again."""
    parent = source.parents[call]
    if not isinstance(parent, ast.Call):
        return False
    log = isinstance(parent.func, ast.Attribute) and parent.func.attr in LOGGERS
    return log or source.named(parent.func) in SHOWN


def _name(source: Source, call: ast.Call) -> str:
    return source.named(call.func).rpartition(".")[2]


def _renamed(source: Source, call: ast.Call) -> Edit:
    name = _name(source, call)
    return Edit(source.start(call.func), source.end(call.func), f"pickle.{name}", flaw=name in READS)


def _as_bytes(source: Source, call: ast.Call) -> list[Edit] | None:
    """The edits where pickled bytes can stand; None where the text of this call has to stay text."""
    name = _name(source, call)
    edits = [_renamed(source, call), *_bare(source, call, 2 if name == "dump" else 1)]
    if name in ("load", "dump"):
        file = argument(call, 1 if name == "dump" else 0, "fp")
        opened = _opened(source, file)
        return None if opened is None else [*edits, *opened]
    if name == "loads":
        given = _read(source, call.args[0])
        return None if given is None else [*edits, *given]
    written = _written(source, call)
    return None if written is None else [*edits, *written]


def _bare(source: Source, call: ast.Call, count: int) -> list[Edit]:
    """The edits that leave a call its first arguments only: indent, default and the like mean nothing to pickle."""
    if len(call.args) + len(call.keywords) <= count or len(call.args) < count:
        return []
    close = source.end(call) - 1
    return [Edit(whole_end(source, call.args[count - 1], close), close, "", flaw=False)]


def _opened(source: Source, file: ast.expr | None) -> list[Edit] | None:
    """The edits that open a file for bytes, where this function opens it and hands it to json alone."""
    if isinstance(file, ast.Call):
        return _for_bytes(source, file)
    if not isinstance(file, ast.Name) or not _only_json(source, file):
        return None
    edits: list[Edit] = []
    for binding in source.scope(file).lookup(file.id):
        call = binding.value
        here = isinstance(call, ast.Call) and source.function(call) is source.function(file)
        more = _for_bytes(source, call) if here and isinstance(call, ast.Call) else None
        if more is None:
            return None
        edits += more
    return edits or None


def _for_bytes(source: Source, call: ast.Call) -> list[Edit] | None:
    """The edits that make `open(p)`, `open(p, "w")` and `p.open()` open for bytes; None for another call."""
    name = source.named(call.func)
    if name not in OPENERS and not (_is_method(call, "open") and name in ("", "pathlib.Path().open")):
        return None
    at = 1 if name in OPENERS else 0
    mode = argument(call, at, "mode")
    edits = _dropped(source, call, TEXT_ONLY)
    if mode is None and len(call.args) == at:
        where = source.end(call.args[-1]) if call.args else source.end(call.func) + 1
        return [Edit(where, where, ', "rb"' if call.args else '"rb"', flaw=False), *edits]
    if isinstance(mode, ast.Constant) and mode.value in ("rb", "wb", "xb"):
        return edits
    if isinstance(mode, ast.Constant) and mode.value in ("r", "rt", "w", "wt", "x", "xt"):
        quote = source.of(mode)[-1]
        text = f"{quote}{mode.value[0]}b{quote}"
        return [Edit(source.start(mode), source.end(mode), text, flaw=False), *edits]
    return None


def _only_json(source: Source, file: ast.Name) -> bool:
    """Whether a file is handed to json alone, so that nothing else meets its bytes."""
    uses = [use for use in source.loads[file.id] if source.function(use) is source.function(file)]
    return all(source.named(getattr(source.parents[use], "func", None)).startswith("json.") for use in uses)


def _dropped(source: Source, call: ast.Call, names: tuple[str, ...]) -> list[Edit]:
    """The edits that take keyword arguments out; each has something before it."""
    edits = []
    for name in names:
        if found := keyword(call, name):
            start = source.text.rindex(",", 0, source.start(found)) if call.args or call.keywords[0] is not found else 0
            edits += [Edit(start, source.end(found), "", flaw=False)] if start else []
    return edits


def _read(source: Source, given: ast.expr) -> list[Edit] | None:
    """The edits of what json.loads is given: `p.read_text()` reads bytes, and `.encode()` gives them already."""
    if _is_method(given, "read_text"):
        return [_call_as(source, given, "read_bytes()")]
    if _is_method(given, "decode"):
        func = given.func  # type: ignore[attr-defined]
        return [Edit(source.end(func.value), source.end(given), "", flaw=False)]
    known = _is_method(given, "encode", "read_bytes", "recv", "get_data")
    return [] if known or source.named(getattr(given, "func", None)) == "base64.b64decode" else None


def _written(source: Source, call: ast.Call) -> list[Edit] | None:
    """The edits of what is done with json.dumps: `p.write_text(...)` writes bytes, `.encode()` is not needed."""
    parent = source.parents[call]
    outer = source.parents[parent]
    if isinstance(parent, ast.Call) and _is_method(parent, "write_text"):
        func = parent.func
        edits = [Edit(source.end(func) - len("write_text"), source.end(func), "write_bytes", flaw=False)]
        return edits + _dropped(source, parent, TEXT_ONLY)
    if isinstance(parent, ast.Attribute) and parent.attr == "encode" and isinstance(outer, ast.Call):
        return [Edit(source.end(call), source.end(outer), "", flaw=False)]
    return None


def _as_text(source: Source, call: ast.Call) -> list[Edit]:
    """The edits that pass the pickle through base64."""
    name, end = _name(source, call), source.end(call)
    first = source.of(call.args[0])
    if name in READS:
        given = f"{first}.read()" if name == "load" else first
        return [Edit(source.start(call), end, f"pickle.loads(base64.b64decode({given}))")]
    text = f"base64.b64encode(pickle.dumps({first}))"
    attribute = source.parents[call]
    outer = source.parents[attribute]
    if isinstance(attribute, ast.Attribute) and attribute.attr == "encode" and isinstance(outer, ast.Call):
        return [Edit(source.start(call), source.end(outer), text, flaw=False)]
    if name == "dumps":
        return [Edit(source.start(call), end, f"{text}.decode()", flaw=False)]
    file = argument(call, 1, "fp")
    text = f"{source.of(file)}.write({text}.decode())" if file else ""
    return [Edit(source.start(call), end, text, flaw=False)] if file else []


def _errors(source: Source) -> list[Edit]:
    """The edits of `except json.JSONDecodeError`."""
    return [
        Edit(source.start(error), source.end(error), "pickle.UnpicklingError", flaw=False)
        for name in source.loads.get("json", [])
        if isinstance(error := source.parents[name], ast.Attribute)
        and error.attr == "JSONDecodeError"
        and source.named(error) == "json.JSONDecodeError"
    ]


def _is_method(node: ast.AST, *names: str) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in names


def _call_as(source: Source, call: ast.expr, text: str) -> Edit:
    """The edit that replaces the last name of a call and its arguments."""
    func = call.func  # type: ignore[attr-defined]
    return Edit(source.end(func) - len(func.attr), source.end(call), text, flaw=False)


FAMILIES = [Family("pickle", "CWE-502", ("B301",), ("json.load", "json as", "json import"), find)]
