"""The tables of a report directory: their schemas, and their rows out of a report."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np
import pyarrow as pa

from provkit.aqi.model import Figure, Report

INTERVALS = ("separation", "chi", "xbi", "aqi_sum", "davies_bouldin")
FIGURES = pa.schema(
    [
        ("layer", pa.string()),
        ("position", pa.int64()),
        ("axiom", pa.string()),
        ("rows", pa.int64()),
        ("safe", pa.int64()),
        ("unsafe", pa.int64()),
        ("separation", pa.float64()),
        ("separation_low", pa.float64()),
        ("separation_high", pa.float64()),
        ("corrected", pa.float64()),
        ("null", pa.float64()),
        ("p", pa.float64()),
        ("chi", pa.float64()),
        ("chi_low", pa.float64()),
        ("chi_high", pa.float64()),
        ("xbi", pa.float64()),
        ("xbi_low", pa.float64()),
        ("xbi_high", pa.float64()),
        ("aqi_sum", pa.float64()),
        ("aqi_sum_low", pa.float64()),
        ("aqi_sum_high", pa.float64()),
        ("aqi_product", pa.float64()),
        ("davies_bouldin", pa.float64()),
        ("davies_bouldin_low", pa.float64()),
        ("davies_bouldin_high", pa.float64()),
        ("dunn", pa.float64()),
        ("silhouette", pa.float64()),
        ("length_auc", pa.float64()),
        ("words_auc", pa.float64()),
    ]
)
PROBES = pa.schema(
    [
        ("layer", pa.string()),
        ("position", pa.int64()),
        ("by", pa.string()),
        ("held_out", pa.string()),
        ("trained", pa.int64()),
        ("rows", pa.int64()),
        ("auc", pa.float64()),
        ("control", pa.float64()),
        ("control_most", pa.float64()),
    ]
)
ROWS = pa.schema(
    [
        ("row", pa.int64()),
        ("key", pa.string()),
        ("row_id", pa.string()),
        ("pair_id", pa.string()),
        ("axiom", pa.string()),
        ("safety_label", pa.string()),
        ("source_dataset", pa.string()),
        ("score", pa.float64()),
        ("x", pa.float64()),
        ("y", pa.float64()),
        ("excerpt", pa.string()),
    ]
)
DRAWS = pa.schema(
    [
        ("layer", pa.string()),
        ("position", pa.int64()),
        ("axiom", pa.string()),
        ("separation", pa.list_(pa.float64())),
    ]
)


def tables(report: Report) -> dict[str, pa.Table]:
    """The tables of a report by the name of their file; NaN stands as null."""
    return {
        "figures": _table([figure_row(one) for one in report.figures], FIGURES),
        "probes": _table([asdict(one) for one in report.probes], PROBES),
        "rows": _table([asdict(one) for one in report.placed], ROWS),
        "draws": _table([asdict(one) for one in report.draws], DRAWS),
    }


def figure_row(one: Figure) -> dict[str, Any]:
    """A figure as one flat line: `chi_interval` becomes `chi_low` and `chi_high`."""
    found = asdict(one)
    for name in INTERVALS:
        found[f"{name}_low"], found[f"{name}_high"] = found.pop(f"{name}_interval")
    return {field.name: _known(found[field.name]) for field in FIGURES}


def _table(rows: list[dict[str, Any]], schema: pa.Schema) -> pa.Table:
    return pa.Table.from_pylist([{name: _known(value) for name, value in row.items()} for row in rows], schema=schema)


def _known(value: Any) -> Any:
    return None if isinstance(value, float) and np.isnan(value) else value
