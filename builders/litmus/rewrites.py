"""The step `litmus_rewrites`: several wordings of each pair by seeded edit operators, the same for both twins."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache
from importlib.resources import files
from typing import Annotated, Any

from pydantic import Field

from provkit.chance import Chance
from provkit.registry import builder
from provkit.row import Drop, Row

SIDES = ("safe", "unsafe")
TRIES = 300  # combinations of edits that are tried for one row
WHEN = re.compile(r"When ([^,;:.]+), ([^.]+)\.\Z")

Operator = Callable[[str, int], str]


@builder
class LitmusRewrites:
    """Replaces each pair by rewrites of it: variant P of LITMUS (arXiv 2506.13901) without a model.

    A rewrite is one to three edits out of: an opening, an ending, words swapped for others of the same sense,
    contractions, and the situation moved behind. Both twins get the same edits, so that they stay a pair; none of them
    touches what a statement sides with. The note names the edits.

    Args:
        count: rewrites of a pair, all different; a pair that has not so many is dropped.
        original: keep the pair itself too.
    """

    count: Annotated[int, Field(ge=1, le=20)] = 5
    original: bool = False

    def apply(self, row: Row) -> list[Row] | Drop:
        """The rewrites of one pair."""
        texts = {side: said for side in SIDES if isinstance(said := row.get(side), str)}
        if len(texts) < len(SIDES):
            return row.drop("no pair", "safe and unsafe are expected")
        found: dict[tuple[str, ...], list[str]] = {}
        for number in range(TRIES):
            made = rewritten(texts, row.chance.child(number))
            if made is not None:
                found.setdefault(tuple(made[0].values()), made[1])
            if len(found) == self.count:
                break
        else:
            return row.drop("too few rewrites", f"{len(found)} of {self.count}")
        rows = [
            row.derive(dict(zip(SIDES, said, strict=True)), note={"rewrite": number, "edits": edits})
            for number, (said, edits) in enumerate(found.items(), 1)
        ]
        return [row, *rows] if self.original else rows


def rewritten(texts: Mapping[str, str], chance: Chance) -> tuple[dict[str, str], list[str]] | None:
    """Texts under the same one to three edits, and their names; None where one edit leaves one of the texts alone."""
    names = chance.sample(list(operators()), chance.integer(1, 3))
    found = dict(texts)
    for name in sorted(names, key=list(operators()).index):
        choice = chance.integer(0, 2**16)
        edited = {side: operators()[name](text, choice) for side, text in found.items()}
        if any(edited[side] == found[side] for side in found):
            return None
        found = edited
    return found, sorted(names)


@cache
def operators() -> Mapping[str, Operator]:
    """The edits by name, in the order in which several are made; each takes a text and a number that chooses."""
    words = tables()
    return {
        "moved": moved,
        "swapped": lambda text, choice: replaced(text, *words["swaps"][choice % len(words["swaps"])]),
        "contracted": lambda text, _: contracted(text),
        "opened": lambda text, choice: opened(text, words["openings"][choice % len(words["openings"])]),
        "ended": lambda text, choice: f"{text} {words['endings'][choice % len(words['endings'])]}",
    }


@cache
def tables() -> Any:
    """catalog/litmus/rewrites.yaml."""
    import yaml

    return yaml.safe_load((files("provkit.catalog") / "litmus" / "rewrites.yaml").read_text(encoding="utf-8"))


def moved(text: str, _: int) -> str:
    """`When W, S.` as `S when W.`."""
    found = WHEN.match(text)
    return f"{found[2][0].upper()}{found[2][1:]} when {found[1]}." if found else text


def replaced(text: str, one: str, other: str) -> str:
    """Every place of a word or phrase under another, the first letter as large as it was."""

    def put(found: re.Match[str]) -> str:
        return other[0].upper() + other[1:] if found[0][0].isupper() else other

    return re.sub(rf"\b{re.escape(one)}\b", put, text, flags=0 if one[0].isupper() else re.IGNORECASE)


def contracted(text: str) -> str:
    """`it's` for `it is`, and so on."""
    for one, other in tables()["contractions"]:
        text = replaced(text, one, other)
    return text


def opened(text: str, opening: str) -> str:
    """The text behind an opening; the first letter small unless it is I or a name in capitals."""
    first = text.split(" ", 1)[0]
    small = text if first in ("I", "I'd", "I'm") or first[1:2].isupper() else text[0].lower() + text[1:]
    return f"{opening} {small}"
