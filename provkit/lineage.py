"""The lineage of a build as it is written and read: rows, their parents and steps, and the drops."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from provkit.chain import Dropped, Labelled
from provkit.table import ALSO, FURTHER, INDEX, INPUT, LINE, ROW_ID, STEP, Input

PARENT = pa.struct(
    [
        ("source", pa.string()),
        ("revision", pa.string()),
        ("sha256", pa.string()),
        ("file", pa.string()),
        ("index", pa.int64()),
        ("line", pa.int64()),
        ("build_id", pa.string()),
        ("arm", pa.string()),
        ("split", pa.string()),
        ("row_id", pa.string()),
    ]
)
STEPS = pa.struct([("step", pa.string()), ("params_digest", pa.string()), ("note", pa.string())])
ROWS = pa.schema(
    [
        ("arm", pa.string()),
        ("split", pa.string()),
        ("index", pa.int64()),
        ("row_id", pa.string()),
        ("pair_id", pa.string()),
        ("op", pa.string()),
        ("parents", pa.list_(PARENT)),
        ("steps", pa.list_(STEPS)),
        ("seed", pa.int64()),
        ("request_hash", pa.string()),
        ("model", pa.string()),
        ("licence", pa.string()),
    ]
)
DROPS = pa.schema(
    [
        ("arm", pa.string()),
        ("step", pa.string()),
        ("reason", pa.string()),
        ("detail", pa.string()),
        ("parents", pa.list_(PARENT)),
    ]
)
ORIGIN = (INPUT, INDEX, LINE, ROW_ID)
LEAVES = [
    *(field.name for field in ROWS if not pa.types.is_list(field.type)),
    *(f"{name}.list.element.{field.name}" for name, kind in (("parents", PARENT), ("steps", STEPS)) for field in kind),
]
DISTINCT = {"row_id", "pair_id", "index", "note", "line"}  # a dictionary of these is as long as the column
STORED = {
    "use_dictionary": [leaf for leaf in LEAVES if leaf.rpartition(".")[2] not in DISTINCT],
    "compression": {leaf: "none" if leaf == "row_id" else "zstd" for leaf in LEAVES},  # row_id is searched whole
    "compression_level": {leaf: 3 for leaf in LEAVES if leaf != "row_id"},
}
FIRST_OP = {"file": "imported", "hub": "imported", "build": "imported", "index": "imported", "generator": "generated"}


@dataclass(frozen=True, slots=True)
class Part:
    """The rows of one arm and split: what is the same for all of them."""

    arm: str
    split: str
    steps: Sequence[Labelled]
    seed: int
    licence: str  # of what the recipe's generators make
    control: bool  # the arm changes nothing while others do


def rows_table(
    part: Part,
    first: int,
    batch: pa.Table,
    row_ids: Sequence[str],
    pair_ids: Sequence[str] | None,
    inputs: Sequence[Input],
) -> pa.Table:
    """lineage/rows.parquet for one batch of an arm and split: the schema ROWS.

    `batch` has the lineage columns; `first` is the index of its first row.
    """
    size = len(batch)
    changed = {s.number: s for s in part.steps if f"{STEP}{s.number}" in batch.column_names}
    ops, listed = _steps(batch, changed, inputs, part.control)
    number = batch.column(INPUT).to_numpy()
    own = pa.array([one.licence or (part.licence if one.kind == "generator" else None) for one in inputs], pa.string())
    columns = [
        pa.repeat(pa.scalar(part.arm), size),
        pa.repeat(pa.scalar(part.split), size),
        pa.array(np.arange(first, first + size)),
        pa.array(row_ids, pa.string()),
        pa.nulls(size, pa.string()) if pair_ids is None else pa.array(pair_ids, pa.string()),
        ops,
        parents(batch, inputs),
        listed,
        pa.array(np.full(size, part.seed, np.int64)),
        *_requests(batch, changed),
        own.take(pa.array(number)),
    ]
    return pa.Table.from_arrays(columns, schema=ROWS)


def _requests(batch: pa.Table, changed: dict[int, Labelled]) -> list[pa.Array]:
    """Columns request_hash and model: those that the last step which asked a model has noted, of each row."""
    asked = [number for number, step in sorted(changed.items()) if getattr(step.builder, "asked", False)]
    requests: list[str | None] = [None] * len(batch)
    models = list(requests)
    for number in asked:
        for at, note in enumerate(batch.column(f"{STEP}{number}").to_pylist()):
            fields = orjson.loads(note) if note else {}
            if "request" in fields:
                requests[at], models[at] = fields["request"], fields["model"]
    return [pa.array(column, pa.string()) for column in (requests, models)]


def parents(batch: pa.Table, inputs: Sequence[Input]) -> pa.Array:
    """The list of parents of each row: the source row that it came from, then others that went into it."""
    first = pa.StructArray.from_arrays(
        [batch.column(name).combine_chunks().cast(kind.type) for name, kind in zip(ORIGIN, FURTHER, strict=True)],
        fields=list(FURTHER),
    )
    offsets = np.arange(len(batch) + 1, dtype=np.int32)
    if ALSO in batch.column_names and batch.column(ALSO).null_count < len(batch):
        also = batch.column(ALSO).combine_chunks()
        lengths = pc.fill_null(pc.list_value_length(also), 0).to_numpy()
        offsets = np.concatenate([[0], np.cumsum(lengths + 1)]).astype(np.int32)
        place = np.ones(int(offsets[-1]), bool)
        place[offsets[:-1]] = False
        order = np.empty(len(place), np.int64)
        order[~place] = np.arange(len(batch))
        order[place] = len(batch) + np.arange(int(lengths.sum()))
        first = pa.concat_arrays([first, pc.list_flatten(also)]).take(pa.array(order))
    number = pc.struct_field(first, "input")
    facts = {
        "source": [one.source for one in inputs],
        "revision": [one.revision for one in inputs],
        "sha256": [one.sha256 for one in inputs],
        "file": [one.file for one in inputs],
        "build_id": [one.build_id for one in inputs],
        "arm": [one.arm for one in inputs],
        "split": [one.split for one in inputs],
    }
    columns = {name: pa.array(values, pa.string()).take(number) for name, values in facts.items()}
    columns |= {name: pc.struct_field(first, name) for name in ("index", "line", "row_id")}
    struct = pa.StructArray.from_arrays([columns[field.name] for field in PARENT], fields=list(PARENT))
    return pa.ListArray.from_arrays(pa.array(offsets), struct)


def drops(dropped: Sequence[Dropped], inputs: Sequence[Input]) -> pa.Table:
    """lineage/drops.parquet: the schema DROPS."""
    tables = [
        pa.Table.from_arrays(
            [
                pa.repeat(pa.scalar(one.arm, pa.string()), len(one.rows)),
                pa.repeat(pa.scalar(one.step), len(one.rows)),
                one.rows.column("reason"),
                one.rows.column("detail"),
                parents(one.rows, inputs),
            ],
            schema=DROPS,
        )
        for one in dropped
    ]
    return pa.concat_tables(tables) if tables else DROPS.empty_table()


def _steps(
    batch: pa.Table, changed: dict[int, Labelled], inputs: Sequence[Input], control: bool
) -> tuple[pa.Array, pa.Array]:
    """Column op, and column steps: for each row the steps that changed it, in order."""
    size = len(batch)
    first = np.array(["control" if control else FIRST_OP[one.kind] for one in inputs], object)
    ops: Any = first[batch.column(INPUT).to_numpy()] if size else np.empty(0, object)
    took = np.zeros((size, len(changed)), bool)
    notes = []
    for at, (number, step) in enumerate(sorted(changed.items())):
        note = batch.column(f"{STEP}{number}").combine_chunks()
        took[:, at] = note.is_valid().to_numpy(zero_copy_only=False)
        if op := getattr(step.builder, "op", "derived"):
            ops[took[:, at]] = op
        notes.append(note)
    ordered = [step for _, step in sorted(changed.items())]
    where = np.flatnonzero(took)  # row-major: row after row, the steps of each in order
    step_at = where % len(changed) if changed else where
    flat = pa.chunked_array(notes, pa.string()).take(pa.array(step_at * size + where // max(len(changed), 1)))
    note = flat.combine_chunks() if isinstance(flat, pa.ChunkedArray) else flat
    label = pa.array([s.label for s in ordered], pa.string()).take(pa.array(step_at))
    params = pa.array([s.params_digest for s in ordered], pa.string()).take(pa.array(step_at))
    struct = pa.StructArray.from_arrays([label, params, _null_if_empty(note)], fields=list(STEPS))
    offsets = np.concatenate([[0], np.cumsum(took.sum(axis=1))]).astype(np.int32)
    return pa.array(ops, pa.string()), pa.ListArray.from_arrays(pa.array(offsets), struct)


def _null_if_empty(note: pa.Array) -> pa.Array:
    return pc.if_else(pc.equal(note, ""), pa.scalar(None, pa.string()), note)
