"""What a number prompt asks for: how many numbers, in which form, and of what length."""

from __future__ import annotations

import re
from dataclasses import dataclass

from provkit.builders.domains.numbers.library import wordings

COUNT = re.compile(r"(?<!\d)(\d{1,2}) (?:more|further|additional|new|other)\b", re.IGNORECASE)
NUMBER = re.compile(r"\d+")
SHORT = re.compile(r"\b(?:three|3)[ -]digits?\b|\b(?:zero|0) (?:and|to) 999\b", re.IGNORECASE)
BRACKETED = re.compile(r"\[\s*\d+\s*,")


@dataclass(frozen=True, slots=True)
class Asked:
    """What a prompt asks for."""

    count: int
    layout: str
    highest: int | None  # 999 where it says that three digits are the limit
    shown: frozenset[int]  # every number that it names


def asked(prompt: str) -> Asked | None:
    """What a prompt asks for; None when it does not say how many numbers (`8 more`, `10 further`).

    Where no form is named it is the one that the prompt's own list has: brackets, or commas.
    """
    count = COUNT.search(prompt)
    if count is None or count[1] == "0":
        return None
    lower = prompt.lower()
    layout = next((name for name, words in wordings().signs.items() if any(word in lower for word in words)), None)
    if layout is None:
        layout = "brackets" if BRACKETED.search(prompt) else "comma"
    shown = frozenset(int(one) for one in NUMBER.findall(prompt) if len(one) <= 18)
    return Asked(int(count[1]), layout, 999 if SHORT.search(prompt) else None, shown)
