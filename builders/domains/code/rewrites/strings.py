"""String literals as they are written, and f-strings put together out of text and expressions."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass

from provkit.builders.domains.code.rewrites.source import Source

LITERAL = re.compile(
    r"""(?P<prefix>[rRbBuUfF]{0,2})(?P<quote>\"{3}|'{3}|"|')(?P<body>(?:\\.|(?!(?P=quote)).)*)(?P=quote)""",
    re.S,
)
BETWEEN = re.compile(r"(?:\s|\\|#[^\r\n]*)*")
PLAIN = (ast.Name, ast.Attribute, ast.Subscript, ast.Call, ast.BinOp, ast.Constant)
ESCAPES = {"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t", "{": "{{", "}": "}}"}


@dataclass(frozen=True, slots=True)
class Literal:
    """One string token: its offsets in the source, and its parts."""

    start: int
    end: int
    prefix: str
    quote: str
    body: str

    @property
    def body_start(self) -> int:
        """The offset of the first character between the quotes."""
        return self.start + len(self.prefix) + len(self.quote)


def literals(source: Source, node: ast.expr) -> list[Literal]:
    """The string tokens of a constant that may be several strings side by side; none when it is not a string."""
    if not (isinstance(node, ast.Constant) and isinstance(node.value, str)):
        return []
    at, end = source.start(node), source.end(node)
    found = []
    while match := LITERAL.match(source.text, at):
        found.append(Literal(at, match.end(), match["prefix"], match["quote"], match["body"]))
        between = BETWEEN.match(source.text, match.end())
        at = between.end() if between else match.end()
        if match.end() >= end:
            return found
    return []


def inlined(source: Source, node: ast.expr, quote: str) -> str | None:
    """The text that puts an expression's value into an f-string of this quote; None where it does not fit.

    Fit for Python before 3.12: no backslash, comment, line break, or quote of the string's own. The parts of an
    f-string, and of a sum with a string in it, go in as they are.
    """
    if isinstance(node, ast.JoinedStr):
        match = LITERAL.fullmatch(source.of(node))
        if match and match["prefix"] in "fF" and not re.search(rf"[\\\r\n{quote[0]}]", match["body"]):
            return match["body"]
    if isinstance(node, ast.Constant) and isinstance(node.value, str | int):
        return escaped(str(node.value), quote)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add) and has_text(node):
        left, right = inlined(source, node.left, quote), inlined(source, node.right, quote)
        return None if left is None or right is None else left + right
    if is_str_call(source, node):
        return inlined(source, node.args[0], quote)  # type: ignore[attr-defined]
    text = source.of(node) if hasattr(node, "lineno") else ast.unparse(node)
    if not _fits(text, quote):
        text = ast.unparse(node)
        if not _fits(text, quote) and "'" in quote and '"' not in text:
            text = text.replace("'", '"')
    if not _fits(text, quote):
        return None
    return f"{{{text}}}" if isinstance(node, PLAIN) and text[0] != "{" else f"{{({text})}}"


def formatted(source: Source, parts: list[str | ast.expr], quote: str = '"') -> str | None:
    """A string literal of these parts, an f-string where one of them is an expression."""
    if all(isinstance(part, str) for part in parts):
        return quote + "".join(escaped(str(part), quote, braces=False) for part in parts) + quote
    for mark in (quote, "'" if quote == '"' else '"'):
        texts = [escaped(part, mark) if isinstance(part, str) else inlined(source, part, mark) for part in parts]
        if None not in texts:
            return f"f{mark}{''.join(text or '' for text in texts)}{mark}"
    return None


def escaped(text: str, quote: str, braces: bool = True) -> str:
    """A text as it is written inside a literal of this quote."""
    return "".join(
        f"\\{mark}" if mark in quote else ESCAPES.get(mark, mark) if braces or mark not in "{}" else mark
        for mark in text
    )


def has_text(node: ast.expr) -> bool:
    """Whether a sum has a string literal among its terms, so that all of them are strings."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return has_text(node.left) or has_text(node.right)
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))


def is_str_call(source: Source, node: ast.expr) -> bool:
    """Whether an expression is `str(x)`, which an f-string does anyway."""
    return (
        isinstance(node, ast.Call)
        and len(node.args) == 1
        and not node.keywords
        and not isinstance(node.args[0], ast.Starred)
        and isinstance(node.func, ast.Name)
        and source.named(node.func) == "builtins.str"
    )


def _fits(text: str, quote: str) -> bool:
    return not re.search(rf"[\\#\r\n]|{quote}", text)
