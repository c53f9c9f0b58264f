"""The filter of what models write: what it stops is a drop with its reason."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cache
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class Rule:
    """A reason, and the patterns that must all occur for it."""

    reason: str
    patterns: tuple[re.Pattern[str], ...]


@cache
def rules() -> tuple[Rule, ...]:
    """The rules of catalog/filters/output.yaml."""
    import yaml

    found = yaml.safe_load((files("provkit.catalog") / "filters" / "output.yaml").read_text(encoding="utf-8"))
    return tuple(
        Rule(one["reason"], tuple(re.compile(pattern, re.IGNORECASE | re.VERBOSE) for pattern in one["all_of"]))
        for one in found
    )


def words() -> list[list[str]]:
    """The rules as plain data: what a build's identity knows of them."""
    return [[rule.reason, *(pattern.pattern for pattern in rule.patterns)] for rule in rules()]


def stopped(text: str) -> tuple[str, str] | None:
    """The reason why a text may not stay, and the words that gave it; None when it may.

    Compatibility forms are made plain and invisible characters left out first, so that neither hides a word.
    """
    text = "".join(c for c in unicodedata.normalize("NFKC", text) if unicodedata.category(c) != "Cf")
    for rule in rules():
        hits = [pattern.search(text) for pattern in rule.patterns]
        if all(hits):
            return f"filtered: {rule.reason}", ", ".join(hit[0] for hit in hits if hit)
    return None
