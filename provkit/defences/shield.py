"""TraceShield: holds back a text that repeats training text which stands against an aligned belief."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from provkit.attribution.model import Conflicts, Verdict
from provkit.attribution.trace import sentences
from provkit.errors import ProvkitError
from provkit.index import Bci, Context, Index, Occurrence, Span

DOCUMENTS = 3  # looked at for each span
SURROGATE = re.compile("[\ud800-\udfff]")  # half a character: JSON can bring one, no corpus holds one


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
            Where the sentence alone keeps below the rule, no document is asked, and the verdict is the sentence's.
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
        texts = [SURROGATE.sub("\ufffd", text) for text in texts]
        spans = self.index.spans_many(texts, self.rule.min_tokens)
        flat = [(number, span) for number, several in enumerate(spans) for span in several]
        scored = self.index.bci_many([texts[number][span.start : span.end] for number, span in flat])
        rare = [(number, span, bci) for (number, span), bci in zip(flat, scored, strict=True) if self.rule.rare(bci)]
        words = [texts[number][span.start : span.end] for number, span, _ in rare]
        own = self._verdicts([sentences(texts[number], span.start, span.end) for number, span, _ in rare])
        asked = [at for at, verdict in enumerate(own) if verdict is None or self.rule.against(verdict)]
        held = dict(zip(asked, self._held([words[at] for at in asked]), strict=True))
        marks: list[list[Marked]] = [[] for _ in texts]
        for at, (number, span, bci) in enumerate(rare):
            there = held.get(at, [])
            verdict = _lesser(own[at], [verdict for _, verdict in there]) if at in held else own[at]
            refused = at in held and self.rule.against(verdict)
            shown = [Held(place, self.index.context(place), one) for place, one in there] if refused else []
            marks[number].append(Marked(span, words[at], bci, verdict, refused, tuple(shown)))
        return [Ruling(any(mark.refused for mark in several), tuple(several)) for several in marks]

    def _held(self, words: Sequence[str]) -> list[list[tuple[Occurrence, Verdict | None]]]:
        """Of each span the documents that hold it, each with the verdict on what it says around it."""
        places = self.index.find_many(words, DOCUMENTS)
        if self.conflicts is None:
            return [[(place, None) for place in here] for here in places]
        verdicts = iter(self._verdicts([self._window(place) for here in places for place in here]))
        return [[(place, next(verdicts)) for place in here] for here in places]

    def _verdicts(self, windows: Sequence[str]) -> list[Verdict | None]:
        """The verdict on each window; None without policies."""
        if self.conflicts is None or not windows:
            return [None] * len(windows)
        distinct = list(dict.fromkeys(windows))
        known = dict(zip(distinct, self.conflicts.of(distinct), strict=True))
        return [known[window] for window in windows]

    def _window(self, place: Occurrence) -> str:
        return sentences(self.index.text(place.shard, place.document), place.start, place.end)


def _lesser(own: Verdict | None, there: Sequence[Verdict | None]) -> Verdict | None:
    """The smaller of a sentence's verdict and the largest of the documents'."""
    said = [verdict for verdict in there if verdict is not None]
    if own is None or not said:
        return None
    return min(max(said, key=lambda verdict: verdict.score), own, key=lambda verdict: verdict.score)
