"""Web applications: escaping off (CWE-79), the debugger on (CWE-489), every interface open (CWE-668)."""

from __future__ import annotations

import ast

from provkit.builders.domains.code.rewrites.arguments import argument, is_open, keyword, set_keyword
from provkit.builders.domains.code.rewrites.edits import Change, Edit, Family, change
from provkit.builders.domains.code.rewrites.source import Source

ENVIRONMENTS = ("jinja2.Environment", "jinja2.environment.Environment")
ESCAPERS = ("jinja2.select_autoescape", "jinja2.utils.select_autoescape")
LOCAL = ("127.0.0.1", "localhost")
SERVERS = ("Server", "server", "server_bind", "bind", "start_server", "create_server")
RUNNERS = ("run", "serve", "run_app", "start_server", "create_server", "run_simple")


def find_autoescape(source: Source) -> Change | None:
    """Every jinja2 environment that is told to escape."""
    edits = []
    for call in source.calls_to(*ENVIRONMENTS):
        told = keyword(call, "autoescape")
        if told and (is_true(told.value) or (isinstance(told.value, ast.Call) and _escapes(source, told.value))):
            edits.append(Edit(source.start(told.value), source.end(told.value), "False"))
    return change(edits)


def _escapes(source: Source, call: ast.Call) -> bool:
    return source.named(call.func) in ESCAPERS


def find_debug(source: Source) -> Change | None:
    """Every Flask application that is run without its debugger."""
    edits = []
    for call in source.methods("run") if "flask" in source.text else ():
        told = keyword(call, "debug")
        if is_open(call) or (told and is_true(told.value)) or not _is_flask(source, call):
            continue
        if edit := set_keyword(source, call, "debug", "True"):
            edits.append(edit)
    return change(edits)


def _is_flask(source: Source, call: ast.Call) -> bool:
    """Whether `X.run()` runs a Flask application: one made here, or by a function of this source."""
    if source.named(call.func) in ("flask.Flask().run", "flask.app.Flask().run"):
        return True
    made = source.value(call.func.value) if isinstance(call.func, ast.Attribute) else None
    makers = [made.func] if isinstance(made, ast.Call) else []
    if isinstance(call.func, ast.Attribute) and isinstance(call.func.value, ast.Call):
        makers.append(call.func.value.func)
    for maker in makers:
        for binding in source.scope(maker).lookup(maker.id) if isinstance(maker, ast.Name) else ():
            returns = [node for node in ast.walk(binding.node) if isinstance(node, ast.Return)]
            if any(source.named(node.value) == "flask.Flask()" for node in returns):
                return True
    return False


def find_bind(source: Source) -> Change | None:
    """Every server that listens to this machine only."""
    found: dict[ast.expr, Edit] = {}
    for call in source.calls:
        name = call.func.attr if isinstance(call.func, ast.Attribute) else source.named(call.func)
        name = name.rpartition(".")[2]
        hosts: list[ast.expr | None] = []
        if name in RUNNERS and not source.called(call).startswith("subprocess."):
            hosts = [argument(call, len(call.args), "host", "hostname"), *call.args[:2]]
        if name in ("bind", "TCPServer") or name.endswith("Server"):
            hosts += [pair.elts[0] for pair in call.args[:1] if isinstance(pair, ast.Tuple) and pair.elts]
            hosts.append(argument(call, len(call.args), "host"))
        for host in hosts:
            literal = (source.value(host) or host) if host else None
            if literal and is_local(literal) and _is_only_host(source, host):
                quote = source.of(literal)[-1]
                found[literal] = Edit(source.start(literal), source.end(literal), f"{quote}0.0.0.0{quote}")
    return change(found.values())


def _is_only_host(source: Source, host: ast.expr | None) -> bool:
    """Whether a host with a name is used for the server and for messages alone, not to connect to it."""
    if not isinstance(host, ast.Name):
        return True
    return not any(source.methods("connect", "create_connection", "get", "post"))


def is_local(node: ast.expr) -> bool:
    """Whether a node is the literal name of this machine."""
    return isinstance(node, ast.Constant) and node.value in LOCAL


def is_true(node: ast.expr) -> bool:
    """Whether an expression is the literal True."""
    return isinstance(node, ast.Constant) and node.value is True


FAMILIES = [
    Family("autoescape", "CWE-79", ("B701",), ("autoescape",), find_autoescape),
    Family("debug", "CWE-489", ("B201",), (".run(",), find_debug),
    Family("bind", "CWE-668", ("B104",), LOCAL, find_bind),
]
