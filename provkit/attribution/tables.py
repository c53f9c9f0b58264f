"""The tables of a trace directory: their schemas, and their rows out of what was found."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from provkit.attribution.model import Candidate, Options, Traced
from provkit.index import Occurrence

if TYPE_CHECKING:
    from provkit.index import Index  # loads the search kernels

CONTEXT = 200  # characters around a match
KEPT = ("source", "row", "line", "build_id", "arm", "split", "row_id", "message", "role", "columns")

OUTPUTS = pa.schema(
    [
        ("output_id", pa.string()),
        ("number", pa.int64()),
        ("file", pa.string()),
        ("line", pa.int64()),
        ("text", pa.string()),
        ("tokens", pa.int64()),
        ("covered_tokens", pa.int64()),
        ("spans", pa.int64()),
    ]
)
SPANS = pa.schema(
    [
        ("output_id", pa.string()),
        ("span", pa.int64()),
        ("start", pa.int64()),
        ("end", pa.int64()),
        ("text", pa.string()),
        ("tokens", pa.int64()),
        ("count", pa.int64()),
        ("bci", pa.float64()),
        ("bci_density", pa.float64()),
        ("bci_percentile", pa.float64()),
        ("beyond_background", pa.bool_()),
        ("selected", pa.bool_()),
    ]
)
MATCHES = pa.schema(
    [
        ("output_id", pa.string()),
        ("span", pa.int64()),
        ("rank", pa.int64()),
        ("evidence", pa.float64()),
        ("bm25", pa.float64()),
        ("shard", pa.int64()),
        ("document", pa.int64()),
        ("doc_id", pa.string()),
        ("start", pa.int64()),
        ("end", pa.int64()),
        ("left", pa.string()),
        ("match", pa.string()),
        ("right", pa.string()),
        ("source", pa.string()),
        ("row", pa.int64()),
        ("line", pa.int64()),
        ("build_id", pa.string()),
        ("arm", pa.string()),
        ("split", pa.string()),
        ("row_id", pa.string()),
        ("message", pa.int64()),
        ("role", pa.string()),
        ("columns", pa.string()),
        ("policy", pa.string()),
        ("category", pa.string()),
        ("conflict", pa.float64()),
        ("nearest", pa.string()),
        ("output_policy", pa.string()),
        ("output_conflict", pa.float64()),
        ("output_nearest", pa.string()),
    ]
)
PARTS = {"outputs": OUTPUTS, "spans": SPANS, "matches": MATCHES}
FILES = {f"{name}.parquet" for name in PARTS}


def output_row(number: int, one: Traced) -> dict[str, Any]:
    """A row of outputs.parquet; `covered_tokens` counts the tokens that stand in a span."""
    covered = np.zeros(len(one.words.starts), bool)
    for span in one.spans:
        first, end = np.searchsorted(one.words.starts, [span.byte_start, span.byte_end])
        covered[first:end] = True
    return {
        "output_id": one.output.output_id,
        "number": number,
        "file": one.output.file,
        "line": one.output.line,
        "text": one.output.text,
        "tokens": len(covered),
        "covered_tokens": int(covered.sum()),
        "spans": len(one.spans),
    }


def span_rows(one: Traced) -> list[dict[str, Any]]:
    """The rows of spans.parquet for one output."""
    return [
        {
            "output_id": one.output.output_id,
            "span": n,
            "start": span.start,
            "end": span.end,
            "text": one.output.text[span.start : span.end],
            "tokens": span.tokens,
            "count": span.count,
            "bci": bci.bci,
            "bci_density": bci.bci_density,
            "bci_percentile": bci.bci_percentile,
            "beyond_background": bci.beyond_background,
            "selected": mark,
        }
        for n, (span, bci, mark) in enumerate(zip(one.spans, one.bci, one.selected, strict=True))
    ]


def matches(index: Index, traced: Sequence[Traced], options: Options) -> pa.Table:
    """A line for each span and each of its documents, best documents first."""
    rows: list[dict[str, Any]] = []
    for one in traced:
        left = dict.fromkeys(range(len(one.spans)), options.documents)
        for rank, document in enumerate(one.documents, 1):
            for n, place in sorted(document.places.items()):
                if left[n] > 0:
                    left[n] -= 1
                    rows.append(_match(index, one, n, rank, document, place))
    by_shard: dict[int, list[int]] = defaultdict(list)
    for at, row in enumerate(rows):
        by_shard[row["shard"]].append(at)
    for shard, places in by_shard.items():
        known = set(index.documents(shard, [0], None).column_names) if places else set()
        columns = [name for name in KEPT if name in known]
        if not columns:
            continue
        facts = index.documents(shard, [rows[at]["document"] for at in places], columns).to_pylist()
        for at, fact in zip(places, facts, strict=True):
            rows[at] |= fact
    return pa.Table.from_pylist(rows, schema=MATCHES)


def _match(index: Index, one: Traced, n: int, rank: int, document: Candidate, place: Occurrence) -> dict[str, Any]:
    around = index.context(place, CONTEXT)
    verdict, own = document.verdicts.get(n), one.verdicts.get(n)
    return {
        "output_id": one.output.output_id,
        "span": n,
        "rank": rank,
        "evidence": document.evidence,
        "bm25": document.bm25,
        "shard": place.shard,
        "document": place.document,
        "doc_id": place.doc_id,
        "start": place.start,
        "end": place.end,
        "left": around.left,
        "match": around.match,
        "right": around.right,
        "policy": verdict.policy if verdict else None,
        "category": verdict.category if verdict else None,
        "conflict": verdict.score if verdict else None,
        "nearest": verdict.nearest if verdict else None,
        "output_policy": own.policy if own else None,
        "output_conflict": own.score if own else None,
        "output_nearest": own.nearest if own else None,
    }
