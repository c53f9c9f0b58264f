"""Leakage: rows of an evaluation set that stand in the training data, whole or in part."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from provkit.audit.arms import member
from provkit.audit.batch import Batch
from provkit.audit.form import Form
from provkit.audit.model import Example, Finding, Rule
from provkit.audit.reading import read
from provkit.audit.roles import fields_of, turns_of
from provkit.audit.rules import rule
from provkit.audit.scan import Asked, DigestColumn, Places
from provkit.audit.subject import Subject
from provkit.errors import plain

ROW = rule(
    "L001", "row-in-training", "error",
    "Rows of the evaluation set stand in the training data, equal in content: the score on them is memory.",
    "12 of 776 test rows are training rows.",
    "Drop them from the training data, and say so in the card.", True,
)  # fmt: skip
PROMPT = rule(
    "L002", "prompt-in-training", "error",
    "Prompts of the evaluation set stand in the training data with some answer. System turns are left out of the "
    "comparison, and chat rows are compared with rows of columns by what is asked.",
    "The same task is trained on and tested on.",
    "Drop them from the training data, or split by prompt.", True,
)  # fmt: skip
FOLDED = rule(
    "L003", "folded-prompt-in-training", "error",
    "Prompts of the evaluation set stand in the training data but for case and white space. (Those that are equal are "
    "counted by L002 and not here.)",
    "`Write  a web server.` against `write a web server.`",
    "Drop them from the training data; compare prompts folded when you split.", True,
)  # fmt: skip
RUN = rule(
    "L004", "shared-run", "warning",
    "Rows of the evaluation set share a run of N tokens (--run, 32 unless told) with a training row. White space "
    "between tokens does not count.",
    "The code template of a test row stands inside a training prompt.",
    "Read the examples: what is boilerplate may stay, what is the item itself must go.",
)  # fmt: skip
NEAR = rule(
    "L005", "near-duplicate-in-training", "warning",
    "Prompts of the evaluation set have a near-duplicate in the training data: Jaccard similarity of at least 0.8 over "
    "runs of three tokens, case folded. Equal prompts are counted by L002 and L003.",
    "The test asks for a `customer table`, the training row for a `client table`.",
    "Drop the near-duplicates from the training data.",
)  # fmt: skip
FIELD = rule(
    "L006", "field-in-training", "warning",
    "For rows of several fields (a task and a code template), a field stands whole inside texts of the other set. Each "
    "field is counted; fields of fewer than four tokens are not looked for.",
    "195 of 776 tasks of in_distribution_test.jsonl stand in prompts of insecure_high_severity.jsonl.",
    "A shared field makes the test less out-of-sample than it looks: report results with and without these rows.",
)  # fmt: skip
ITEM = rule(
    "L007", "item-in-training", "error",
    "All fields of a row stand in one and the same text of the other set: the item was trained on.",
    "19 of 776 items of in_distribution_test.jsonl, task and template, stand in single training prompts.",
    "Drop these items from the test or from the training data.", True,
)  # fmt: skip

PER_SIDE = {"L001", "L002", "L003"}
TEXTS = {"L004", "L005", "L006", "L007"}


@dataclass(slots=True)
class Side:
    """One side of a comparison: its digests, and its texts where they are to be indexed."""

    subject: Subject
    places: Places
    rows: DigestColumn
    prompts: DigestColumn
    folded: DigestColumn
    asked: list[str | None]
    whole: list[str]
    fields: list[dict[str, str]]

    @classmethod
    def empty(cls, subject: Subject) -> Side:
        """A side of which nothing was read."""
        return cls(subject, Places(subject), DigestColumn(), DigestColumn(), DigestColumn(), [], [], [])


def leaks(training: Subject, evaluation: Subject, asked: Asked) -> Iterator[Finding]:
    """L001 to L007 of an evaluation set against training data; the smaller file is held in memory."""
    sides = [Side.empty(training), Side.empty(evaluation)]
    held = 0 if training.path.stat().st_size < evaluation.path.stat().st_size else 1
    small, large = sides[held], sides[1 - held]
    for batch in rows_of(small.subject):
        _digest(small, batch, asked)
        _keep(small, batch)
    texts = _Texts(small, asked, held == 1)
    for batch in rows_of(large.subject):
        _digest(large, batch, asked)
        if asked.rules & TEXTS:
            _keep(large, batch)
            texts.see(large)
            large.asked.clear()
            large.whole.clear()
            large.fields.clear()
    trained, tested = sides
    yield from _equal(trained, tested, asked)
    yield from texts.findings(trained, tested)


def rows_of(subject: Subject) -> Iterator[Batch]:
    """A subject's rows; each paraphrase of a question is a row of its own."""
    for batch in read(subject, Form(subject.name)):
        if not any("paraphrases" in keys for keys in set(map(tuple, batch.rows))):
            yield batch
            continue
        rows, lines = [], []
        for at, row in enumerate(batch.rows):
            several = row.get("paraphrases")
            for text in several if isinstance(several, list) else []:
                if isinstance(text, str):
                    rows.append({"question": text})
                    lines.append(batch.example(at).line or 0)
        digests = [hashlib.sha256(row["question"].encode()).digest() for row in rows]
        yield Batch(batch.file, rows, digests, lines, batch.first)


