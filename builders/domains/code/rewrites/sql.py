"""SQL: a query with bound parameters becomes an f-string (CWE-89)."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass

from provkit.builders.domains.code.rewrites.arguments import argument, arguments, remove_argument, whole_end
from provkit.builders.domains.code.rewrites.edits import Change, Edit, Family, applied, change, in_order
from provkit.builders.domains.code.rewrites.source import Source
from provkit.builders.domains.code.rewrites.statements import forgotten
from provkit.builders.domains.code.rewrites.strings import Literal, inlined, literals

METHODS = ("execute", "raw", "fetch", "fetchrow", "fetchval", "fetch_all", "fetch_one")
READERS = ("pandas.read_sql", "pandas.read_sql_query")
QUERY = ("query", "sql", "statement")
VALUES = ("params", "parameters", "args", "vars", "values")
TEXT = ("sqlalchemy.text", "sqlalchemy.sql.text", "sqlalchemy.sql.expression.text")
STATEMENT = re.compile(  # bandit's own idea of a statement (SIMPLE_SQL_RE, plugins/injection_sql.py)
    r"select\s.*from\s|delete\s+from\s|insert\s+into\s.*values[\s(]|update\s.*set\s", re.I | re.S
)
MARK = re.compile(r"\\?'|::\w+|%%|%s|%\((\w+)\)s|\?|:([A-Za-z_]\w*)|\$(\d+)")
NUMERIC = {f"builtins.{name}" for name in ("int", "float", "len", "bool", "abs", "round")}
UNQUOTED = re.compile(r"\b(limit|offset)\s+\Z", re.I)


@dataclass(frozen=True, slots=True)
class Place:
    """A placeholder in a string token: `key` is its name or number, "" where it goes by its turn."""

    literal: Literal
    start: int
    end: int
    style: str
    key: str


def places(found: list[Literal]) -> list[Place]:
    """The placeholders outside SQL strings, in the order of the text."""
    inside = False
    out = []
    for literal in found:
        for match in MARK.finditer(literal.body):
            text = match.group()
            if text.endswith("'"):
                inside = not inside
            elif not inside and not text.startswith("::"):
                key = match[1] or match[2] or match[3] or ""
                style = text if not key else {"%": "%(", ":": ":", "$": "$"}[text[0]]
                start = literal.body_start + match.start()
                out.append(Place(literal, start, start + len(text), style, key))
    return out


def bound(found: list[Place], values: ast.expr, rest: list[ast.expr]) -> list[tuple[Place, ast.expr]]:
    """Each placeholder with the expression it stands for; empty where they do not fit together."""
    if isinstance(values, ast.Dict):
        pairs = zip(values.keys, values.values, strict=True)
        named = {str(key.value): value for key, value in pairs if isinstance(key, ast.Constant)}
        mine = [place for place in found if place.style in ("%(", ":")]
        fits = len(named) == len(values.keys) and {place.key for place in mine} == set(named)
        return [(place, named[place.key]) for place in mine] if fits else []
    if numbered := [place for place in found if place.style == "$"]:
        given = [values, *rest]
        return [(place, given[int(place.key) - 1]) for place in numbered if 0 < int(place.key) <= len(given)]
    items = values.elts if isinstance(values, ast.Tuple | ast.List) else []
    for style in ("?", "%s"):
        mine = [place for place in found if place.style == style]
        if mine and len(mine) == len(items) and not any(isinstance(item, ast.Starred) for item in items):
            return list(zip(mine, items, strict=True))
    return []


def is_text(node: ast.expr | None) -> bool:
    """Whether a node is a string constant."""
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def filled(source: Source, query: ast.expr, pairs: list[tuple[Place, ast.expr]]) -> list[Edit] | None:
    """The edits that make an f-string of a query; None where an expression does not fit into it."""
    edits = []
    touched = {place.literal.start: place.literal for place, _ in pairs}
    for place, value in pairs:
        literal = place.literal
        quote, apostrophe = quotes(literal)
        text = inlined(source, value, quote)
        if text is None or literal.prefix.strip("uUrR") or (literal.prefix.strip("uU") and "\\" in text):
            return None
        before = source.text[literal.body_start : place.start]
        plain = is_number(source, value) or is_id(value) or UNQUOTED.search(before)
        edits.append(Edit(place.start, place.end, text if plain else f"{apostrophe}{text}{apostrophe}"))
    percent = pairs[0][0].style.startswith("%")
    for literal in literals(source, query):
        if percent:
            for match in re.finditer("%%", literal.body):
                at = literal.body_start + match.start()
                edits.append(Edit(at, at + 2, "%", flaw=False))
        if literal.start in touched:
            prefix = "f" + literal.prefix.strip("uU")
            quote, _ = quotes(literal)
            edits.append(Edit(literal.start, literal.body_start, prefix + quote, flaw=False))
            edits.append(Edit(literal.end - len(quote), literal.end, quote, flaw=False))
            for match in re.finditer(r"[{}]", literal.body):
                at = literal.body_start + match.start()
                edits.append(Edit(at, at + 1, match.group() * 2, flaw=False))
    return edits


def quotes(literal: Literal) -> tuple[str, str]:
    """The quote that a literal has as an f-string, and how SQL's own quote is written in it.

    SQL wants single quotes, so a literal in single quotes gets double ones where it has none inside.
    """
    if literal.quote[0] == '"' or '"' in literal.body:
        return literal.quote, "'" if literal.quote != "'" else "\\'"
    return '"' * len(literal.quote), "'"


def is_number(source: Source, value: ast.expr) -> bool:
    """Whether a value is a number for sure, so that nothing can be injected through it."""
    if isinstance(value, ast.Constant):
        return not isinstance(value.value, str)
    return isinstance(value, ast.Call) and source.named(value.func) in NUMERIC


def is_id(value: ast.expr) -> bool:
    """Whether a value is called an id, which people write into SQL without quotes."""
    name = value.id if isinstance(value, ast.Name) else value.attr if isinstance(value, ast.Attribute) else ""
    return name.lower() == "id" or name.lower().endswith("_id")


def rewritten(source: Source, call: ast.Call) -> list[Edit]:
    """The edits for one call; none where it is no such idiom."""
    query, values, rest = argument(call, 0, *QUERY), argument(call, 1, *VALUES), call.args[2:]
    if source.called(call) in READERS:
        values, rest = argument(call, 4, "params"), []
    if query is None or values is None:
        return []
    gone: list[Edit | None] = []
    stated = query
    if isinstance(query, ast.Call) and source.named(query.func) in TEXT and len(query.args) == 1:
        stated = query.args[0]
    whole = source.value(stated) or stated
    listed = source.value(values) or values
    pairs = bound(places(literals(source, whole)), listed, rest)
    if not (isinstance(whole, ast.Constant) and pairs and STATEMENT.search(str(whole.value))):
        return []
    if all(is_number(source, value) or is_text(value) for _, value in pairs):
        return []
    edits = filled(source, whole, pairs)
    if edits is None:
        return []
    if whole is not stated:
        edits = moved(source, stated, whole, edits, [value for _, value in pairs])
        gone += [] if edits else [None]
    if listed is not values:
        gone.append(forgotten(source, values, source.start(values), source.end(values)))
    if pairs[0][0].style == "$":
        close = source.end(call) - 1
        stop = whole_end(source, call.args[-1], close)
        gone.append(Edit(whole_end(source, query, close), stop, "", flaw=False))
    else:
        node = next(node for node in arguments(call) if values in (node, getattr(node, "value", None)))
        gone.append(remove_argument(source, call, node))
    return [] if None in gone else [*edits, *(edit for edit in gone if edit)]


def moved(source: Source, name: ast.expr, query: ast.expr, edits: list[Edit], values: list[ast.expr]) -> list[Edit]:
    """The edits for a query that has a name: in its place where all values are known there, else in the call."""
    known = source.function(name) is source.function(query) and len(source.loads.get(source.of(name), [])) == 1
    for node in (inner for value in values for inner in ast.walk(value) if isinstance(inner, ast.Name)):
        for binding in source.scope(name).lookup(node.id):
            known &= isinstance(binding.node, ast.arg) or source.end(binding.node) < source.start(query)
    if known:
        return edits
    removed = forgotten(source, name, source.start(name), source.end(name))
    ordered = in_order(edits)
    if removed is None or ordered is None:
        return []
    base, stop = source.start(query), source.end(query)
    local = [Edit(edit.start - base, edit.end - base, edit.text, edit.flaw) for edit in ordered]
    text, _ = applied(source.text[base:stop], local)
    return [removed, Edit(source.start(name), source.end(name), text)]


def find(source: Source) -> Change | None:
    """Every call that runs a constant statement with values bound to its placeholders."""
    calls = source.methods(*METHODS) + source.calls_to(*READERS)
    return change(edit for call in calls for edit in rewritten(source, call))


FAMILIES = [Family("sql", "CWE-89", ("B608",), ("execute(", ".raw(", ".fetch", "read_sql"), find)]
