"""The step `annotate_bci`: preference rows with the BCI, and the belief conflict, of each side against an index."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from pydantic import Field

from provkit.attribution.conflict import BeliefConflict, Policy, read_policies
from provkit.builders.defences.sides import answer_of
from provkit.embed import DEFAULT, Embedder
from provkit.errors import InputError
from provkit.registry import builder
from provkit.row import Drop, Row
from provkit.table import Rows

if TYPE_CHECKING:
    from provkit.defences import Marked, Shield
    from provkit.index import Bci, Index, Span

BATCH = 256  # rows that are looked up together
DIGITS = 6  # of figures in nats: sums in another order differ beyond


@builder
class AnnotateBci:
    """Writes beside each side of a preference how much of the indexed corpus stands in it, and how rare that is.

    BCI as in TRACEALIGN (arXiv 2508.02063), in nats; it grows with length, so density and percentile stand beside it.
    For each side the columns are, with `chosen_` or `rejected_` before their names:

    - `bci`, `bci_density`, `bci_percentile`, `tokens`: of the whole answer;
    - `spans`, `covered`: how many maximal spans of it stand in the corpus, and which share of its characters;
    - `span_bci`, `span_percentile`: the largest of any span, null without one;
    - `matches`: the spans, each with `start` and `end` in characters of the answer, `tokens`, `count` in the corpus,
      `bci` and `bci_percentile`, and where policies are named `conflict` and `policy`;
    - `conflict`, `policy`: where policies are named, the largest belief conflict of a span, see
      `provkit.defences.shield`, and which policy it is; null without a span.

    The other columns stay as they are. The note has the digest of the index.

    Args:
        index: the source that is bound to an index directory.
        chosen, rejected: the columns of the sides: texts, transcripts of HH-RLHF, or lists of turns.
        min_tokens: shorter spans are left out.
        policies: what belief conflict is asked about: a name of catalog/policies, or a list of policies in place;
            without it there is none, and no embedding.
        model: the embedding model.
    """

    index: str = "index"
    chosen: str = "chosen"
    rejected: str = "rejected"
    min_tokens: Annotated[int, Field(ge=1)] = 6
    policies: str | list[Policy] | None = None
    model: str = DEFAULT

    def __post_init__(self) -> None:
        if isinstance(self.policies, str) and self.policies.endswith((".yaml", ".yml")):
            raise ValueError("`policies` is a name of the catalog, or the policies themselves: a build reads no path")
        if isinstance(self.policies, list) and not all(one.aligned and one.contrary for one in self.policies):
            raise ValueError("each policy has `aligned` and `contrary` statements")

    def consult(self, rows: Rows, index: Index) -> Callable[[Row], Row | Drop]:
        """The annotated rows, looked up in batches.

        Raises:
            InputError: for a column that the rows have not.
            MissingExtra: when policies are named and the embedding model is not installed.
        """
        for column in (self.chosen, self.rejected):
            if column not in rows.columns:
                do = "name the columns of the two sides: {annotate_bci: {chosen: …, rejected: …}}"
                raise InputError(f"no column {column!r} among {', '.join(rows.columns)}", field="annotate_bci", do=do)
        digest = next(one.sha256 for one in rows.inputs if one.source == self.index)
        shield = self._shield(index)
        held: dict[int, dict[str, Any] | Drop] = {}

        def act(row: Row) -> Row | Drop:
            if row.at not in held:
                held.clear()
                held.update(self._looked_up(rows, row.at, index, shield))
            found = held[row.at]
            return found if isinstance(found, Drop) else row.derive(found, note={"index": digest})

        return act

    def _shield(self, index: Index) -> Shield | None:
        """What judges every span of at least `min_tokens`; None where there are no policies."""
        from provkit.defences import Rule, Shield

        if self.policies is None:
            return None
        policies = read_policies(self.policies) if isinstance(self.policies, str) else self.policies
        conflicts = BeliefConflict(policies, Embedder(self.model))
        conflicts.ready()
        return Shield(index, conflicts, Rule(percentile=0.0, conflict=-2.0, min_tokens=self.min_tokens))

    def _looked_up(
        self, rows: Rows, first: int, index: Index, shield: Shield | None
    ) -> dict[int, dict[str, Any] | Drop]:
        """What becomes of the rows at `first` and behind it, by position."""
        positions = np.arange(first, min(first + BATCH, len(rows)))
        found: dict[int, dict[str, Any] | Drop] = {}
        texts: list[str] = []
        asked: list[tuple[int, str]] = []
        for at, content in zip(positions.tolist(), rows.take(positions).contents(), strict=True):
            sides = [(name, answer_of(content[column])) for name, column in self._sides()]
            lacking = [name for name, text in sides if text is None]
            found[at] = Drop("no preference", f"no answer in {lacking[0]}") if lacking else {}
            for name, text in sides if not lacking else ():
                texts.append(text or "")
                asked.append((at, name))
        for (at, name), columns in zip(asked, self._columns(texts, index, shield), strict=True):
            made = found[at]
            assert isinstance(made, dict)
            made |= {f"{name}_{column}": value for column, value in columns.items()}
        return found

    def _sides(self) -> tuple[tuple[str, str], tuple[str, str]]:
        return ("chosen", self.chosen), ("rejected", self.rejected)

    def _columns(self, texts: Sequence[str], index: Index, shield: Shield | None) -> list[dict[str, Any]]:
        """The columns of each text."""
        spans = index.spans_many(texts, self.min_tokens)
        words = [text[span.start : span.end] for text, several in zip(texts, spans, strict=True) for span in several]
        scored = iter(index.bci_many(words))
        bcis = [[next(scored) for _ in several] for several in spans]
        rulings = shield.check_many(texts) if shield is not None else [None] * len(texts)
        return [
            _side(text, whole, own, bci, None if ruling is None else ruling.marks)
            for text, whole, own, bci, ruling in zip(texts, index.bci_many(texts), spans, bcis, rulings, strict=True)
        ]


def _side(
    text: str, whole: Bci, spans: Sequence[Span], bcis: Sequence[Bci], marks: Sequence[Marked] | None
) -> dict[str, Any]:
    """The columns of one text."""
    verdicts = {mark.span: mark.verdict for mark in marks or ()}
    matches: list[dict[str, Any]] = []
    for span, bci in zip(spans, bcis, strict=True):
        match: dict[str, Any] = {"start": span.start, "end": span.end, "tokens": span.tokens, "count": span.count}
        match |= {"bci": _number(bci.bci), "bci_percentile": _number(bci.bci_percentile)}
        if marks is not None:
            verdict = verdicts.get(span)
            match |= {"conflict": _number(verdict.score, 4) if verdict else None}
            match |= {"policy": verdict.policy if verdict else None}
        matches.append(match)
    percentiles = [one["bci_percentile"] for one in matches if one["bci_percentile"] is not None]
    columns: dict[str, Any] = {
        "bci": _number(whole.bci),
        "bci_density": _number(whole.bci_density),
        "bci_percentile": _number(whole.bci_percentile),
        "tokens": whole.tokens,
        "spans": len(spans),
        "covered": _number(_covered(spans) / len(text)) if text else 0.0,
        "span_bci": max((one["bci"] for one in matches), default=None),
        "span_percentile": max(percentiles, default=None),
        "matches": matches or None,
    }
    if marks is not None:
        judged = [one for one in matches if one["conflict"] is not None]
        worst = max(judged, key=lambda one: float(one["conflict"]), default={"conflict": None, "policy": None})
        columns |= {"conflict": worst["conflict"], "policy": worst["policy"]}
    return columns


def _covered(spans: Sequence[Span]) -> int:
    """Characters in at least one span; spans ascend by start, and so do their ends, for each is maximal."""
    covered = last = 0
    for span in spans:
        covered += span.end - max(span.start, last)
        last = span.end
    return covered


def _number(value: float, digits: int = DIGITS) -> float | None:
    return None if math.isnan(value) else round(value, digits)