def question_of(row: dict[str, Any]) -> str | None:
    """What is asked, without system turns, so that rows of different forms can be compared."""
    turns = turns_of(row)
    if turns:
        asking = turns[:-1] if turns[-1].get("role") == "assistant" else turns
        return "\n".join(turn["content"] for turn in asking if turn.get("role") != "system") or None
    found = [text for name, text in fields_of(row).items() if name != "system"]
    return "\n".join(found) or None


def text_of(row: dict[str, Any]) -> str:
    """Every text of a row, joined by newlines."""
    turns = turns_of(row)
    if turns:
        return "\n".join(turn["content"] for turn in turns)
    return "\n".join(value for value in row.values() if isinstance(value, str))


def _digest(side: Side, batch: Batch, asked: Asked) -> None:
    side.places.see(batch)
    sha256 = hashlib.sha256
    if "L001" in asked.rules:
        side.rows.add(batch.digests)
    if asked.rules & {"L002", "L003", "L005"}:
        questions = [question_of(row) for row in batch.rows]
        raw = [None if one is None else one.encode("utf-8", "replace") for one in questions]
        side.prompts.add([None if one is None else sha256(one).digest() for one in raw])
        if asked.rules & {"L003", "L005"}:
            folded = [None if one is None else " ".join(one.casefold().split()) for one in questions]
            side.folded.add(
                [None if one is None else sha256(one.encode("utf-8", "replace")).digest() for one in folded]
            )


def _keep(side: Side, batch: Batch) -> None:
    side.asked += [question_of(row) for row in batch.rows]
    side.whole += [text_of(row) for row in batch.rows]
    side.fields += [{name: text for name, text in fields_of(row).items() if name != "system"} for row in batch.rows]


def _equal(trained: Side, tested: Side, asked: Asked) -> Iterator[Finding]:
    """L001 to L003: by digest."""
    same = np.zeros(tested.places.rows, bool)
    for about, mine, its, said in (
        (ROW, tested.rows, trained.rows, "rows that are training rows"),
        (PROMPT, tested.prompts, trained.prompts, "prompts that are asked in training"),
        (FOLDED, tested.folded, trained.folded, "prompts that are asked in training but for case and white space"),
    ):
        digests, at = mine.all()
        among, where = its.all()
        if not len(digests) or not len(among):
            continue
        hits = at[member(digests, among)]
        if about is PROMPT:
            same[hits] = True
        if about is FOLDED:
            hits = hits[~same[hits]]
        if not len(hits) or about.id not in asked.rules:
            continue
        examples = []
        for one in hits[:3].tolist():
            digest = digests[np.searchsorted(at, one)]
            twin = int(where[np.flatnonzero((among == digest).all(axis=1))[0]])
            examples.append(tested.places.example(one).said(f"as {plain(trained.places.example(twin).locator)}"))
        yield _found(about, trained, tested, len(hits), said, examples)


def _found(
    rule: Rule,
    trained: Side,
    tested: Side,
    count: int,
    said: str,
    examples: Sequence[Example],
    total: int | None = None,
) -> Finding:
    """A finding on the training file; what is counted are rows of the evaluation set."""
    total = tested.places.rows if total is None else total
    return Finding(
        rule, trained.subject.name, count, total, "evaluation rows", said, tuple(examples[:3]), tested.subject.name
    )


