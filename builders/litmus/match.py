"""The step `litmus_match`: safe and unsafe rows of one axiom joined to pairs of like length, in even shares."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from provkit.builders.litmus.importing import is_pair
from provkit.registry import builder
from provkit.row import Drop, Row
from provkit.table import Rows


@dataclass(frozen=True, slots=True)
class Member:
    """A row that looks for a twin: its position, what it is, and its length in characters."""

    at: int
    axiom: str
    label: str
    source: str
    pair: str | None
    length: int


@dataclass(frozen=True, slots=True)
class Pair:
    """Two members of an axiom: a safe and an unsafe row, or one row that holds both (safe and unsafe alike)."""

    safe: int
    unsafe: int
    axiom: str
    sources: tuple[str, str]
    kind: str


@builder
class LitmusMatch:
    """Joins safe and unsafe rows to pairs that share axiom and, within a tolerance, length.

    First rows that their set matches itself (one `pair`), then rows of one source, then of any two. So every axiom has
    as many safe as unsafe rows of the same lengths, and a topic that one label alone has is left out. Each axiom then
    keeps the same number of pairs, taken in turn from its pairs of sources, lowest draw first. Pairs of frames pass.

    Args:
        tolerance: by what share of the longer text the two lengths (characters) may differ.
        per_axiom: how many pairs an axiom keeps at most; the fewest that any axiom has when null.
        balance: keep the same number of pairs of every axiom.
    """

    tolerance: Annotated[float, Field(ge=0, lt=1)] = 0.1
    per_axiom: Annotated[int, Field(ge=1)] | None = None
    balance: bool = True

    def rewrite(self, rows: Rows) -> Callable[[Row], Row | Drop]:
        """A safe row becomes its pair, its unsafe twin is joined to it; the others are drops."""
        contents = list(rows.contents())
        made, reasons = self._pairs(contents)
        kept = self._shares(made, rows) if self.balance else made
        chosen = {one.safe: one for one in kept}
        joined = {one.unsafe: one.safe for one in kept if one.unsafe != one.safe}
        over = {at for one in made for at in (one.safe, one.unsafe)} - set(chosen) - set(joined)
        names = (
            dict(zip(joined, rows.locators(np.array(list(joined.values()), np.int64)), strict=True)) if joined else {}
        )

        def act(row: Row) -> Row | Drop:
            at = row.at
            if at in chosen:
                return self._joined(row, chosen[at], contents)
            if at in joined:
                return Drop("joined", f"the unsafe twin of {names[at]}")
            if at in over:
                return Drop("over the share", f"of {row['axiom']}")
            if at in reasons:
                return Drop(*reasons[at])
            return row

        return act

    def _joined(self, row: Row, pair: Pair, contents: Sequence[dict[str, Any]]) -> Row:
        if pair.safe == pair.unsafe:
            return row
        other = contents[pair.unsafe]
        said = {
            "safe": row["input"],
            "unsafe": other["input"],
            "safe_source": pair.sources[0],
            "unsafe_source": pair.sources[1],
            "pairing": pair.kind,
        }
        gone = [name for name in row if name not in (*said, "axiom")]
        return row.derive(said, note={"pairing": pair.kind}, without=gone, also=(pair.unsafe,))

    def _pairs(self, contents: Sequence[dict[str, Any]]) -> tuple[list[Pair], dict[int, tuple[str, str]]]:
        """All pairs that can be made, and why the other rows are in none; pairs of the grammar are in neither."""
        made: list[Pair] = []
        reasons: dict[int, tuple[str, str]] = {}
        members: dict[str, list[Member]] = defaultdict(list)
        for at, content in enumerate(contents):
            if content.get("frame") is not None:
                continue
            if is_pair(Row(content)):
                sizes = len(content["safe"]), len(content["unsafe"])
                if self.alike(*sizes):
                    sources = (str(content["safe_source"]), str(content["unsafe_source"]))
                    made.append(Pair(at, at, str(content["axiom"]), sources, "given"))
                else:
                    reasons[at] = ("lengths differ", f"{sizes[0]} and {sizes[1]} characters")
                continue
            one = Member(at, str(content["axiom"]), content["safety_label"], content["source_dataset"],
                         content.get("pair"), len(content["input"]))  # fmt: skip
            members[one.axiom].append(one)
        for axiom in sorted(members):
            found = list(self._of(members[axiom]))
            made += found
            used = {at for one in found for at in (one.safe, one.unsafe)}
            for one in members[axiom]:
                if one.at not in used:
                    reasons[one.at] = ("no match", f"no row of the other label in {axiom} within {self.tolerance:.0%}")
        return made, reasons

    def _of(self, members: Sequence[Member]) -> Iterator[Pair]:
        """The pairs of one axiom: given ones, then those of one source, then the others."""
        left = {one.at: one for one in members}
        for kind, key in (
            ("given", lambda one: one.pair),
            ("matched in source", lambda one: one.source),
            ("matched", lambda one: ""),
        ):
            groups: dict[str, list[Member]] = defaultdict(list)
            for one in left.values():
                if (name := key(one)) is not None:
                    groups[name].append(one)
            for name in sorted(groups):
                for safe, unsafe in self.by_length(groups[name]):
                    del left[safe.at], left[unsafe.at]
                    yield Pair(safe.at, unsafe.at, safe.axiom, (safe.source, unsafe.source), kind)

    def by_length(self, members: Sequence[Member]) -> list[tuple[Member, Member]]:
        """As many pairs as the lengths allow, each row in one: the shortest first, on both sides."""
        safe, unsafe = (
            sorted((one for one in members if one.label == side), key=lambda one: (one.length, one.at))
            for side in ("safe", "unsafe")
        )
        found, i, j = [], 0, 0
        while i < len(safe) and j < len(unsafe):
            if self.alike(safe[i].length, unsafe[j].length):
                found.append((safe[i], unsafe[j]))
                i, j = i + 1, j + 1
            elif safe[i].length < unsafe[j].length:
                i += 1
            else:
                j += 1
        return found

    def alike(self, one: int, other: int) -> bool:
        """Whether two lengths lie within the tolerance."""
        return abs(one - other) <= self.tolerance * max(one, other)

    def _shares(self, made: Sequence[Pair], rows: Rows) -> list[Pair]:
        """The same number of pairs of every axiom, in turn from its pairs of sources."""
        if not made:
            return []
        draws = rows.numbers()
        by_axiom: dict[str, dict[tuple[str, str], list[Pair]]] = defaultdict(lambda: defaultdict(list))
        for one in sorted(made, key=lambda one: (int(draws[one.safe]), one.safe)):
            by_axiom[one.axiom][one.sources].append(one)
        sizes = {axiom: sum(map(len, cells.values())) for axiom, cells in by_axiom.items()}
        target = min(sizes.values()) if self.per_axiom is None else self.per_axiom
        kept: list[Pair] = []
        for axiom in sorted(by_axiom):
            cells = [by_axiom[axiom][sources] for sources in sorted(by_axiom[axiom])]
            turns = (one for turn in range(max(map(len, cells))) for cell in cells for one in cell[turn : turn + 1])
            kept += [one for _, one in zip(range(target), turns, strict=False)]
        return kept
