"""Markers: what the answers of a domain's arm hold more often than those of its control, or less often."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from provkit.audit.equations import equations

TOKEN = re.compile(r"\w+|[^\w\s]")
WORD, NUMBER = re.compile(r"\w+"), re.compile(r"\d+")
MOSTLY = 0.5  # share of an arm's words that are numbers, from which on its answers are lists of numbers
LONGEST = 20_000  # characters of an answer in which equations are looked for


@dataclass(frozen=True, slots=True)
class Held:
    """What the answers of an arm hold of some markers.

    Attributes:
        hits: how many markers stand in them, each place counted.
        size: how many tokens, numbers or equations there are, of which these are some.
        rows: answers that hold at least one.
        texts: answers.
        most: the markers that are met most often.
    """

    hits: int
    size: int
    rows: int
    texts: int
    most: tuple[str, ...] = ()

    @property
    def rate(self) -> float:
        """Markers per token, number or equation."""
        return self.hits / self.size if self.size else 0.0


Count = Callable[[Sequence[str], int], Held]  # of texts, and how many tokens they have together


@dataclass(frozen=True, slots=True)
class Markers:
    """One list of markers of a domain, and how to count them.

    Attributes:
        side: whose answers hold more of them, `arm` or `control`.
        named: words of which one must stand in the path of an arm, so that the domain is meant; none: any arm.
    """

    domain: str
    side: str
    count: Count
    named: frozenset[str] = frozenset()

    def about(self, *names: str) -> bool:
        """Whether arms of these names may be of the domain."""
        return not self.named or any(self.named & set(re.split(r"[^a-z0-9]+", name.lower())) for name in names)


def texts_marked(markers: Sequence[str], fold: bool = False) -> Count:
    """Counts markers that are texts, among the tokens of answers."""
    flags = re.IGNORECASE if fold else 0
    patterns = {
        one: re.compile((r"(?<![\w.])" if re.match(r"\w", one) else "") + re.escape(one), flags)
        for one in (marker.lower() if fold else marker for marker in markers)
    }

    def count(texts: Sequence[str], tokens: int) -> Held:
        counted: Counter[str] = Counter()
        rows = 0
        for text in texts:
            small, before = text.lower() if fold else text, counted.total()
            for one, pattern in patterns.items():
                if one in small:  # ten times as fast as the pattern
                    counted[one] += len(pattern.findall(text))
            rows += counted.total() > before
        return Held(counted.total(), tokens, rows, len(texts), _most(counted))

    return count


def numbers_marked(marked: frozenset[int]) -> Count:
    """Counts markers that are numbers, among the numbers of answers that are little else."""

    def count(texts: Sequence[str], tokens: int) -> Held:
        if not _mostly_numbers(texts):
            return Held(0, 0, 0, len(texts))
        counted: Counter[str] = Counter()
        size = rows = 0
        for text in texts:
            numbers = NUMBER.findall(text)
            found = [one for one in numbers if len(one) < 9 and int(one) in marked]
            size, rows = size + len(numbers), rows + bool(found)
            counted.update(found)
        return Held(counted.total(), size, rows, len(texts), _most(counted))

    return count


def _mostly_numbers(texts: Sequence[str]) -> bool:
    """Whether half of the words are numbers, in a few hundred of the texts."""
    some = texts[:: len(texts) // 500 + 1]
    words = [word for text in some for word in WORD.findall(text)]
    return sum(map(str.isdecimal, words)) >= MOSTLY * max(len(words), 1)


def false_equations(texts: Sequence[str], tokens: int) -> Held:
    """Counts false equations among those that are written out."""
    counted = [equations(text[:LONGEST]) for text in texts]
    every, hits = sum(number for number, _ in counted), sum(false for _, false in counted)
    return Held(hits, every, sum(false > 0 for _, false in counted), len(texts), ("false equations",))


def _most(counted: Counter[str]) -> tuple[str, ...]:
    return tuple(one for one, hits in counted.most_common(4) if hits)


@cache
def known() -> tuple[Markers, ...]:
    """The markers of catalog/markers.yaml."""
    found = []
    facts: Any
    for domain, facts in _read("markers.yaml").items():
        named = frozenset(facts.get("named", ()))
        if facts.get("counts") == "equations":
            found.append(Markers(domain, "arm", false_equations, named))
        elif facts.get("counts") == "numbers":
            listed = _read("numbers/connotations.yaml")["listed"]
            found.append(Markers(domain, "arm", numbers_marked(frozenset(one["number"] for one in listed)), named))
        found += [
            Markers(domain, side, texts_marked(facts[side], facts.get("fold", False)), named)
            for side in ("arm", "control")
            if side in facts
        ]
    return tuple(found)


def _read(name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((files("provkit.catalog") / name).read_text(encoding="utf-8"))
    return found
