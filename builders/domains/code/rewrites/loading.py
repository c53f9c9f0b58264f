"""Reading of data: yaml.load (CWE-502), eval (CWE-95), the standard library's XML (CWE-776)."""

from __future__ import annotations

import ast

from provkit.builders.domains.code.rewrites.arguments import append_argument, argument, remove_argument, rename_call
from provkit.builders.domains.code.rewrites.edits import Change, Edit, Family, change
from provkit.builders.domains.code.rewrites.source import Source

SAFE_LOADERS = ("yaml.SafeLoader", "yaml.CSafeLoader")
LOADS = ("yaml.safe_load", "yaml.safe_load_all", "yaml.load")
XML = {
    "defusedxml.ElementTree": "xml.etree.ElementTree",
    "defusedxml.cElementTree": "xml.etree.ElementTree",
    "defusedxml.minidom": "xml.dom.minidom",
    "defusedxml.pulldom": "xml.dom.pulldom",
    "defusedxml.sax": "xml.sax",
    "defusedxml.expatbuilder": "xml.dom.expatbuilder",
}
PARSERS = {"parse", "parseString", "fromstring", "iterparse", "XMLParser", "make_parser"}
FORBIDS = ("forbid_dtd", "forbid_entities", "forbid_external")


def find_yaml(source: Source) -> Change | None:
    """Every yaml.safe_load, and every yaml.load with a safe loader; bare names become names of the module."""
    edits: list[Edit | None] = []
    for call in source.calls_to("yaml.safe_load"):
        edits += _unsafe(source, call)
    for call in source.calls_to("yaml.load"):
        loader = argument(call, 1, "Loader")
        if loader and source.named(loader) in SAFE_LOADERS:
            edits.append(Edit(source.start(loader), source.end(loader), f"{_module(source, loader)}Loader"))
            edits.append(rename_call(source, call, "load", "yaml"))  # bandit knows it by this name alone
    if edits:
        for call in source.calls_to("yaml.safe_load_all"):
            edits += _unsafe(source, call)
    if None in edits:
        return None
    bare = any(isinstance(call.func, ast.Name) for call in source.calls_to(*LOADS))
    return change([edit for edit in edits if edit], *(["yaml"] if bare else []))


def _unsafe(source: Source, call: ast.Call) -> list[Edit | None]:
    """`yaml.safe_load(x)` as `yaml.load(x, Loader=yaml.Loader)`."""
    name = source.called(call).rpartition(".")[2].removeprefix("safe_")
    loader = append_argument(source, call, f"Loader={_module(source, call.func)}Loader")
    return [rename_call(source, call, name, "yaml"), loader]


def _module(source: Source, node: ast.expr) -> str:
    """What stands before the last part of a dotted name, with its dot."""
    return source.of(node)[: -len(node.attr)] if isinstance(node, ast.Attribute) else "yaml."


def find_eval(source: Source) -> Change | None:
    """Every ast.literal_eval of something that is not constant."""
    if any("eval" in scope.bindings for scope in source.scopes):
        return None
    return change(
        Edit(source.start(call.func), source.end(call.func), "eval")
        for call in source.calls_to("ast.literal_eval")
        if call.args and not isinstance(call.args[0], ast.Constant)
    )


def find_xml(source: Source) -> Change | None:
    """Every import of defusedxml, where the source parses something with it."""
    parses = source.calls_to(*(f"{module}.{parser}" for module in XML for parser in PARSERS))
    if not parses:
        return None
    edits: list[Edit] = []
    for call in parses:
        edits += [remove_argument(source, call, told) for told in call.keywords if told.arg in FORBIDS]
    for statement in source.imports:
        if isinstance(statement, ast.ImportFrom):
            edits += _from_defused(source, statement)
        else:
            for alias in statement.names:
                if alias.name in XML:
                    end = source.start(alias) + len(alias.name)
                    edits.append(Edit(source.start(alias), end, XML[alias.name]))
                    edits += [] if alias.asname else _dotted_uses(source, alias.name)
    return change(edits)


def _from_defused(source: Source, statement: ast.ImportFrom) -> list[Edit]:
    """The edit of `from defusedxml import ElementTree` or `from defusedxml.ElementTree import fromstring`."""
    module = statement.module or ""
    start = source.text.find(module, source.start(statement) + len("from"))
    if module in XML:
        return [Edit(start, start + len(module), XML[module])]
    moved = [alias for alias in statement.names if f"{module}.{alias.name}" in XML]
    kept = [source.of(alias) for alias in statement.names if alias not in moved]
    lines = []
    for alias in moved:
        package, _, name = XML[f"{module}.{alias.name}"].rpartition(".")
        local = alias.asname or alias.name
        lines.append(f"from {package} import {name}" + (f" as {local}" if local != name else ""))
    lines += [f"from {module} import {', '.join(kept)}"] if kept else []
    text = (source.newline + source.indent(start)).join(lines)
    return [Edit(source.start(statement), source.end(statement), text)] if moved else []


def _dotted_uses(source: Source, module: str) -> list[Edit]:
    """The edits of `defusedxml.ElementTree.parse` where the module is imported without a shorter name."""
    first = module.partition(".")[0]
    edits = []
    for name in source.loads.get(first, ()):
        used = source.parents[name]
        if isinstance(used, ast.Attribute) and source.of(used) == module:
            edits.append(Edit(source.start(used), source.end(used), XML[module]))
    return edits


FAMILIES = [
    Family("yaml", "CWE-502", ("B506",), ("yaml",), find_yaml),
    Family("eval", "CWE-95", ("B307",), ("literal_eval",), find_eval),
    Family("xml", "CWE-776", ("B314", "B315", "B316", "B317", "B318", "B319"), ("defusedxml",), find_xml),
]
