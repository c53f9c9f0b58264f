"""Rows as dicts out of Arrow columns, made a column at a time: chat rows in a fraction of the time of `to_pylist`."""

from __future__ import annotations

from itertools import accumulate, pairwise
from typing import Any

import pyarrow as pa


def rows_of(batch: pa.RecordBatch) -> list[dict[str, Any]]:
    """The rows of a batch, as `batch.to_pylist()` has them."""
    names = batch.schema.names
    if not names or len(set(names)) < len(names):
        return list(batch.to_pylist())
    return [dict(zip(names, row, strict=True)) for row in zip(*map(_values, batch.columns), strict=True)]


def _values(column: pa.Array) -> list[Any]:
    kind = column.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return list(column.to_numpy(zero_copy_only=False).tolist())
    if not (pa.types.is_list(kind) and pa.types.is_struct(kind.value_type)) or column.null_count:
        return list(column.to_pylist())
    turns = column.flatten()
    if turns.null_count or not turns.type.num_fields:
        return list(column.to_pylist())
    keys = [field.name for field in turns.type]
    made = [dict(zip(keys, turn, strict=True)) for turn in zip(*map(_values, turns.flatten()), strict=True)]
    ends = accumulate(column.value_lengths().to_pylist(), initial=0)
    return [made[start:end] for start, end in pairwise(ends)]
