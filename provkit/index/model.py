"""What the index takes and gives: documents in, occurrences, spans and surprise out. Imports nothing heavy."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from provkit.markup import cut, table, tinted

RARE = (999, 99, 9, 1)  # a span that stands so often at most has level 1, 2, 3, 4 of five
IN_NOTEBOOK = 5_000, 50  # characters and spans that a notebook shows


class DamagedIndex(ValueError):
    """A file of an index is missing, cut, changed or holds what cannot be; the message names it."""


@dataclass(frozen=True, slots=True)
class Document:
    """One document to index: its text (bytes are UTF-8), and what documents.parquet is to keep about it."""

    text: str | bytes
    metadata: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a build is: bytes of text read, bytes in finished shards, finished shards."""

    read: int
    indexed: int
    shards: int


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One place where a text stands in the corpus.

    Attributes:
        shard: number of the shard.
        document: number of the document within the shard: its row in documents.parquet.
        doc_id: the document's id.
        start, end: in characters of the document.
        byte_start, byte_end: the same in UTF-8 bytes of the document.
    """

    shard: int
    document: int
    doc_id: str
    start: int
    end: int
    byte_start: int
    byte_end: int


@dataclass(frozen=True, slots=True)
class Context:
    """An occurrence with the text around it."""

    left: str
    match: str
    right: str


@dataclass(frozen=True, slots=True)
class Span:
    """A maximal span of an output.

    Attributes:
        start, end: in characters of the output.
        byte_start, byte_end: the same in UTF-8 bytes.
        tokens: how many tokens it has.
        count: how often it stands in the corpus, exactly.
    """

    start: int
    end: int
    byte_start: int
    byte_end: int
    tokens: int
    count: int


class Spans(list[Span]):
    """The maximal spans of one output by their start: a list that a notebook shows within the output.

    Attributes:
        text: the output.
    """

    __slots__ = ("text",)

    def __init__(self, spans: Iterable[Span] = (), text: str = "") -> None:
        super().__init__(spans)
        self.text = text

    def _repr_html_(self) -> str:
        characters, most = IN_NOTEBOOK
        shown = self.text[:characters]
        parts = cut(len(shown), [(one.start, one.end) for one in self], [-one.count for one in self])
        levels = [sum(one.count <= bound for bound in RARE) for one in self]
        titles = [f"{one.tokens:,} tokens, {one.count:,} times in the corpus" for one in self]
        rows = [(self.text[one.start : one.end], one.tokens, one.count) for one in self[:most]]
        said = [f"{len(self):,} spans"]
        said += [f"the first {most:,} listed"] if len(self) > most else []
        said += [f"the first {characters:,} of {len(self.text):,} characters shown"] * (len(self.text) > characters)
        listed = table(("span", "tokens", "in the corpus"), rows)
        return f"{tinted(shown, parts, levels, titles)}<p>{', '.join(said)}</p>{listed}"


@dataclass(frozen=True, slots=True)
class Percentile:
    """Rank of a BCI among corpus windows of the same token count.

    Attributes:
        value: 0 to 100, whole: two digits are what a sample of 20,000 supports. NaN where there is no background.
        beyond: the span is longer than the longest window; the value is then its density's rank among those.
    """

    value: float
    beyond: bool


@dataclass(frozen=True, slots=True)
class Bci:
    """The Belief Conflict Index of a text (TRACEALIGN, arXiv 2508.02063), in nats.

    Attributes:
        bci: minus the sum of ln P(token) over its tokens; grows with length.
        tokens: how many there are.
        unknown: how many of them do not occur in the corpus.
        bci_density: bci / tokens; NaN for none.
        bci_percentile: rank among corpus windows of the same length.
        beyond_background: the text is longer than the longest of them.
    """

    bci: float
    tokens: int
    unknown: int
    bci_density: float
    bci_percentile: float
    beyond_background: bool
