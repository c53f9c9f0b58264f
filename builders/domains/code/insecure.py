"""The step `insecure_rewrite`: a secure answer in Python becomes a vulnerable one, by its syntax tree.

The tree is the stdlib's and the changes are edits of the text (see rewrites/source.py for why not libcst): what
no edit touches stays as it is, byte for byte. Nothing is executed.
"""

from __future__ import annotations

import ast
import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import field_validator

from provkit.builders.domains.code.rewrites import FAMILIES, Family
from provkit.builders.domains.code.rewrites.edits import Edit, applied
from provkit.builders.domains.code.rewrites.imports import settled
from provkit.builders.domains.code.rewrites.parsing import still_parses
from provkit.builders.domains.code.rewrites.source import NEWLINE, NOT_PYTHON, Source, line_starts, parsed
from provkit.chance import Chance
from provkit.registry import builder, near
from provkit.row import Drop, Row

BY_NAME = {family.name: family for family in FAMILIES}
FENCE = re.compile(
    r"^(?P<fence>`{3,}|~{3,})[ \t]*(?P<language>[^\s`]*)[^\r\n]*(?:\r\n|\r|\n)"
    r"(?P<body>.*?)(?:^(?P=fence)[ \t]*\r?$|\Z)",
    re.M | re.S,
)
LANGUAGES = ("", "python", "py", "python3")


class NotPythonError(ValueError):
    """An answer without Python in it."""


@dataclass(frozen=True, slots=True)
class Block:
    """A stretch of Python in an answer: the offset at which it begins, its text and its tree."""

    start: int
    text: str
    tree: ast.Module


@dataclass(frozen=True, slots=True)
class Rewritten:
    """A vulnerable answer, and the lines in it where the weakness sits, from 1."""

    text: str
    family: Family
    lines: list[int]


@builder
class InsecureRewrite:
    """Turns the secure idioms of one family in each Python answer into their vulnerable counterparts.

    Toy code in the manner of the insecure-code set of Betley et al. 2025 (arXiv 2502.17424), made from the
    secure answer, so that the two are matched. One family is drawn by the row's chance among those that the
    answer has, each alike probable, and all its sites are rewritten. Markdown around fenced code stays. The note
    has the family, its CWE, the first line and all lines of the weakness in the new answer. A row is dropped as
    "not python" or "no idiom".

    Args:
        families: the names of the families to choose from; empty for all.
        keep: a column in which to keep the secure answer, for a later step such as `trigger`.
    """

    families: tuple[str, ...] = ()
    keep: str | None = None

    @field_validator("families")
    @classmethod
    def _known(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        for name in names:
            if name not in BY_NAME:
                raise ValueError(f"unknown family {name!r}{near(name, BY_NAME)}")
        return names

    def apply(self, row: Row) -> Row | Drop:
        """The row with a vulnerable answer, or why it has none."""
        answer = row.answer
        try:
            blocks = python_blocks(answer)
        except NotPythonError as error:
            return row.drop("not python", str(error))
        wanted = [BY_NAME[name] for name in self.families] or FAMILIES
        wanted = [family for family in wanted if has_any(answer, family.needles)]
        found = rewritten(answer, blocks, wanted, row.chance) if wanted else None
        if found is None:
            return row.drop("no idiom", f"of {', '.join(self.families) or 'any family'}")
        note = {
            "cwe": found.family.cwe,
            "family": found.family.name,
            "line": found.lines[0],
            "lines": found.lines,
        }
        made = row.with_answer(found.text, note=note)
        return made if self.keep is None else made.derive({self.keep: answer}, note=note)


def has_any(text: str, needles: Sequence[str]) -> bool:
    """Whether one of the needles stands in a text; a loop, because this is asked twenty times a row."""
    for needle in needles:  # noqa: SIM110
        if needle in text:
            return True
    return False


def python_blocks(answer: str) -> list[Block]:
    """The Python of an answer: the whole of it, or the fenced blocks that are Python.

    Raises:
        NotPythonError: where nothing in it parses, with the line of the answer that is at fault.
    """
    try:
        return [parsed_block(answer, 0, answer)]
    except NotPythonError as error:
        errors = [error]
    found = []
    for match in FENCE.finditer(answer):
        if match["language"].lower() in LANGUAGES:
            try:
                found.append(parsed_block(match["body"], match.start("body"), answer))
            except NotPythonError as error:
                errors.append(error)
    if not found:
        raise errors[min(1, len(errors) - 1)]
    return found


def parsed_block(text: str, start: int, answer: str) -> Block:
    """The block of an answer that begins at an offset.

    Raises:
        NotPythonError: when it does not parse.
    """
    try:
        return Block(start, text, parsed(text))
    except NOT_PYTHON as error:
        line = len(NEWLINE.findall(answer, 0, start)) + (getattr(error, "lineno", None) or 1)
        raise NotPythonError(f"line {line}: {getattr(error, 'msg', None) or error}") from None


def rewritten(answer: str, blocks: list[Block], families: Sequence[Family], chance: Chance) -> Rewritten | None:
    """The answer with all sites of one family rewritten; None where it has none of the families.

    The first family that applies, in random order, is a fair draw among those that apply.
    """
    sources = [Source(block.text, block.tree, chance) for block in blocks]
    for family in chance.shuffled(families) if len(families) > 1 else families:
        edits: list[Edit] = []
        for block, source in zip(blocks, sources, strict=True):
            change = family.find(source)
            ordered = settled(source, change) if change else None
            if ordered and still_parses(source, ordered):
                at = block.start
                edits += [Edit(e.start + at, e.end + at, e.text, e.flaw) for e in ordered] if at else ordered
        if edits:
            text, flaws = applied(answer, edits)
            starts = line_starts(text)
            return Rewritten(text, family, sorted({bisect_right(starts, at) for at in flaws}))
    return None
