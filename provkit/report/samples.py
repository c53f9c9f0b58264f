"""Rows of each arm of a build side by side: the same rows every time, twins together, their texts masked or cut."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from provkit.canonical import canonical
from provkit.errors import InputError
from provkit.lookup import row_at
from provkit.manifest import Manifest
from provkit.markup import clipped, masked, visible
from provkit.report.files import checked
from provkit.sources.batches import RESERVED

SHOWN = 6  # rows of each arm
LONGEST = 1500  # characters of a text
TOKEN = re.compile(r"\w+|\s+|[^\w\s]")

Piece = tuple[str, bool]


@dataclass(frozen=True, slots=True)
class Side:
    """A row of one arm: its key (arm/split/index), and its texts by name; a turn of a chat by its role.

    A text is in pieces, each with whether it differs from the twin: from the first arm's, or for that from the next.
    """

    arm: str
    key: str
    texts: list[tuple[str, list[Piece]]]


@dataclass(frozen=True, slots=True)
class Sample:
    """Rows that stand side by side, one of each arm that has it; `pair_id` where they are twins."""

    pair_id: str | None
    sides: list[Side]


def samples(folder: Path, found: Manifest, hidden: bool) -> list[Sample]:
    """The rows of lowest pair_id, or of lowest row_id in each arm, out of the first split that has rows.

    Raises:
        InputError: when a data file is missing or changed.
    """
    paired = bool(found.facts["recipe"]["pair"])
    lines: dict[str, list[Side]] = {}
    for arm in found.arms:
        out = next((one for one in found.data(arm) if one.rows), None)
        if out is None:
            continue
        opened = _opened(checked(folder, found, out.file))
        ids = opened.read(columns=["pair_id" if paired else "row_id"]).column(0).to_pylist()
        lowest = sorted(range(len(ids)), key=lambda at: (ids[at], at))[:SHOWN]
        for number, at in enumerate(lowest):
            side = _side(f"{arm}/{out.split}/{at}", arm, row_at(opened, at) or {}, hidden)
            lines.setdefault(ids[at] if paired else str(number), []).append(side)
    first = [(line, lines[line]) for line in sorted(lines)[:SHOWN]]
    return [Sample(line, _compared(sides)) if paired else Sample(None, sides) for line, sides in first]


def _side(key: str, arm: str, content: Mapping[str, Any], hidden: bool) -> Side:
    return Side(arm, key, [(name, [(_shown(text, hidden), False)]) for name, text in texts_of(content)])


def _opened(path: Path) -> pq.ParquetFile:
    try:
        return pq.ParquetFile(path, memory_map=True)
    except (pa.ArrowException, OSError):
        raise InputError("no Parquet file", file=path, do="build again") from None


def texts_of(content: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The parts of a row that are there: turns of a chat by their role, other columns by their name."""
    found: list[tuple[str, str]] = []
    for name, value in content.items():
        if name in RESERVED or value is None:
            continue
        if isinstance(value, list) and value and all(isinstance(one, dict) and "content" in one for one in value):
            found += [(str(one.get("role") or name), str(one["content"] or "")) for one in value]
        else:
            found.append((name, value if isinstance(value, str) else canonical(value).decode()))
    return found


def _compared(sides: list[Side]) -> list[Side]:
    """Twins, with what differs told apart in texts of the same place and name."""
    return [
        replace(side, texts=_against(side.texts, sides[0 if number else 1].texts)) if len(sides) > 1 else side
        for number, side in enumerate(sides)
    ]


def _against(
    texts: list[tuple[str, list[Piece]]], others: list[tuple[str, list[Piece]]]
) -> list[tuple[str, list[Piece]]]:
    """Texts in pieces, by whether they stand in the text of the same place and name."""
    if [name for name, _ in texts] != [name for name, _ in others]:
        return texts
    pairs = zip(texts, others, strict=True)
    return [(name, differing(_whole(own), _whole(other))) for (name, own), (_, other) in pairs]


def _whole(pieces: list[Piece]) -> str:
    return "".join(text for text, _ in pieces)


def differing(text: str, other: str) -> list[Piece]:
    """A text in pieces, each with whether it is missing from `other`, token by token."""
    own, its = TOKEN.findall(text), TOKEN.findall(other)
    steps = SequenceMatcher(None, own, its, autojunk=False).get_opcodes()
    return [("".join(own[start:end]), kind != "equal") for kind, start, end, _, _ in steps if end > start]


def _shown(text: str, hidden: bool) -> str:
    return visible(masked(text)) if hidden else clipped(text, LONGEST)