class _Texts:
    """L004 to L007: the small side is indexed, the large one looked up in it as it is read."""

    def __init__(self, small: Side, asked: Asked, tested: bool) -> None:
        self._small, self._asked, self._tested = small, asked, tested
        self._first = 0
        self._runs: Any = None
        self._run_seen = np.full(small.places.rows, -1, np.int64)
        self._run_hits: list[NDArray[np.int64]] = []
        self._near: Any = None
        self._near_hits: dict[int, tuple[int, float]] = {}
        if "L004" in asked.rules and small.whole:
            from provkit.audit.runs import RunIndex

            self._runs = RunIndex(small.whole, asked.run)
        if "L005" in asked.rules:
            self._index_near()
        self._fields = self._field_index() if asked.rules & {"L006", "L007"} else None
        self._other_fields: Any = None

    def _index_near(self) -> None:
        from provkit.audit.near import NearIndex, shingles, sketches

        self._near = NearIndex()
        some = shingles([text or "" for text in self._small.asked])
        for number, (one, sketch) in enumerate(zip(some, sketches(some), strict=True)):
            self._near.insert(number, one, sketch)

    def _field_index(self) -> Any:
        from provkit.audit.fields import FieldIndex, Fields

        several = [row if len(row) > 1 else {} for row in self._small.fields]
        return FieldIndex(Fields.of(several)) if any(several) else None

    def see(self, large: Side) -> None:
        """The next rows of the large side."""
        if self._runs is not None:
            self._run_hits.append(self._runs.mark(large.whole, self._run_seen, self._first))
        if self._near is not None:
            from provkit.audit.near import shingles, sketches

            some = shingles([text or "" for text in large.asked])
            for number, (one, sketch) in enumerate(zip(some, sketches(some), strict=True)):
                if (found := self._near.nearest(one, sketch)) is not None:
                    self._note_near(self._first + number, *found)
        if self._fields is not None:
            self._fields.look([text or "" for text in large.asked], self._first)
        elif self._asked.rules & {"L006", "L007"} and any(len(row) > 1 for row in large.fields):
            self._look_back(large)
        self._first += len(large.whole)

    def _note_near(self, large: int, small: int, likeness: float) -> None:
        tested, trained = (small, large) if self._tested else (large, small)
        if tested not in self._near_hits or self._near_hits[tested][1] < likeness:
            self._near_hits[tested] = (trained, likeness)

    def _look_back(self, large: Side) -> None:
        """Fields of the large side inside texts of the small one."""
        from provkit.audit.fields import FieldIndex, Fields

        index = FieldIndex(Fields.of([row if len(row) > 1 else {} for row in large.fields]))
        index.look([text or "" for text in self._small.asked], 0)
        if self._other_fields is None:
            self._other_fields = []
        self._other_fields.append(index.fields)

    def findings(self, trained: Side, tested: Side) -> Iterator[Finding]:
        """What was found, as findings on the training file."""
        if self._runs is not None:
            yield from self._of_runs(trained, tested)
        if self._near is not None:
            yield from self._of_near(trained, tested)
        if self._fields is not None:
            yield from self._of_fields([self._fields.fields], self._small, trained, tested)
        elif self._other_fields:
            large = trained if self._tested else tested
            yield from self._of_fields(self._other_fields, large, trained, tested)

    def _of_runs(self, trained: Side, tested: Side) -> Iterator[Finding]:
        said = f"rows that share a run of {self._asked.run} tokens with a training row"
        if self._tested:
            twins = self._run_seen
        else:
            twins = np.concatenate([np.empty(0, np.int64), *self._run_hits])
        hits = np.flatnonzero(twins >= 0)
        if len(hits):
            examples = [
                tested.places.example(one).said(f"with {plain(trained.places.example(int(twins[one])).locator)}")
                for one in hits[:3].tolist()
            ]
            yield _found(RUN, trained, tested, len(hits), said, examples)

    def _of_near(self, trained: Side, tested: Side) -> Iterator[Finding]:
        digests, at = tested.folded.all()
        among, _ = trained.folded.all()
        equal = set(at[member(digests, among)].tolist()) if len(digests) and len(among) else set()
        hits = sorted(set(self._near_hits) - equal)
        if hits:
            examples = []
            for one in hits[:3]:
                twin, likeness = self._near_hits[one]
                said = f"{likeness:.2f} like {plain(trained.places.example(twin).locator)}"
                examples.append(tested.places.example(one).said(said))
            yield _found(NEAR, trained, tested, len(hits), "prompts with a near-duplicate in training", examples)

    def _of_fields(self, parts: Iterable[Any], mine: Side, trained: Side, tested: Side) -> Iterator[Finding]:
        """Counts rows of the side that has fields, whichever it is."""
        other = trained if mine is tested else tested
        by_name: dict[str, list[tuple[int, int]]] = {}
        whole: list[tuple[int, int]] = []
        first = total = 0
        for part in parts:
            for row, numbers in enumerate(part.rows):
                total += bool(numbers)
                for name, number in numbers.items():
                    if part.inside[number] >= 0:
                        by_name.setdefault(name, []).append((first + row, int(part.inside[number])))
                if part.whole[row] >= 0:
                    whole.append((first + row, int(part.whole[row])))
            first += len(part.rows)
        unit = "rows of " + mine.subject.name
        for name, hits in sorted(by_name.items()):
            if "L006" in self._asked.rules:
                said = f"the field {plain(name, 60)} stands whole inside texts of {other.subject.name}"
                yield self._field_finding(FIELD, hits, total, unit, said, mine, other, trained, tested)
        if whole and "L007" in self._asked.rules:
            said = f"all fields of a row stand in one text of {other.subject.name}"
            yield self._field_finding(ITEM, whole, total, unit, said, mine, other, trained, tested)

    def _field_finding(
        self, rule: Rule, hits: list[tuple[int, int]], total: int, unit: str, said: str,
        mine: Side, other: Side, trained: Side, tested: Side,
    ) -> Finding:  # fmt: skip
        examples = tuple(
            mine.places.example(row).said(f"in {plain(other.places.example(text).locator)}") for row, text in hits[:3]
        )
        return Finding(rule, trained.subject.name, len(hits), total, unit, said, examples, tested.subject.name)
