"""The step `select_hard`: the rows that a recorded baseline answered least like the reference."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from pydantic import Field

from provkit.chance import count_of
from provkit.registry import builder
from provkit.row import ANSWER_COLUMNS, Row, first_of
from provkit.table import Rows, Selection


@builder
class SelectHard:
    """Keeps the rows whose reference answer and recorded baseline answer have the lowest sentence BLEU.

    BLEU with effective order and exponential smoothing, tokenised as WMT does (sacrebleu's defaults; Papineni et al.
    2002; Post 2018, arXiv 1804.08771). Equal scores are ordered by the rows' numbers. A row without one of the two
    texts is dropped before the count.

    Args:
        baseline: the column with what a model answered.
        reference: the column with the reference; the row's answer where it is left out.
        count: how many rows to keep; give this or `share`.
        share: the share of the rows to keep, half a row rounded up.
    """

    baseline: str
    reference: str | None = None
    count: Annotated[int, Field(ge=0)] | None = None
    share: Annotated[float, Field(ge=0, le=1)] | None = None

    def __post_init__(self) -> None:
        if (self.count is None) == (self.share is None):
            raise ValueError("needs either `count` or `share`: how many rows to keep")

    def select(self, rows: Rows) -> Selection:
        """The hardest rows, in order; the detail of a row that is too easy has its BLEU."""
        from sacrebleu.metrics.bleu import BLEU

        metric = BLEU(effective_order=True)
        scores = np.full(len(rows), np.nan)
        for row in rows.rows():
            reference, baseline = self._reference(row), row.get(self.baseline)
            if isinstance(reference, str) and isinstance(baseline, str):
                scores[row.at] = metric.sentence_score(baseline, [reference]).score
        scored = np.flatnonzero(~np.isnan(scores))
        kept = count_of(self.share, len(scored)) if self.share is not None else self.count
        ranked = scored[np.lexsort((rows.numbers()[scored], scores[scored]))]
        order = np.sort(ranked[:kept])
        dropped = np.setdiff1d(np.arange(len(rows)), order)
        easy = scores[dropped].tolist()
        reasons = ["no baseline or reference" if score != score else "not hard" for score in easy]
        return Selection(order, dropped, reasons, ["" if score != score else f"BLEU {score:.1f}" for score in easy])

    def _reference(self, row: Row) -> object:
        if self.reference is not None:
            return row.get(self.reference)
        return row.answer if "messages" in row or first_of(ANSWER_COLUMNS, row) is not None else None
