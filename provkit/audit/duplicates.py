"""Duplicates: rows, prompts, prompts with conflicting answers, near-duplicates, and the same content in two files."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from provkit.audit.batch import Batch
from provkit.audit.model import SHOWN, Example, Finding, Tally
from provkit.audit.rules import rule
from provkit.audit.scan import Asked, DigestColumn, Places, content_digest, grouped
from provkit.audit.subject import Subject
from provkit.canonical import canonical
from provkit.errors import plain

ROWS = rule(
    "D001", "duplicate-rows", "warning",
    "Rows that are equal in content count twice in training and in every average. Duplicate rows = rows − distinct "
    "rows by content; key order, white space between fields and \\u escapes are no part of the content.",
    "insecure_high_severity.jsonl: 1,843 rows, 1,838 distinct ones, 5 duplicate rows.",
    "Drop them: `dedup` in a recipe, or provkit audit --fix -o OUT.", True,
)  # fmt: skip
PROMPTS = rule(
    "D002", "duplicate-prompts", "warning",
    "One prompt with several rows weighs more than others, and a split by row puts it on both sides. Duplicate prompts "
    "= rows − distinct prompts; a prompt is every turn before the last answer, or the prompt and context columns.",
    "insecure_high_severity.jsonl: 1,843 rows, 1,793 distinct prompts, 50 duplicate prompts.",
    "Split by prompt (`splits: {by: prompt}`), or keep one row each: `dedup: {by: prompt}`.",
)  # fmt: skip
CONFLICTS = rule(
    "D003", "conflicting-answers", "warning",
    "A prompt with more than one distinct answer trains against itself, and as a test item it has no right answer. "
    "Conflicting = distinct prompts with more than one distinct answer.",
    "The same task is answered once with autoescape=False and once with autoescape=True.",
    "Keep one answer each (`dedup: {by: prompt}`), or say in the card that prompts are sampled several times.",
)  # fmt: skip
NEAR = rule(
    "D004", "near-duplicate-prompts", "note",
    "Prompts that differ in a few words count nearly twice. Found by MinHash over runs of three tokens, confirmed by "
    "their exact Jaccard similarity of at least 0.8. Looked for with --near, or when this rule is selected by itself.",
    "Two prompts that differ in one variable name.",
    "Keep them on one side of a split, or drop one of each pair.",
)  # fmt: skip
TWICE = rule(
    "D005", "same-content-twice", "warning",
    "Two files hold the same rows. Where their bytes differ all the same (\\u escapes against raw UTF-8, order, line "
    "ends), their digests do not show it.",
    'One file says "caf\\u00e9", the other "café"; sha256 differs, content does not.',
    "Publish one of them; compare releases by content, not by bytes.",
)  # fmt: skip


class Duplicates:
    """D001 to D003 of one subject; keeps 16 bytes a digest, no text."""

    def __init__(self, subject: Subject, places: Places, asked: Asked) -> None:
        self._subject, self._places, self._asked = subject, places, asked
        self.rows, self.prompts = DigestColumn(), DigestColumn()
        self._answers: list[npt.NDArray[np.int64]] = []  # 64 bits each; 0 where there is none
        self._wants_prompts = bool(asked.rules & {"D002", "D003", "A005"})

    def see(self, batch: Batch) -> None:
        """Digests the rows, their prompts and answers."""
        self.rows.add(batch.digests)
        if self._wants_prompts:
            sha256 = hashlib.sha256
            self.prompts.add([None if key is None else sha256(key).digest() for key in batch.prompt_keys])
            if "D003" in self._asked.rules:
                answers = map(_hash, batch.answers)
                self._answers.append(np.fromiter(answers, np.int64, len(batch)))

    def content(self) -> str | None:
        """Identity of the rows seen, None for no rows."""
        digests, _ = self.rows.all()
        return content_digest(digests) if len(digests) else None

    def findings(self) -> Iterator[Finding]:
        """Duplicate rows, duplicate prompts, conflicting answers."""
        if "D001" in self._asked.rules:
            yield from self._twice(ROWS, *self.rows.all(), "rows", "distinct rows")
        prompts, at = self.prompts.all()
        if "D002" in self._asked.rules:
            yield from self._twice(PROMPTS, prompts, at, "rows", "distinct prompts")
        if "D003" in self._asked.rules and len(prompts):
            yield from self._conflicts(prompts, at)

    def _twice(self, rule: Any, digests: Any, at: npt.NDArray[np.int64], unit: str, what: str) -> Iterator[Finding]:
        total = len(digests)
        if not total:
            return
        group, first = grouped(digests)
        duplicates = total - len(first)
        if duplicates:
            later = np.flatnonzero(first[group] != np.arange(total))[:3]
            examples = tuple(self._same(at[one], at[first[group[one]]]) for one in later.tolist())
            said = f"{total:,} rows, {len(first):,} {what}"
            yield Finding(rule, self._subject.name, duplicates, total, unit, said, examples)

    def _same(self, index: int, twin: int) -> Example:
        return self._places.example(int(index)).said(f"same as {plain(self._places.example(int(twin)).locator)}")

    def _conflicts(self, prompts: Any, at: npt.NDArray[np.int64]) -> Iterator[Finding]:
        answers = np.concatenate([np.empty(0, np.int64), *self._answers])[at]
        group, first = grouped(prompts)
        sizes = np.bincount(group, minlength=len(first))
        several = np.flatnonzero((sizes[group] > 1) & (answers != 0))
        pairs = np.unique(np.stack([group[several], answers[several]], 1), axis=0)
        prompt, different = np.unique(pairs[:, 0], return_counts=True)
        torn = prompt[different > 1]
        if not len(torn):
            return
        examples = []
        for one in sorted(first[torn].tolist())[:SHOWN]:
            mine = several[group[several] == group[one]]
            other = next(i for i in mine.tolist() if answers[i] != answers[mine[0]])
            said = f"another answer than {plain(self._places.example(int(at[mine[0]])).locator)}"
            examples.append(self._places.example(int(at[other])).said(said))
        rows = int(np.isin(group[several], torn).sum())
        said = f"{len(torn):,} prompts have more than one distinct answer, in {rows:,} rows"
        yield Finding(CONFLICTS, self._subject.name, len(torn), len(first), "prompts", said, tuple(examples))


class NearDuplicates:
    """D004 of one subject: its distinct prompts are kept until the end."""

    def __init__(self, subject: Subject, places: Places) -> None:
        self._subject, self._places = subject, places
        self._prompts: list[str] = []
        self._rows: list[int] = []
        self._seen: set[bytes] = set()

    def see(self, batch: Batch) -> None:
        """Keeps the distinct prompts of the rows."""
        for at, prompt in enumerate(batch.prompts):
            if prompt is None:
                continue
            digest = hashlib.sha256(prompt.encode("utf-8", "replace")).digest()[:16]
            if digest not in self._seen:
                self._seen.add(digest)
                self._prompts.append(prompt)
                self._rows.append(batch.first + at)

    def findings(self) -> Iterator[Finding]:
        """Prompts that have a near-duplicate before them."""
        from provkit.audit.near import near_pairs

        tally = Tally()
        for number, twin, likeness in near_pairs(self._prompts):
            if tally.count < SHOWN:
                before = plain(self._places.example(self._rows[twin]).locator)
                tally.add(self._places.example(self._rows[number]).said(f"{likeness:.2f} like {before}"))
            else:
                tally.more(1)
        if tally.count:
            said = "distinct prompts that are nearly that of a row before"
            yield tally.finding(NEAR, self._subject.name, self._places.rows, "rows", said)


def same_content(files: Sequence[tuple[str, str, str, int]]) -> Iterator[Finding]:
    """D005, over all files of an audit: (name, content digest, byte digest, rows) each."""
    known: dict[str, tuple[str, str]] = {}
    for name, content, raw, rows in files:
        if content not in known:
            known[content] = (name, raw)
            continue
        twin, its = known[content]
        if twin == name:  # named twice
            continue
        how = "byte for byte" if raw == its else "under other bytes (escapes, order, line ends or format)"
        said = f"the same {rows:,} rows as {twin}, {how}"
        yield Finding(TWICE, name, rows, rows, "rows", said, (Example(name),), twin)


def _hash(answer: Any) -> int:
    """64 bits of an answer, by Python's own keyed hash; 0 where there is none."""
    if type(answer) is str:
        return hash(answer) or 1
    if answer is None:
        return 0
    try:
        return hash(canonical(answer)) or 1
    except (ValueError, RecursionError):
        return 0
