"""Which documents an output most likely repeats: span evidence and BM25."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from provkit.attribution.words import Words
from provkit.index import Index, Span

K1, B = 1.2, 0.75


@dataclass(frozen=True, slots=True)
class Corpus:
    """What BM25 needs to know of an index: documents, their mean length in tokens, and each token's idf.

    The index counts tokens, not documents that hold them; document frequency is estimated as
    N (1 - exp(-count / N)), which is what it would be if tokens fell on N documents at random (ours).
    """

    documents: int
    mean_length: float
    idf: NDArray[np.float64]

    @classmethod
    def of(cls, index: Index) -> Corpus:
        """Of an open index."""
        number = max(index.manifest.documents, 1)
        held = number * -np.expm1(-index.unigram.counts / number)
        idf = np.log1p((number - held + 0.5) / (held + 0.5))
        return cls(number, max(index.unigram.total / number, 1.0), np.append(0.0, idf))


def evidence(words: Words, spans: Sequence[Span], held: Sequence[int], documents: int) -> float:
    """Span evidence of a document for an output, in nats (ours).

    The output tokens that the document covers, each weighted by ln(1 + documents / count) of its span: the inverse of
    the span's count, on the scale of information, as idf. (The bare inverse lets five tokens that stand once outweigh
    fifty that a set of templated rows shares: benchmarks/attribution.py.) A token in several spans takes the largest
    weight.

    Args:
        words: tokens of the output.
        spans: its maximal spans.
        held: which of the spans the document holds.
        documents: how many there are in the corpus.
    """
    weights = np.zeros(len(words.starts))
    for at in held:
        span = spans[at]
        first = int(np.searchsorted(words.starts, span.byte_start))
        end = int(np.searchsorted(words.starts, span.byte_end))
        np.maximum(weights[first:end], np.log1p(documents / max(span.count, 1)), out=weights[first:end])
    return float(weights.sum())


def bm25(output: Words, documents: Sequence[Words], corpus: Corpus) -> NDArray[np.float64]:
    """BM25 of documents against an output: shape (documents,).

    Robertson and Zaragoza 2009, k1 = 1.2, b = 0.75; the output's distinct tokens are the query.
    """
    asked = np.unique(output.numbers[output.numbers > 0])
    scores = np.zeros(len(documents))
    for at, document in enumerate(documents):
        place = np.searchsorted(asked, document.numbers)
        place[place == len(asked)] = 0
        hit = asked[place] == document.numbers if len(asked) else np.zeros(0, bool)
        counts = np.bincount(place[hit], minlength=len(asked)) if len(asked) else np.zeros(0)
        norm = K1 * (1 - B + B * len(document.numbers) / corpus.mean_length)
        scores[at] = float((corpus.idf[asked] * counts * (K1 + 1) / (counts + norm)).sum())
    return scores
