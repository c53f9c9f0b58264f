"""Verdicts as tables: one row a rubric and pair, beside the pairs and the rubrics that they are about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
import pyarrow as pa

from provkit.rubrics.template import Rubric

VERDICTS = pa.schema(
    [
        ("rubric", pa.string()),  # the digest of its text
        ("dataset", pa.string()),
        ("row_key", pa.string()),
        ("straight", pa.string()),  # A, B, C or unparsed, as to the pair's own answers; null: not asked in this order
        ("swapped", pa.string()),  # the same where the second answer was shown first
        ("straight_request", pa.string()),
        ("swapped_request", pa.string()),
    ]
)
PAIRS = pa.schema(
    [
        ("dataset", pa.string()),
        ("row_key", pa.string()),
        ("label", pa.string()),  # A or B; null where nobody said
        ("category", pa.string()),
        ("question", pa.string()),
        ("answer_a", pa.string()),
        ("answer_b", pa.string()),
    ]
)
RUBRICS = pa.schema(
    [
        ("rubric", pa.string()),
        ("rubric_id", pa.string()),
        ("is_seed", pa.bool_()),
        ("text", pa.string()),
        ("file", pa.string()),
        ("parent_id", pa.string()),
        ("generation", pa.int64()),
        ("operators", pa.list_(pa.string())),
        ("edits", pa.string()),  # JSON: what replays the variant from its seed
        ("adversarial", pa.bool_()),
    ]
)
UNPARSED = pa.schema(
    [
        ("rubric", pa.string()),
        ("dataset", pa.string()),
        ("row_key", pa.string()),
        ("shown", pa.string()),  # straight or swapped
        ("output", pa.string()),  # the end of what the judge wrote, or why there is no answer
    ]
)


@dataclass(frozen=True, slots=True)
class Verdicts:
    """Verdicts of one judge: the schemas VERDICTS, PAIRS, RUBRICS and UNPARSED, and who judged."""

    name: str
    rows: pa.Table
    pairs: pa.Table
    rubrics: pa.Table
    judge: dict[str, Any]
    unparsed: pa.Table = field(default_factory=UNPARSED.empty_table)

    @property
    def datasets(self) -> list[str]:
        """The names of the sets of pairs, in order."""
        return list(dict.fromkeys(self.pairs.column("dataset").to_pylist()))


def rubrics_table(rubrics: Sequence[Rubric], seed: Rubric) -> pa.Table:
    """Rubrics as the schema RUBRICS; what lineage says of a variant's edits goes with it."""
    rows = []
    for one in rubrics:
        said = one.lineage
        edits = said.get("edits") or []
        rows.append(
            {
                "rubric": one.digest,
                "rubric_id": one.rubric_id,
                "is_seed": one.digest == seed.digest,
                "text": one.text,
                "file": one.file,
                "parent_id": said.get("parent_id"),
                "generation": said.get("generation"),
                "operators": [edit["operator"] for edit in edits],
                "edits": orjson.dumps(edits).decode() if edits else None,
                "adversarial": said.get("op") == "adversarial",
            }
        )
    return pa.Table.from_pylist(rows, schema=RUBRICS)
