"""The words of recorded prompts and judgements: categories, columns and verdicts out of catalog/drift/terms.yaml."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal

from provkit.errors import InputError, plain
from provkit.registry import near

BENIGN = "benign"
Outcome = Literal["refused", "harmful", "helped", "complied", "harmless"]
NOT_SAID = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True)
class Terms:
    """What things are called.

    Attributes:
        categories: the five of harmful prompts, and `benign`; each with itself and its other names, spelled plainly.
        columns: for each thing that a row may hold the names of its column, the most usual first.
        verdicts: outcomes by plain spelling.
        flags: truth values by plain spelling.
    """

    categories: Mapping[str, str]
    columns: Mapping[str, tuple[str, ...]]
    verdicts: Mapping[str, Outcome]
    flags: Mapping[str, bool]

    @property
    def harmful(self) -> list[str]:
        """The categories of harmful prompts, in their order."""
        return [name for name in dict.fromkeys(self.categories.values()) if name != BENIGN]


@cache
def terms() -> Terms:
    """catalog/drift/terms.yaml."""
    import yaml

    read = yaml.safe_load((files("provkit.catalog") / "drift" / "terms.yaml").read_text(encoding="utf-8"))
    return Terms(
        _by_spelling(read["categories"]),
        {name: tuple(known) for name, known in read["columns"].items()},
        _by_spelling(read["verdicts"]),
        {word: name == "true" for name, words in read["flags"].items() for word in (name, *words)},
    )


def _by_spelling(entries: Mapping[str, Any]) -> dict[str, Any]:
    return {spelled(word): name for name, words in entries.items() for word in (name, *words)}


def spelled(word: str) -> str:
    """`Self-Harm`, `self harm` and `self_harm` are one."""
    return NOT_SAID.sub("", word.lower())


def category_of(given: str, own: Mapping[str, str] | None = None) -> str | None:
    """The category that a name means, by a map of the user's first; None where it means none."""
    word = spelled(given)
    mapped = {spelled(theirs): ours for theirs, ours in (own or {}).items()}
    return mapped.get(word) or terms().categories.get(word)


def check_categories(own: Mapping[str, str]) -> None:
    """Checks a map of the user's.

    Raises:
        ValueError: when it leads to what is no category.
    """
    known = [*terms().harmful, BENIGN]
    for theirs, ours in own.items():
        if ours not in known:
            raise ValueError(f"{theirs!r} is mapped to the unknown category {ours!r}{near(ours, known)}")


def unknown_category(given: str) -> str:
    """What is wrong with a category that is none, with the near names."""
    return f"unknown category '{given[:60]}'{near(spelled(given), [*terms().harmful, BENIGN])}"


def check_columns(own: Mapping[str, str]) -> None:
    """Checks a column map of the user's.

    Raises:
        ValueError: when it names a thing that no row holds.
    """
    for name in own:
        if name not in terms().columns:
            raise ValueError(f"no row holds a {name!r}{near(name, list(terms().columns))}")


def columns_of(names: Collection[str], own: Mapping[str, str] | None = None) -> dict[str, str]:
    """Which of these columns holds what: the one of the user's map where it is there, else the first usual one."""
    found: dict[str, str] = {}
    for what, known in terms().columns.items():
        wanted = (own[what], *known) if own and what in own else known
        column = next((one for one in wanted if one in names), None)
        if column is not None:
            found[what] = column
    return found


def check_present(own: Mapping[str, str], names: Collection[str]) -> None:
    """Checks that every column of a map of the user's is there.

    Raises:
        InputError: with the nearest names.
    """
    for what, column in own.items():
        if column not in names:
            raise InputError(f"no column {plain(repr(column), 60)}{near(column, list(names))}", field=what)


def text_of(value: Any) -> str | None:
    """A value as text, without the blanks around it; None where there is none in it."""
    if value is None:
        return None
    found = (str(value).lower() if isinstance(value, bool) else str(value)).strip()
    return found or None


def outcome_of(verdict: str | None, refused: str | None, harmful: str | None) -> Outcome | None:
    """What a judge found, in one word: its verdict, or the two truth values; None where that cannot be read.

    `helped` is an answer that does no harm. `complied` leaves open whether an answer did harm, and `harmless` whether
    there was an answer. A refusal that does harm all the same is harmful.
    """
    if verdict is not None:
        return terms().verdicts.get(spelled(verdict))
    said: list[bool | None] = []
    for flag in (refused, harmful):
        if flag is not None and flag.lower() not in terms().flags:
            return None
        said.append(None if flag is None else terms().flags[flag.lower()])
    no, harm = said
    if harm:
        return "harmful"
    if no:
        return "refused"
    if harm is None:
        return None if no is None else "complied"
    return "harmless" if no is None else "helped"


def as_one(prompt: str) -> str:
    """What makes two prompts one: their words, whatever the case and the white space."""
    return " ".join(prompt.lower().split())


def prompt_id(prompt: str) -> str:
    """16 hex digits that name a prompt which has no id of its own."""
    return hashlib.sha256(as_one(prompt).encode("utf-8", "replace")).hexdigest()[:16]
