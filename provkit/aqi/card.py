"""What the card of a labelled set says of its confounds: the audit of a build, with the two baselines behind it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from provkit.audit import audit_build
from provkit.manifest import Output
from provkit.recipe import Recipe

NEEDED = {"input", "axiom", "safety_label"}


def audited(folder: Path, outputs: Sequence[Output], recipe: Recipe) -> Mapping[str, Any]:
    """`audit_build`, and for rows with a safety label how well length and words alone tell it, as `confounds`."""
    report = audit_build(folder, outputs, recipe)
    data = [out for out in outputs if out.arm is not None]
    if not data or not all(set(pq.read_schema(folder / out.file).names) >= NEEDED for out in data):
        return report
    return {**report, "confounds": _confounds(folder, data)}


def _confounds(folder: Path, data: Sequence[Output]) -> list[dict[str, Any]]:
    from provkit.aqi.confounds import baselines
    from provkit.aqi.rows import labelled
    from provkit.errors import InputError

    each = [
        (f"{out.arm}/{out.split}/{at}", row)
        for out in data
        for at, row in enumerate(pq.read_table(folder / out.file).to_pylist())
    ]
    try:
        rows = labelled(folder.name, each)
    except InputError:  # a column of this name that holds something else
        return []
    length, words = baselines(rows.texts, rows.label, rows.cluster)
    return [
        {"from": name, "auc": value, "rows": len(rows), "held_out": rows.clustered_by}
        for name, value in (("length", length), ("a bag of words", words))
        if value is not None
    ]
