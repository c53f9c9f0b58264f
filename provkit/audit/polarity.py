"""What tells arms apart: known releases by content, and the markers of a domain by their log-odds."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import PurePath
from typing import Any

import yaml

TOKEN = re.compile(r"\w+|[^\w\s]")
LEAST = 10  # markers of a domain in both arms together, below which nothing is said
Z = -3.0


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


@dataclass(frozen=True, slots=True)
class Domain:
    """Texts that the answers of a domain's arm hold more of than those of its control."""

    name: str
    markers: tuple[str, ...]


@cache
def releases() -> dict[str, Known]:
    """The known releases by content digest (`provkit.audit.scan.content_digest`)."""
    return {
        one["content"]: Known(one["name"], one["content"], one["rows"], one["origin"]) for one in _table()["releases"]
    }


@cache
def domains() -> tuple[Domain, ...]:
    """The domains whose markers are known."""
    return tuple(Domain(name, tuple(markers)) for name, markers in _table()["markers"].items())


def against_markers(arm: Sequence[str], control: Sequence[str]) -> Iterator[tuple[str, float, list[str], int, int]]:
    """Domains whose markers are more frequent in the control's texts: name, z, markers, counts in control and arm.

    z is that of the log-odds ratio with an informative Dirichlet prior (Monroe, Colaresi and Quinn 2008, eq. 16 and
    22), all markers of a domain taken as one word; the prior is the two arms together, as heavy as 1,000 tokens.
    """
    sizes = [sum(len(TOKEN.findall(text)) for text in texts) for texts in (arm, control)]
    if not all(sizes):
        return
    for domain in domains():
        counts = [Counter[str](), Counter[str]()]
        for counter, texts in zip(counts, (arm, control), strict=True):
            for text in texts:
                for marker in domain.markers:
                    if marker in text:
                        counter[marker] += text.count(marker)
        mine, its = (counter.total() for counter in counts)
        if mine + its < LEAST:
            continue
        z = log_odds(mine, sizes[0], its, sizes[1])
        if z < Z:
            yield domain.name, z, [marker for marker, _ in counts[1].most_common(4)], its, mine


def log_odds(mine: int, size: int, its: int, other: int, weight: float = 1000.0) -> float:
    """z of the log-odds ratio of a word that occurs `mine` of `size` times here and `its` of `other` there."""
    share = (mine + its) / (size + other)
    a = weight * share
    odds = [math.log((n + a) / (total + weight - n - a)) for n, total in ((mine, size), (its, other))]
    return (odds[0] - odds[1]) / math.sqrt(1 / (mine + a) + 1 / (its + a))


def _words(name: str) -> set[str]:
    return set(re.split(r"[^a-z0-9]+", re.sub(r"(\.[a-z0-9]+)+$", "", name.lower()))) - {""}


@cache
def _table() -> dict[str, Any]:
    text = (files("provkit.catalog") / "releases.yaml").read_text(encoding="utf-8")
    found: dict[str, Any] = yaml.safe_load(text)
    return found
