"""Which stretches of the corpus Prov-Decode must not write: those of a list, or those whose scores reach a rule."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from provkit.attribution.model import Conflicts
from provkit.attribution.trace import sentences
from provkit.defences.shield import DOCUMENTS, Rule
from provkit.errors import ProvkitError
from provkit.index import Bci, Index
from provkit.index.unigram import joined_lower
from provkit.index.words import Classes, Tokens, joined, tokenise

SLACK = 1e-6  # of a BCI: sums in another order differ by less


class Veto(Protocol):
    """Says which stretches are vetoed; the answer may depend on the stretch alone.

    Attributes:
        min_tokens: shorter stretches are never vetoed; at least 1.
    """

    @property
    def min_tokens(self) -> int:
        """The fewest words of a stretch that is asked about."""

    def any_of(self, stretches: Sequence[str]) -> Sequence[bool]:
        """For each stretch whether it, or an end of it with `min_tokens` words or more, is vetoed.

        All of them stand in the corpus, beginning and ending with a word, and so do their ends.
        """


class ListedSpans:
    """Vetoes the spans of a list. A text that the corpus does not hold is no span, and is not looked for.

    Args:
        spans: texts; white space around them is left off.
        index: whose words are counted.
    """

    def __init__(self, index: Index, spans: Iterable[str]) -> None:
        self._classes = index.classes
        self._spans = {span.strip() for span in spans} - {""}
        tokens = _tokens(sorted(self._spans), self._classes)
        self._sizes = set(np.diff(tokens.first).tolist())
        self.min_tokens = min(self._sizes, default=2**31)

    def any_of(self, stretches: Sequence[str]) -> list[bool]:
        """For each stretch whether it ends in a span of the list."""
        found = []
        tokens = _tokens(stretches, self._classes)
        for stretch, begin, first, behind in _rows(stretches, tokens):
            text = stretch.encode()
            starts = (tokens.starts[first:behind] - begin).tolist()
            ends = (text[starts[-size] :].decode() for size in self._sizes if size <= len(starts))
            found.append(any(end in self._spans for end in ends))
        return found


class ScoredSpans:
    """Vetoes spans whose scores reach a rule.

    The score is the BCI percentile (or, under a rule with `tau`, the BCI), and with policies also the largest belief
    conflict of the training text around the span. The text that is being written has no say: it is not complete.

    Args:
        index: the training corpus.
        rule: percentile, conflict and fewest words.
        conflicts: the policies; without them the BCI part of the rule decides alone.

    Raises:
        ProvkitError: when the index is too small for percentiles.
    """

    def __init__(self, index: Index, rule: Rule, conflicts: Conflicts | None = None) -> None:
        if rule.tau is None and math.isnan(index.percentile(rule.min_tokens, 0.0).value):
            do = "give a rule with tau, which needs none, or a list of spans"
            raise ProvkitError(f"{index.path} is too small for BCI percentiles\n  {do}")
        self.rule = rule
        self.min_tokens = max(rule.min_tokens, 1)
        self._index = index
        self._conflicts = conflicts
        self._lowest: list[float] = []

    def any_of(self, stretches: Sequence[str]) -> list[bool]:
        """For each stretch whether an end of it reaches the rule."""
        rare = self._rare(stretches)
        if self._conflicts is None:
            return [bool(ends) for ends in rare]
        wanted = list(dict.fromkeys(end for ends in rare for end in ends))
        against = {end for end, yes in zip(wanted, self._against(wanted), strict=True) if yes}
        return [any(end in against for end in ends) for ends in rare]

    def _rare(self, stretches: Sequence[str]) -> list[list[str]]:
        """Of each stretch the ends that pass the BCI part of the rule; without policies one of them."""
        tokens = _tokens(stretches, self._index.classes)
        sizes = tokens.ends - tokens.starts
        spots = tokens.starts.astype(np.uint64) << np.uint64(32) | sizes.astype(np.uint64)
        unigram = self._index.unigram
        surprise = unigram.surprise(unigram.counts_of_joined(joined_lower(tokens.buffer, spots)))
        found = []
        for stretch, begin, first, behind in _rows(stretches, tokens):
            totals = np.cumsum(surprise[first:behind][::-1])  # of the last token, the last two, ...
            text, ends = stretch.encode(), []
            for at in np.flatnonzero(totals >= self._cutoffs(len(totals))).tolist():
                if self._reaches(at + 1, float(totals[at])):
                    ends.append(text[int(tokens.starts[behind - 1 - at]) - begin :].decode())
                    if self._conflicts is None:
                        break  # one is enough
            found.append(ends)
        return found

    def _reaches(self, tokens: int, bci: float) -> bool:
        """Whether so many tokens of such a BCI, all of which the corpus has, pass the BCI part of the rule."""
        rank = self._index.percentile(tokens, bci)
        return self.rule.rare(Bci(bci, tokens, 0, bci / tokens, rank.value, rank.beyond))

    def _cutoffs(self, tokens: int) -> NDArray[np.float64]:
        """For 1, 2, ... tokens a BCI just below which none passes: percentiles are dear, and few stretches need one."""
        while len(self._lowest) < tokens:
            number = len(self._lowest) + 1
            low, high = 0.0, number * (self._index.unigram.floor + 1)
            if number < self.min_tokens or not self._reaches(number, high):
                self._lowest.append(math.inf)
                continue
            while high - low > SLACK * (high + 1):
                middle = (low + high) / 2
                low, high = (low, middle) if self._reaches(number, middle) else (middle, high)
            self._lowest.append(low - SLACK * (high + 1))
        return np.array(self._lowest[:tokens])

    def _against(self, spans: Sequence[str]) -> list[bool]:
        """For each span whether a document that holds it stands against a policy, around the span."""
        assert self._conflicts is not None
        places = self._index.find_many(spans, DOCUMENTS)
        windows = [
            [sentences(self._index.text(place.shard, place.document), place.start, place.end) for place in here]
            for here in places
        ]
        distinct = list(dict.fromkeys(window for several in windows for window in several))
        verdicts = dict(zip(distinct, self._conflicts.of(distinct), strict=True))
        return [any(self.rule.against(verdicts[window]) for window in several) for several in windows]


def _tokens(texts: Sequence[str], classes: Classes) -> Tokens:
    return tokenise(*joined([text.encode() for text in texts]), classes)


def _rows(texts: Sequence[str], tokens: Tokens) -> Iterable[tuple[str, int, int, int]]:
    """Each text with where it begins in the buffer, its first token, and the one behind its last."""
    bounds = tokens.first.tolist()
    return zip(texts, tokens.begins.tolist(), bounds, bounds[1:], strict=False)
