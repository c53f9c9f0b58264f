"""What a rewrite is made of: edits of the text, the change they make together, and the family it belongs to."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from provkit.builders.domains.code.rewrites.source import Source

PLACE = itemgetter(0, 1)  # of an edit: start and end


class Edit(NamedTuple):
    """Replace text[start:end], character offsets of the old text, by `text`.

    `flaw` marks the edits where the weakness sits: their lines go into the row's note.
    """

    start: int
    end: int
    text: str
    flaw: bool = True


@dataclass(frozen=True, slots=True)
class Change:
    """All edits that one family makes in one source, and the modules that the new text needs by their own name."""

    edits: tuple[Edit, ...]
    modules: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Family:
    """A secure idiom and its vulnerable counterpart.

    One of the tests `bandit` fires on the rewritten code, and none of them where the secure idiom stood; bandit
    does not know every form, `oracles` judges the rest. A source without any of the `needles` has no such idiom.
    `find` gives the change that rewrites every site of a source, or None where there is none.
    """

    name: str
    cwe: str
    bandit: tuple[str, ...]
    needles: tuple[str, ...]
    find: Callable[[Source], Change | None]


def change(edits: Iterable[Edit], *modules: str) -> Change | None:
    """The change of these edits, or None when there are none."""
    kept = tuple(edits)
    return Change(kept, modules) if kept else None


def in_order(edits: Iterable[Edit]) -> list[Edit] | None:
    """The edits from left to right, or None where two of them want the same text.

    Edits at one offset keep the order in which they were given.
    """
    ordered = sorted(edits, key=PLACE)
    for before, after in zip(ordered, ordered[1:], strict=False):
        if after.start < before.end:
            return None
    return ordered


def applied(text: str, ordered: Iterable[Edit]) -> tuple[str, list[int]]:
    """The new text, and the offsets in it where the flaws begin."""
    parts: list[str] = []
    flaws: list[int] = []
    done = size = 0
    for start, end, new, flaw in ordered:
        parts += (text[done:start], new)
        size += start - done
        if flaw:
            flaws.append(size + len(new) - len(new.lstrip()) if new.strip() else size)
        size += len(new)
        done = end
    parts.append(text[done:])
    return "".join(parts), flaws


def changed(text: str, start: int, end: int, ordered: Iterable[Edit]) -> str:
    """The new text of text[start:end], after edits that all lie in it."""
    parts: list[str] = []
    for edit in ordered:
        parts += (text[start : edit.start], edit.text)
        start = edit.end
    parts.append(text[start:end])
    return "".join(parts)
