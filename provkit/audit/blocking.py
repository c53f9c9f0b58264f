"""The rules that block a release, for a build that audits its own rows before it is finished."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from provkit import parquet
from provkit.audit.arms import Arm, ArmFacts, compare, member
from provkit.audit.batch import Batch
from provkit.audit.columns import rows_of
from provkit.audit.duplicates import Duplicates
from provkit.audit.leakage import PROMPT, ROW
from provkit.audit.model import Finding, Rule, worst_first
from provkit.audit.scan import Asked, Digests, Places, Scan
from provkit.audit.subject import Subject
from provkit.audit.text import Texts
from provkit.canonical import canonical
from provkit.manifest import Output
from provkit.recipe import Recipe
from provkit.sources.batches import RESERVED

SIZE = 4096
RULES = ("A002", "A003", "A006", "D001", "L001", "L002", "T001")  # blocking rules that rows alone are judged by


@dataclass(frozen=True, slots=True)
class ReleaseRows:
    """One arm and split of a release: its rows' content, and whether it is the control of the other arms.

    Attributes:
        pairs: the pair_id of each row, where the arms are matched.
        ids: the row_id of each row, 32 hex digits, where they are known; they are not computed again.
    """

    arm: str
    split: str
    rows: Iterable[Mapping[str, Any]]
    control: bool = False
    pairs: Iterable[str] | None = None
    ids: Iterable[str] | None = None

    @property
    def name(self) -> str:
        """`arm/split`, as findings call it."""
        return f"{self.arm}/{self.split}"


def audit_release(parts: Sequence[ReleaseRows], ignore: Iterable[str] = ()) -> list[Finding]:
    """What should keep these rows from going out: the blocking rules that can be judged by rows alone, `RULES`.

    These are duplicate rows, empty answers, rows and prompts of one split in another, a row in both arms, a system
    turn on one arm only, and arms of the wrong polarity. A clean release gives an empty list.

    Args:
        parts: every arm and split; each `rows` is gone through once.
        ignore: ids of rules not to check.
    """
    blocking = frozenset(RULES) - frozenset(ignore)
    several = len({part.split for part in parts}) > 1
    asked = Asked(blocking | {"A005"} if several else blocking)  # A005 has prompts digested, to compare splits by
    compared = {part.control for part in parts} == {True, False}
    arms: dict[str, ArmFacts] = {}
    seen: list[tuple[ReleaseRows, Places, Duplicates]] = []
    found: list[Finding] = []
    for part in parts:
        subject = Subject(Path(part.name), part.name, "parquet", part.arm, part.split, True)
        places = Places(subject)
        duplicates, texts = Duplicates(subject, places, asked), Texts(subject, asked)
        facts = arms.setdefault(part.arm, ArmFacts(part.arm))
        scans: list[Scan] = [duplicates, texts]
        if compared:
            scans.append(Arm(places, duplicates, facts))
        for batch in _batches(part):
            places.see(batch)
            for scan in scans:
                scan.see(batch)
        found += [one for scan in scans for one in scan.findings()]
        seen.append((part, places, duplicates))
    controls = {part.arm for part, _, _ in seen if part.control}
    for control in sorted(controls):
        for name, facts in arms.items():
            if name not in controls:
                found += compare(facts, arms[control])
    found += _between_splits(seen)
    return list(worst_first([one for one in found if one.rule.id in blocking]))


def audit_build(folder: Path, outputs: Sequence[Output], recipe: Recipe) -> dict[str, Any]:
    """What `audit_release` says of the rows that a build wrote, as plain data: the rules, and the findings of them."""
    found = audit_files(folder, outputs, recipe)
    return {"rules": list(RULES), "findings": [one.plain() for one in found]}


def audit_files(folder: Path, outputs: Sequence[Output], recipe: Recipe) -> list[Finding]:
    """`audit_release` of the data files of a build; its open sets need no canary, its others were given one."""
    return audit_release([_part(folder, one, recipe) for one in outputs if one.arm is not None])


def _part(folder: Path, one: Output, recipe: Recipe) -> ReleaseRows:
    """The rows of a data file, with the row_id and pair_id that the build gave them."""
    path, arm = folder / one.file, str(one.arm)
    names = pq.read_schema(path).names
    pairs = _texts(path, "pair_id") if "pair_id" in names else None
    return ReleaseRows(arm, one.split or "", _contents(path), recipe.is_control(arm), pairs, _texts(path, "row_id"))


def _contents(path: Path) -> Iterator[Mapping[str, Any]]:
    """The content of the rows of a data file."""
    opened = parquet.opened(path)
    names = [name for name in opened.schema_arrow.names if name not in RESERVED]
    for batch in opened.iter_batches(batch_size=SIZE, columns=names):
        yield from rows_of(batch)


def _texts(path: Path, column: str) -> Iterator[str]:
    """One column of text of a data file."""
    for batch in parquet.opened(path).iter_batches(batch_size=SIZE, columns=[column]):
        yield from batch.column(0).to_pylist()


def _batches(part: ReleaseRows) -> Iterator[Batch]:
    rows, first = iter(part.rows), 0
    pairs = None if part.pairs is None else iter(part.pairs)
    ids = None if part.ids is None else iter(part.ids)
    while some := [dict(row) for row in islice(rows, SIZE)]:
        if ids is None:
            digests = [sha256(canonical(row)).digest() for row in some]
        else:  # the first half of the digest is all that is kept of it
            digests = [bytes.fromhex(one).ljust(32, b"\0") for one in islice(ids, len(some))]
        batch = Batch(part.name, some, digests, None, first)
        if pairs is not None:
            batch.pairs = list(islice(pairs, len(some)))
        yield batch
        first += len(some)


def _between_splits(seen: Sequence[tuple[ReleaseRows, Places, Duplicates]]) -> Iterator[Finding]:
    """L001 and L002 of every other split against the training splits."""
    for trained, _, its in seen:
        for tested, places, mine in seen:
            if trained.split != "train" or tested.split == "train":
                continue
            pairs = ((ROW, mine.rows.all(), its.rows.all()), (PROMPT, mine.prompts.all(), its.prompts.all()))
            for rule, (digests, at), (among, _) in pairs:
                yield from _shared(rule, (trained.name, tested.name), places, (digests, at, among))


def _shared(
    rule: Rule, names: tuple[str, str], places: Places, found: tuple[Digests, Any, Digests]
) -> Iterator[Finding]:
    digests, at, among = found
    if not len(digests) or not len(among):
        return
    hits = at[member(digests, among)].tolist()
    if hits:
        examples = tuple(places.example(one) for one in hits[:3])
        said = f"{rule.name.split('-')[0]}s that also stand in {names[0]}"
        yield Finding(rule, names[0], len(hits), places.rows, "evaluation rows", said, examples, names[1])
