"""When two answers are one: what they say without case, punctuation, articles and the spelling of numbers."""

from __future__ import annotations

import re
import unicodedata

PART = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?|\w+")
GROUPING = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
ARTICLES = frozenset({"a", "an", "the"})


def normal(text: str) -> str:
    """The answer as it is compared: case-folded words and numbers, no articles; a text of signs alone stays itself."""
    folded = (text if text.isascii() else unicodedata.normalize("NFKC", text)).casefold().replace("−", "-")
    if "," in folded:
        folded = GROUPING.sub("", folded)
    parts = PART.findall(folded)
    words = [part for part in parts if part not in ARTICLES]
    return " ".join(words or parts) or folded.strip()
