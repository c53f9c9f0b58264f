"""Asks a judge what each principle prefers, and writes it down as recorded preferences have it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from provkit.discretion.principles import Principles
from provkit.rubrics.judges import Asked, Judge, Said
from provkit.rubrics.pairs import Pair, Read
from provkit.rubrics.verdict import SWAPPED

SCHEMA = pa.schema(
    [
        ("row_id", pa.string()),  # the row key of the pair
        ("principle_id", pa.string()),
        ("order", pa.int8()),  # 1 where the second answer was shown first
        ("prob_A", pa.float64()),  # of the answer that was shown first
        ("prob_B", pa.float64()),
        ("prob_NA", pa.float64()),
        ("label", pa.string()),  # of the pair: the annotator that came with it
        ("verdict", pa.string()),  # as it was said; unparsed counts as NA
        ("request", pa.string()),
    ]
)
SURE = {"A": (1.0, 0.0, 0.0), "B": (0.0, 1.0, 0.0)}  # a verdict is no distribution: all of it lies on one
BATCH = 8192


def collect(
    judge: Judge, principles: Principles, pairs: Read, out: Path, progress: Callable[[int, int], None] = lambda *_: None
) -> int:
    """Judges each pair under each principle in both orders and writes Parquet; returns how many were unparsed."""
    rubrics = principles.rubrics()
    total, done, unparsed = 2 * len(rubrics) * len(pairs.pairs), 0, 0
    rows: list[dict[str, Any]] = []
    with pq.ParquetWriter(out, SCHEMA, compression="zstd") as file:

        def heard(asked: Asked, said: Said) -> None:
            nonlocal done, unparsed
            shown = SWAPPED[said.verdict] if asked.swapped else said.verdict
            rows.append(_row(asked.pair, asked.rubric.rubric_id, asked.swapped, shown, said.request))
            unparsed += shown == "unparsed"
            done += 1
            if len(rows) == BATCH or done == total:
                file.write_table(pa.Table.from_pylist(rows, schema=SCHEMA))
                rows.clear()
            if done % 64 == 0 or done == total:
                progress(done, total)

        def wanted() -> Iterator[Asked]:
            for pair in pairs.pairs:
                for rubric in rubrics:
                    yield from (Asked(rubric, pairs.dataset, pair, swapped) for swapped in (False, True))

        judge.judge(wanted(), heard)
    return unparsed


def _row(pair: Pair, principle: str, swapped: bool, shown: str, request: str | None) -> dict[str, Any]:
    a, b, none = SURE.get(shown, (0.0, 0.0, 1.0))
    return {
        "row_id": pair.row_key,
        "principle_id": principle,
        "order": int(swapped),
        "prob_A": a,
        "prob_B": b,
        "prob_NA": none,
        "label": pair.label,
        "verdict": shown,
        "request": request,
    }
