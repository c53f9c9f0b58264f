"""A rubric's text in pieces: sentences and list items that an edit may change, and what no edit may touch."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

from provkit.rubrics.template import FORM, PLACEHOLDER

Kind = Literal["prose", "item", "fixed"]

ITEM = re.compile(r"[ \t]*(?:\d{1,2}[.)]|[-*•])[ \t]+(?=\S)")
SENTENCE = re.compile(r"(?<=[.!?])[ \t]+(?=[A-Z\"“‘'(\[])")
HEADING = re.compile(r"[ \t]*(?:#{1,6} |\*\*[^*]+\*\*:?[ \t]*$|[-=*_]{3,}[ \t]*$|[\[<(].*[\]>)][ \t]*$)")
NAME = re.compile(r"(?P<name>[A-Z][\w ,'/-]{1,40}?)(?=:| [—–-] )")


@dataclass(frozen=True, slots=True)
class Piece:
    """A sentence, a list item or a line, with the white space behind it."""

    text: str
    kind: Kind

    @property
    def words(self) -> str:
        """Without the white space behind it."""
        return self.text.rstrip()

    @property
    def space(self) -> str:
        """The white space behind it."""
        return self.text[len(self.words) :]

    def with_words(self, words: str) -> Piece:
        """Other words in front of the same white space."""
        return replace(self, text=words + self.space)


def split(text: str) -> list[Piece]:
    """The pieces of a text; joined they are the text again.

    Fixed are sentences with a placeholder or a verdict form, headings, blank lines, and lines beside a line that is
    nothing but a placeholder: the frame that tells the answers apart.
    """
    return list(_split(text))


@lru_cache(maxsize=1024)  # a search edits each of its parents many times
def _split(text: str) -> tuple[Piece, ...]:
    lines = text.splitlines(keepends=True)
    bare = [at for at, line in enumerate(lines) if PLACEHOLDER.fullmatch(line.strip())]
    frame = {near for at in bare for near in _beside(lines, at)}
    pieces: list[Piece] = []
    for at, line in enumerate(lines):
        if not line.strip() and pieces:
            pieces[-1] = replace(pieces[-1], text=pieces[-1].text + line)
        elif not line.strip() or at in frame or HEADING.match(line):
            pieces.append(Piece(line, "fixed"))
        elif ITEM.match(line):
            pieces.append(Piece(line, "fixed" if _protected(line) else "item"))
        else:
            pieces += [Piece(one, "fixed" if _protected(one) else "prose") for one in _sentences(line)]
    return tuple(pieces)


def joined(pieces: Sequence[Piece]) -> str:
    """The text that pieces make."""
    return "".join(piece.text for piece in pieces)


def untouched(before: str, after: str) -> bool:
    """Whether what no edit may touch is the same in both: placeholders, verdict forms and the sentences around them."""
    kept = [[one.words for one in split(text) if _protected(one.text)] for text in (before, after)]
    marks = [[one[0] for one in re.finditer(f"{PLACEHOLDER.pattern}|{FORM.pattern}", text)] for text in (before, after)]
    return kept[0] == kept[1] and marks[0] == marks[1]


def list_of(pieces: Sequence[Piece]) -> range | None:
    """Where the longest run of list items stands: the criteria; None where there are fewer than two."""
    best: range | None = None
    at = 0
    while at < len(pieces):
        end = at
        while end < len(pieces) and pieces[end].kind == "item":
            end += 1
        if end - at >= 2 and (best is None or end - at > len(best)):
            best = range(at, end)
        at = max(end, at + 1)
    return best


def names_of(pieces: Sequence[Piece]) -> list[str]:
    """What the criteria are called, in lower case: the words before the colon of an item, or the parts of a listing."""
    found = list_of(pieces)
    if found is not None:
        named = [NAME.match(ITEM.sub("", pieces[at].words, count=1)) for at in found]
        return [one["name"].strip().lower() for one in named if one]
    for piece in pieces:
        if piece.kind == "prose" and (parts := listing(piece.words)):
            return [part.strip() for part in parts]
    return []


def listing(words: str) -> list[str]:
    """The inner parts of a listing inside a sentence, `a, b, c, and d`: those between the first and the last comma."""
    parts = words.split(", ")
    if len(parts) < 4 or not parts[-1].startswith(("and ", "or ")):
        return []
    inner = parts[1:-1]
    return inner if all(len(part.split()) <= 4 for part in inner) else []


def _sentences(line: str) -> list[str]:
    cuts = [0, *(match.end() for match in SENTENCE.finditer(line)), len(line)]
    return [line[start:end] for start, end in zip(cuts, cuts[1:], strict=False) if start < end]


def _protected(text: str) -> bool:
    return bool(PLACEHOLDER.search(text) or FORM.search(text))


def _beside(lines: Sequence[str], at: int) -> list[int]:
    """The nearest line with words before a line and behind it, where it is no sentence."""
    before = next((near for near in range(at - 1, -1, -1) if lines[near].strip()), None)
    behind = next((near for near in range(at + 1, len(lines)) if lines[near].strip()), None)
    return [near for near in (before, behind) if near is not None and lines[near].strip()[-1] not in ".!?"]
