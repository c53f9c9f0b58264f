"""What a trace looks for, and what it finds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol

from provkit.attribution.outputs import Output
from provkit.index import Bci, Occurrence, Span

if TYPE_CHECKING:
    from provkit.attribution.words import Words  # loads the search kernels

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
