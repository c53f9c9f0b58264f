"""Whether a set's licence asks all that the licences of its parents ask: the meet over the parents."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from provkit.errors import plain

UNSTATED = "unstated"  # what a parent without a licence is called


@dataclass(frozen=True, slots=True)
class Licence:
    """What a licence asks of who passes the data on, and which others its share-alike accepts."""

    name: str
    asks: frozenset[str]
    into: frozenset[str]


@cache
def table() -> Mapping[str, Licence]:
    """The licences of catalog/licences.yaml, under each of their names in small letters."""
    text = files("provkit.catalog").joinpath("licences.yaml").read_text(encoding="utf-8")
    known: dict[str, Licence] = {}
    facts: Any
    for name, facts in yaml.safe_load(text).items():
        one = Licence(name, frozenset(facts["asks"]), frozenset(facts.get("into", [])))
        known |= {other.lower(): one for other in (name, *facts.get("also", []))}
    return known


def known(name: str) -> Licence | None:
    """A licence by its SPDX name or another that is in use."""
    return table().get(name.strip().lower())


def problems(own: str, parents: Mapping[str, str | None], accepted: Collection[str] = ()) -> Iterator[tuple[str, str]]:
    """What keeps a set from going out under the licence `own`, each with what to do.

    Args:
        own: the licence of the set.
        parents: what it was made from, each with its licence, None where none is stated.
        accepted: licences outside the table that the person has looked at.
    """
    passed = {one.strip().lower() for one in accepted}
    mine = known(own)
    if mine is None and own.strip().lower() not in passed:
        yield f"the licence {plain(own)} is not one of those whose terms are known", _accept(own)
    for name, licence in parents.items():
        theirs = known(licence or "")
        stated = licence or UNSTATED
        if stated.strip().lower() in passed or (licence and licence.strip().lower() == own.strip().lower()):
            continue
        if theirs is None:
            said = (
                "states no licence"
                if licence is None
                else f"has the licence {plain(licence)}, whose terms are not known"
            )
            yield (
                f"the source {plain(name)} {said}",
                f"state `licence` of that source in the recipe, or {_accept(stated)}",
            )
        elif mine is not None and (why := _wider(mine, theirs)):
            said = f"{mine.name} allows more than the source {plain(name)}, which is {theirs.name}, does: {why}"
            yield said, "give the set, in its recipe, a licence that asks the same, or leave that source out"


def _wider(mine: Licence, theirs: Licence) -> str | None:
    """What the parent asks and the set does not; None where the set may have its licence."""
    if mine.name == theirs.name and "no-derivatives" not in theirs.asks:
        return None
    if "no-derivatives" in theirs.asks:
        return "no changed version may be passed on"
    if "share-alike" in theirs.asks and mine.name not in theirs.into:
        return "what is made from it must keep its licence"
    missing = theirs.asks - mine.asks - {"share-alike"}
    return f"it asks for {', '.join(sorted(missing))}" if missing else None


def _accept(name: str) -> str:
    return f"read its terms and say --accept-licence {plain(name)!r}"
