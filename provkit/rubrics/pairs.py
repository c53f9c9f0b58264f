"""Pairs of answers to one question: read in any layout, keyed by content, swapped by key, capped, and parted."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from provkit import manifest
from provkit.canonical import digest
from provkit.chance import count_of
from provkit.errors import InputError, plain
from provkit.rubrics.layouts import Found, Layout, NoPair, layout_of
from provkit.rubrics.reading import read_rows
from provkit.rubrics.tables import PAIRS
from provkit.sources.origins import HubOrigin
from provkit.table import locator

HUB = "hf://datasets/"


@dataclass(frozen=True, slots=True)
class Pair:
    """Two answers to one question; `label` A or B says which is better, None where nobody said."""

    row_key: str
    question: str
    answer_a: str
    answer_b: str
    label: str | None = None
    category: str | None = None

    def shown(self, swapped: bool) -> tuple[str, str, str]:
        """Question and answers in the order in which a judge sees them."""
        first, second = (self.answer_b, self.answer_a) if swapped else (self.answer_a, self.answer_b)
        return self.question, first, second


@dataclass(frozen=True, slots=True)
class Taking:
    """How pairs are taken out of rows.

    Args:
        layout: a name of LAYOUTS, or auto.
        columns: other columns to read as those of the layout: `{"question": "my_column"}`.
        key: the column whose value is the row key; a digest of question and answers when None.
        most_words: pairs of more words, question and answers together, are left out.
        seed: of the swap of the answers.
    """

    layout: str = "auto"
    columns: Mapping[str, str] = field(default_factory=dict)
    key: str | None = None
    most_words: int | None = None
    seed: int = 42


def taken(row: Mapping[str, Any], taking: Taking, layout: Layout | None = None) -> Iterator[Pair]:
    """The pairs of one row.

    Raises:
        NoPair: when it holds none that can be judged.
    """
    mapped = {**row, **{name: row.get(column) for name, column in taking.columns.items()}}
    for number, found in enumerate((layout or layout_of(taking.layout, mapped))(mapped)):
        words = sum(len(text.split()) for text in (found.question, found.first, found.second))
        if taking.most_words is not None and words > taking.most_words:
            raise NoPair("too long")
        if found.first == found.second:
            raise NoPair("one answer twice")
        key = content_key(found.question, found.first, found.second)
        if taking.key is not None:
            if row.get(taking.key) is None:
                raise NoPair(f"no {taking.key}")
            key = f"{row[taking.key]}" if not number else f"{row[taking.key]}/{number}"
        yield _placed(found, key, taking.seed)


def content_key(question: str, one: str, other: str) -> str:
    """A row key out of what is judged: 32 hex digits of the sha256 of question and answers, whichever stands first."""
    return digest({"question": question, "answers": sorted([one, other])})[:32]


def swaps(key: str, seed: int, what: str = "swap") -> bool:
    """A fair coin that the row key and the seed alone decide."""
    return hashlib.sha256(f"{what}\0{seed}\0{key}".encode()).digest()[0] % 2 == 1


def _placed(found: Found, key: str, seed: int) -> Pair:
    """The answers in their places: as people saw them, or by the coin of the row key."""
    if found.placed or not swaps(key, seed):
        return Pair(key, found.question, found.first, found.second, found.label, found.category)
    label = None if found.label is None else "B" if found.label == "A" else "A"
    return Pair(key, found.question, found.second, found.first, label, found.category)


@dataclass(frozen=True, slots=True)
class Read:
    """The pairs of one set, and how many rows were left out for which reason."""

    dataset: str
    pairs: list[Pair]
    left_out: Counter[str]

    def table(self) -> pa.Table:
        """The pairs as the schema PAIRS."""
        names = PAIRS.names[1:]
        columns = [pa.array([getattr(pair, name) for pair in self.pairs], pa.string()) for name in names]
        return pa.table([pa.repeat(pa.scalar(self.dataset), len(self.pairs)), *columns], schema=PAIRS)


def read_pairs(dataset: str, source: str, taking: Taking, limit: int | None = None) -> Read:
    """The pairs of a file, a build, or a hub dataset (`hf://datasets/ORG/NAME[@REVISION][#SPLIT]`).

    A pair that stands twice is read once.

    Raises:
        InputError: when it cannot be read, holds no pair, or two different pairs have one key.
    """
    found: dict[str, Pair] = {}
    left_out: Counter[str] = Counter()
    layout: Layout | None = None
    for row, where in _rows(source):
        layout = layout or layout_of(taking.layout, {**row, **dict.fromkeys(taking.columns)})
        try:
            for pair in taken(row, taking, layout):
                other = found.setdefault(pair.row_key, pair)
                if other is pair:
                    continue
                if (other.question, other.answer_a, other.answer_b) != (pair.question, pair.answer_a, pair.answer_b):
                    said = f"a second pair with the key '{plain(pair.row_key, 60)}'"
                    raise InputError(said, file=where, do="name a column that tells rows apart, or leave --key out")
                left_out["stands twice" if other == pair else "stands twice, with another label"] += 1
        except NoPair as error:
            left_out[str(error)] += 1
        if limit is not None and len(found) >= limit:
            break
    if not found:
        reasons = ", ".join(f"{count:,} {reason}" for reason, count in left_out.most_common())
        raise InputError(f"no pair that can be judged: {reasons or 'no rows'}", file=source)
    return Read(dataset, list(found.values()), left_out)


def _rows(source: str) -> Iterator[tuple[dict[str, Any], str]]:
    """The rows of a source, each with where it stands."""
    if source.startswith(HUB):
        name, _, split = source.removeprefix(HUB).partition("#")
        name, _, revision = name.partition("@")
        origin = HubOrigin.open(name, name, revision or None, None, split or "train", None)
        at = 0
        for chunk in origin.chunks():
            for row in chunk.batch.to_pylist():
                yield row, locator(origin.input, at, None)
                at += 1
        return
    path = Path(source)
    if (path / manifest.FILE).is_file():
        for out in manifest.read(path).data():
            for _, row in read_rows(path / out.file):
                yield row, f"{path.name}/{out.file}"
        return
    for line, row in read_rows(path):
        yield row, f"{path.name}:{line}" if line is not None else path.name


def parted(
    pairs: Sequence[Pair], shares: Mapping[str, float], seed: int, balance: bool = True, by: str = "question"
) -> dict[str, list[Pair]]:
    """Pairs in splits, none in two of them: all pairs of one group (a question, or a category) stand in one.

    Within each category, groups are taken in an order that seed and group decide, so that every split has its share of
    every category. With `balance` each split keeps as many pairs of label A as of label B; the rest is left out.

    Args:
        pairs: the pairs.
        shares: names and shares of the splits, of all pairs; they sum to at most 1.
        seed: of the order.
        balance: even out the labels.
        by: what makes a group.
    """
    groups: dict[str, list[Pair]] = {}
    for pair in pairs:
        groups.setdefault(pair.question if by == "question" else str(pair.category), []).append(pair)
    strata: dict[str | None, list[str]] = {}
    for name, members in groups.items():
        strata.setdefault(members[0].category if by == "question" else None, []).append(name)
    done: dict[str, list[Pair]] = {name: [] for name in shares}
    for _, names in sorted(strata.items(), key=lambda one: str(one[0])):
        names.sort(key=lambda name: hashlib.sha256(f"split\0{seed}\0{name}".encode()).digest())
        total = sum(len(groups[name]) for name in names)
        ends = _ends(shares, total)
        place = 0
        for name in names:
            middle = place + (len(groups[name]) - 1) / 2
            split = next((one for one, end in ends.items() if middle < end), None)
            if split is not None:
                done[split] += groups[name]
            place += len(groups[name])
    return {name: balanced(found, seed) if balance else found for name, found in done.items()}


def balanced(pairs: Iterable[Pair], seed: int) -> list[Pair]:
    """As many pairs of label A as of label B, those of lowest hash; pairs without a label go."""
    ordered = sorted(pairs, key=lambda pair: hashlib.sha256(f"balance\0{seed}\0{pair.row_key}".encode()).digest())
    sides = [[pair for pair in ordered if pair.label == label] for label in ("A", "B")]
    size = min(map(len, sides))
    kept = {id(pair) for pair in sides[0][:size] + sides[1][:size]}
    return [pair for pair in ordered if id(pair) in kept]


def _ends(shares: Mapping[str, float], total: int) -> dict[str, int]:
    """Where each split ends among `total` rows."""
    ends, share = {}, 0.0
    for name, own in shares.items():
        share += own
        ends[name] = count_of(min(share, 1.0), total)
    return ends
