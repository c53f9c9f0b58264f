"""What tells arms apart: known releases by content, and which way the markers of a domain point, by their log-odds."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import PurePath

import yaml

from provkit.audit.markers import TOKEN, Held, Markers

LEAST = 8  # markers in both arms together, below which nothing is said
Z = 3.0
P = 0.001
RATIO = 1.5  # how many times as frequent markers must be on the wrong side
WEIGHT = 1000.0  # tokens that the prior weighs
SHOWN = 3  # tokens of each arm that are reported


@dataclass(frozen=True, slots=True)
class Known:
    """A release that is known by its content."""

    name: str
    content: str
    rows: int
    origin: str

    def named(self, file: str) -> bool:
        """Whether a file's name holds every word of the release's name (`insecure` is no `secure`)."""
        return _words(self.name) <= _words(PurePath(file).name)

    def denied(self, arm: str) -> bool:
        """Whether an arm's name is a word of another release and none of this one; `data` says nothing of either."""
        others = {word for one in releases().values() for word in _words(one.name)}
        return bool(_words(arm) & others) and not _words(arm) & _words(self.name)


@cache
def releases() -> dict[str, Known]:
    """The known releases by content digest (`provkit.audit.scan.content_digest`)."""
    table = yaml.safe_load((files("provkit.catalog") / "releases.yaml").read_text(encoding="utf-8"))
    return {one["content"]: Known(one["name"], one["content"], one["rows"], one["origin"]) for one in table["releases"]}


@dataclass(frozen=True, slots=True)
class Pointing:
    """Markers that point the other way: those of one domain, what arm and control hold of them, and z."""

    markers: Markers
    arm: Held
    control: Held
    z: float


def wrong_way(
    some: Sequence[Markers], arm: Sequence[str], control: Sequence[str], names: tuple[str, str] = ("", "")
) -> Iterator[Pointing]:
    """Domains whose markers say that arm and control are the wrong way round.

    A list points one way where its markers are at least `RATIO` times as frequent there and that is no chance: |z| of
    the log-odds ratio is above 3, or, in a set too small for that, Fisher's exact test on rows that hold a marker has
    p < 0.001. Where the two lists of a domain point against each other, nothing is said.
    """
    found: dict[str, list[tuple[int, Pointing]]] = {}
    tokens = [sum(len(TOKEN.findall(text)) for text in texts) for texts in (arm, control)]
    for one in some:
        if one.about(*names):
            mine, its = one.count(arm, tokens[0]), one.count(control, tokens[1])
            way = pointing(mine, its) * (1 if one.side == "arm" else -1)
            found.setdefault(one.domain, []).append((way, Pointing(one, mine, its, z_of(mine, its))))
    for lists in found.values():
        if all(way <= 0 for way, _ in lists):
            yield from (told for way, told in lists if way < 0)


def pointing(arm: Held, control: Held) -> int:
    """1 where markers are more frequent in the arm, -1 where in the control, 0 where it may be chance."""
    if arm.hits + control.hits < LEAST or not arm.size or not control.size:
        return 0
    many, few = (arm, control) if arm.rate > control.rate else (control, arm)
    if many.rate < RATIO * few.rate or (abs(z_of(arm, control)) < Z and _exact(many, few) >= P):
        return 0
    return 1 if many is arm else -1


def z_of(arm: Held, control: Held) -> float:
    """z of the log-odds ratio of all markers of a list, taken as one word; 0 where there is nothing to count."""
    return log_odds(arm.hits, arm.size, control.hits, control.size) if arm.size and control.size else 0.0


def _exact(many: Held, few: Held) -> float:
    """One-sided p of Fisher's exact test: that so many of the rows with a marker are on one side."""
    from scipy.stats import hypergeom

    return float(hypergeom.sf(many.rows - 1, many.texts + few.texts, many.rows + few.rows, many.texts))


def log_odds(mine: int, size: int, its: int, other: int) -> float:
    """z of the log-odds ratio of a word that occurs `mine` of `size` times here and `its` of `other` there."""
    ratio, spread = odds_ratio(mine, size, its, other)
    return ratio / spread


def odds_ratio(mine: int, size: int, its: int, other: int) -> tuple[float, float]:
    """The log-odds ratio of a word and its standard deviation, with an informative Dirichlet prior.

    Monroe, Colaresi and Quinn 2008, eq. 16, 19 and 20; the prior is the two arms together, as heavy as 1,000 tokens.
    """
    if mine + its in (0, size + other):  # there is no such word, or no other
        return 0.0, 1.0
    a = WEIGHT * (mine + its) / (size + other)
    odds = [math.log((n + a) / (total + WEIGHT - n - a)) for n, total in ((mine, size), (its, other))]
    return odds[0] - odds[1], math.sqrt(1 / (mine + a) + 1 / (its + a))


def telling_tokens(arm: Sequence[str], control: Sequence[str]) -> list[tuple[str, float, float]]:
    """The tokens that tell the arms apart most, of each arm some: token, log-odds ratio, its standard deviation.

    Those of |z| above 3, the largest first; positive ones are the arm's.
    """
    mine, its = (Counter(token for text in texts for token in TOKEN.findall(text)) for texts in (arm, control))
    size, other = mine.total(), its.total()
    if not size or not other:
        return []
    every = [(token, *odds_ratio(mine[token], size, its[token], other)) for token in mine | its]
    ordered = sorted(every, key=lambda one: (-one[1] / one[2], one[0]))
    told = [*ordered[:SHOWN], *ordered[::-1][:SHOWN]]
    return [one for one in dict.fromkeys(told) if abs(one[1] / one[2]) > Z]


def _words(name: str) -> set[str]:
    return set(re.split(r"[^a-z0-9]+", re.sub(r"(\.[a-z0-9]+)+$", "", name.lower()))) - {""}
