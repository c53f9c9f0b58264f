"""What a trace looks for, and what it finds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING, Literal, Protocol

from provkit.attribution.outputs import Output
from provkit.index import Bci, Occurrence, Span
from provkit.index.model import IN_NOTEBOOK
from provkit.markup import cut, table, tinted, visible

if TYPE_CHECKING:
    from provkit.attribution.words import Words  # loads the search kernels

TELLING = (50.0, 80.0, 95.0, 99.0)  # a span of this BCI percentile has level 1, 2, 3, 4 of five
MOST_CANDIDATES = 10  # times as many documents are looked at as are asked for

Rank = Literal["evidence", "bm25", "conflict", "bci"]


@dataclass(frozen=True, slots=True)
class Options:
    """What a trace looks for.

    Attributes:
        field: the outputs' text column; None: the usual one.
        min_tokens: spans of fewer tokens are left out.
        select: `all` spans, or the `rarest`: the ceil(0.05 L) of lowest unigram probability, L the output's tokens
            (OLMoTrace, arXiv 2504.07096).
        max_count: spans that occur more often are left out; None: no limit. It would hide a templated set.
        documents: so many documents a span; a seeded sample of ten times as many is ranked where there are more.
        rank: what documents are ordered by first.
        seed: of the samples.
    """

    field: str | None = None
    min_tokens: int = 6
    select: Literal["all", "rarest"] = "all"
    max_count: int | None = None
    documents: int = 10
    rank: Rank = "evidence"
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Verdict:
    """The policy that a text stands most against, with the score and the statement nearest to the text."""

    policy: str
    category: str
    score: float
    nearest: str


class Conflicts(Protocol):
    """Something that knows policies: belief conflict of texts."""

    @property
    def name(self) -> str:
        """What the policies and the model are called, for trace.json."""

    def of(self, texts: Sequence[str]) -> list[Verdict]:
        """The verdict on each text."""


@dataclass(slots=True)
class Candidate:
    """A document that holds spans of an output: where each span stands in it, and its scores."""

    shard: int
    document: int
    doc_id: str
    places: dict[int, Occurrence]
    evidence: float = 0.0
    bm25: float = 0.0
    bci: float = 0.0
    verdicts: dict[int, Verdict] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Traced:
    """One output with what was found for it; `selected` says which spans documents were looked up for."""

    output: Output
    words: Words
    spans: list[Span]
    bci: list[Bci]
    selected: list[bool]
    documents: list[Candidate]
    verdicts: dict[int, Verdict]

    def _repr_html_(self) -> str:
        """The output with its spans, tinted by their BCI percentile, and the best document of each."""
        text, known = self.output.text[: IN_NOTEBOOK[0]], [bci.bci_percentile for bci in self.bci]
        scores = [-math.inf if math.isnan(one) else one for one in known]
        levels = [sum(one >= bound for bound in TELLING) for one in scores]
        rows = []
        for n, (span, bci) in enumerate(zip(self.spans, self.bci, strict=True)):
            best = next((one for one in self.documents if n in one.places), None)
            verdict = best.verdicts.get(n) if best else None
            shown = self.output.text[span.start : span.end]
            policy = f"{verdict.policy} ({verdict.score:.2f})" if verdict else None
            rows.append((shown, span.tokens, span.count, bci.bci_percentile, best.doc_id if best else None, policy))
        parts = cut(len(text), [(one.start, one.end) for one in self.spans], scores)
        names = ("span", "tokens", "in the corpus", "BCI percentile", "best document", "policy")
        titles = [f"BCI percentile {one:g}" for one in known]
        listed = table(names, rows[: IN_NOTEBOOK[1]])
        return f"<p>{escape(visible(self.output.output_id))}</p>{tinted(text, parts, levels, titles)}{listed}"
