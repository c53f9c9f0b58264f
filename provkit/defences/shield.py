"""TraceShield: holds back a text that repeats training text which stands against an aligned belief."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from provkit.attribution.model import Conflicts, Verdict
from provkit.attribution.trace import sentences
from provkit.errors import ProvkitError
from provkit.index import Bci, Context, Index, Occurrence, Span

DOCUMENTS = 3  # looked at for each span


@dataclass(frozen=True, slots=True)
class Rule:
    """When a span is held against a text.

    Attributes:
        percentile: its BCI ranks at least here among stretches of the corpus of its length, 0 to 100.
        conflict: and its belief conflict is at least this, in [-2, 2].
        tau: in place of both, the rule of TRACEALIGN: its BCI is above tau (20 in the paper). BCI grows with length, so
            it refuses any long verbatim copy, a licence text too.
        min_tokens: shorter spans are not looked at.
    """

    percentile: float = 0.0
    conflict: float = 0.1
    tau: float | None = None
    min_tokens: int = 6

    def rare(self, bci: Bci) -> bool:
        """Whether a span passes the part of the rule that needs no embedding."""
        if self.tau is not None:
            return bci.bci > self.tau
        return not math.isnan(bci.bci_percentile) and bci.bci_percentile >= self.percentile

    def against(self, verdict: Verdict | None) -> bool:
        """Whether a rare span passes the rest of it."""
        return self.tau is not None or (verdict is not None and verdict.score >= self.conflict)


@dataclass(frozen=True, slots=True)
class Held:
    """A document that holds a span: where, the text around it, and the belief that it stands against."""

    place: Occurrence
    context: Context
    verdict: Verdict | None


@dataclass(frozen=True, slots=True)
class Marked:
    """A span of a text that passed the BCI part of the rule.

    Attributes:
        span, text, bci: the span, its words, and how rare they are.
        verdict: the conflict that counts: the smaller of that of the text's own sentence and the largest of a document
            that holds it. So a sentence that only quotes, and a document that shares ordinary words, do not count.
        refused: whether it is held against the text.
        documents: where it stands, for refused spans.
    """

    span: Span
    text: str
    bci: Bci
    verdict: Verdict | None
    refused: bool
    documents: tuple[Held, ...]


@dataclass(frozen=True, slots=True)
class Ruling:
    """What the shield says of a text."""

    refused: bool
    marks: tuple[Marked, ...]


class Shield:
    """Checks texts against an index under a rule.

    Args:
        index: the training corpus.
        conflicts: the policies, as `provkit.attribution.conflict.BeliefConflict`; None only under a rule with `tau`.
        rule: what is held against a text.

    Raises:
        ProvkitError: when the rule needs policies and there are none.
    """

    def __init__(self, index: Index, conflicts: Conflicts | None = None, rule: Rule | None = None) -> None:
        self.index = index
        self.conflicts = conflicts
        self.rule = rule or Rule()
        if conflicts is None and self.rule.tau is None:
            do = "give policies, or a rule with tau, which asks BCI alone"
            raise ProvkitError(f"a rule of belief conflict needs policies\n  {do}")

    def check(self, text: str) -> Ruling:
        """The ruling on one text."""
        return self.check_many([text])[0]

    def check_many(self, texts: Sequence[str]) -> list[Ruling]:
        """`check` of each text; spans are searched on all processors, and each sentence is embedded once."""
        spans = self.index.spans_many(texts, self.rule.min_tokens)
        flat = [(number, span) for number, several in enumerate(spans) for span in several]
        scored = self.index.bci_many([texts[number][span.start : span.end] for number, span in flat])
        rare = [(number, span, bci) for (number, span), bci in zip(flat, scored, strict=True) if self.rule.rare(bci)]
        places = self.index.find_many([texts[number][span.start : span.end] for number, span, _ in rare], DOCUMENTS)
        judged = self._judged(texts, rare, places)
        marks: list[list[Marked]] = [[] for _ in texts]
        for (number, span, bci), here, (verdict, others) in zip(rare, places, judged, strict=True):
            refused = self.rule.against(verdict)
            held = [Held(p, self.index.context(p), v) for p, v in zip(here, others, strict=True)] if refused else []
            marks[number].append(Marked(span, texts[number][span.start : span.end], bci, verdict, refused, tuple(held)))
        return [Ruling(any(mark.refused for mark in several), tuple(several)) for several in marks]

    def _judged(
        self, texts: Sequence[str], rare: Sequence[tuple[int, Span, Bci]], places: Sequence[Sequence[Occurrence]]
    ) -> list[tuple[Verdict | None, list[Verdict | None]]]:
        """Of each span the verdict that counts, and that of each document."""
        if self.conflicts is None:
            return [(None, [None] * len(here)) for here in places]
        own = [sentences(texts[number], span.start, span.end) for number, span, _ in rare]
        others = [[self._window(place) for place in here] for here in places]
        windows = list(dict.fromkeys([*own, *(window for several in others for window in several)]))
        verdicts = dict(zip(windows, self.conflicts.of(windows), strict=True))
        found: list[tuple[Verdict | None, list[Verdict | None]]] = []
        for sentence, several in zip(own, others, strict=True):
            there: list[Verdict | None] = [verdicts[window] for window in several]
            strongest = max((verdicts[window] for window in several), key=lambda verdict: verdict.score, default=None)
            least = None if strongest is None else min(strongest, verdicts[sentence], key=lambda verdict: verdict.score)
            found.append((least, there))
        return found

    def _window(self, place: Occurrence) -> str:
        return sentences(self.index.text(place.shard, place.document), place.start, place.end)
