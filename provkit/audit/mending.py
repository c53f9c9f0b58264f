"""Texts as they should be: edges without stray white space, entities read back, numbers out of their quotes.

Each function leaves alone what it cannot mend without doubt: the audit reports by them, the mending builders mend
by them.
"""

from __future__ import annotations

import html
import re

ENTITY = re.compile(r"&(?:lt|gt|amp|quot|apos|nbsp|#39|#x27|#34|#60|#62|#38);")
_QUOTED = re.compile(r"""(["'`])&(?:lt|gt|amp|quot|apos|nbsp|#39|#x27|#34|#60|#62|#38);\1""")
_ESCAPED_TAG = re.compile(r"&(?:lt|#60);[/!]?[A-Za-z][^<&]{0,200}?(?:>|/|&|\s)")
_RAW_TAG = re.compile(r"<[/!]?[A-Za-z][^<>]{0,400}>")
_ESCAPING = re.compile(r"(?:un)?escape\(|\.replace\(|htmlspecialchars|entit(?:y|ies)", re.IGNORECASE)
_NUMBER = re.compile(r"-?(?:0|[1-9]\d{0,14})(?:\.\d{1,15})?\Z")


def without_edges(text: str) -> str:
    """The text without blank lines before it and white space behind it; its first line keeps an indent that counts.

    The indent of a first line counts where the lines after it have at least the same: it is a block of code.
    """
    if not text[:1].isspace() and not text[-1:].isspace():
        return text
    text = text.rstrip()
    lines = text.split("\n")
    first = next((at for at, line in enumerate(lines) if line.strip()), 0)
    lines = lines[first:]
    indent = _indent(lines[0]) if lines else 0
    rest = [_indent(line) for line in lines[1:] if line.strip()]
    if indent and not (rest and min(rest) >= indent):
        lines[0] = lines[0].lstrip()
    return "\n".join(lines)


def escaped(text: str) -> bool:
    """Whether HTML entities were left in a text: escaped tags, or entities where no tag is written raw.

    HTML that writes its tags raw may use entities rightly, and so may code that escapes: an entity alone in quotes
    does not count.
    """
    if "&" not in text or ENTITY.search(text) is None:
        return False
    bare = _QUOTED.sub("", text)
    if ENTITY.search(bare) is None:
        return False
    return _ESCAPED_TAG.search(bare) is not None or (_RAW_TAG.search(bare) is None and _ESCAPING.search(bare) is None)


def without_entities(text: str) -> str:
    """The text with its entities read back, where no raw tag and no escaping code leaves a doubt."""
    if not escaped(text) or _RAW_TAG.search(text) or _ESCAPING.search(text) or _QUOTED.search(text):
        return text
    return ENTITY.sub(lambda found: html.unescape(found.group()).replace("\xa0", " "), text)


def number_kind(text: str) -> str | None:
    """`integer` or `real` for a text that is a number as a program writes it, None for another text."""
    if not _NUMBER.match(text):
        return None
    return "real" if "." in text else "integer"


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())
