"""Texts of word problems: sentences with references, compiled once, filled from one list of strings a row.

A reference is `${name}`, the value of a number, given or step; `${=step}`, the equation of a step; or a word,
`${who}`, `${who.they}`, `${thing:s}` (its plural) and the other forms of `provkit.builders.domains.code.tasks.words`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from operator import itemgetter
from typing import Any

from provkit.builders.domains.code.tasks.words import FORMS
from provkit.builders.domains.maths.units import read_yaml
from provkit.errors import InputError

REFERENCE = re.compile(r"\$\{(=?\w+(?:\.\w+)?(?::\w+)?)\}")
PRONOUNS = {"she": {"they": "she", "them": "her", "their": "her"}, "he": {"they": "he", "them": "him", "their": "his"}}


@dataclass(frozen=True, slots=True)
class Text:
    """A %-format and, for each reference in it, the place of its string in the row's list."""

    format: str
    places: tuple[int, ...]
    take: Any  # the strings at `places`, out of the list

    @classmethod
    def compile(cls, source: str, places: Mapping[str, int]) -> Text:
        """`places`: where the string of each reference stands.

        Raises:
            InputError: when a reference names nothing.
        """
        found = REFERENCE.findall(source)
        for one in found:
            if one not in places:
                raise InputError(f"no such reference: {one}", do=f"there are {', '.join(places)}")
        at = tuple(places[one] for one in found)
        return cls(REFERENCE.sub("%s", source.replace("%", "%%")), at, itemgetter(*at) if at else tuple)

    def fill(self, strings: Sequence[str]) -> str:
        """The text of a row."""
        return self.format % self.take(strings) if self.places else self.format % ()


def word_references(sources: Sequence[str], slots: Sequence[str]) -> list[str]:
    """The references to words among all texts of a family, each once."""
    found = dict.fromkeys(one for source in sources for one in REFERENCE.findall(source))
    return [one for one in found if re.split(r"[.:]", one)[0] in slots]


def column(reference: str, vocabulary: str) -> tuple[str, ...]:
    """The string of a reference for every entry of a vocabulary.

    Raises:
        InputError: when there is no such vocabulary, part or form.
    """
    name, _, form = reference.partition(":")
    part = name.partition(".")[2] or "name"
    entries = vocabularies().get(vocabulary)
    if entries is None or form not in FORMS or any(part not in entry for entry in entries):
        raise InputError(f"no such word: {reference} of {vocabulary}", do=f"lists: {', '.join(vocabularies())}")
    if form == "s" and part == "name":
        return tuple(entry.get("plural") or FORMS["s"](entry["name"]) for entry in entries)
    return tuple(FORMS[form](entry[part]) for entry in entries)


@cache
def vocabularies() -> Mapping[str, tuple[Mapping[str, str], ...]]:
    """The lists of catalog/maths/words.yaml; people have the parts name, they, them and their."""
    source = read_yaml("words.yaml")
    people = tuple({"name": name, **PRONOUNS[kind]} for kind, names in source["people"].items() for name in names)
    lists = {
        name: tuple(one if isinstance(one, dict) else {"name": one} for one in entries)
        for name, entries in source["lists"].items()
    }
    return {"people": people, **lists}
