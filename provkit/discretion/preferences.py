"""Recorded preferences of principles and annotators, as one number a row and principle."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from provkit.errors import InputError, plain
from provkit.registry import near
from provkit.rubrics.reading import read_columns

Floats = npt.NDArray[np.float64]
Orders = Literal["both", "first"]
PROBABILITIES = ("prob_A", "prob_B", "prob_NA")
KEYS = ("row_id", "row_key")
SECOND = {"0": 0, "1": 1, "0,1": 0, "1,0": 1, "false": 0, "true": 1, "0.0": 0, "1.0": 1}
WORDS = {"a": 1.0, "b": -1.0, "c": np.nan, "tie": np.nan, "na": np.nan, "none": np.nan, "model_a": 1.0, "model_b": -1.0}


@dataclass(frozen=True, slots=True)
class Preferences:
    """Who prefers what, row by row.

    Attributes:
        rows: the rows' ids.
        principles: the principles' ids.
        values: shape (rows, principles): 1 for the answer A, -1 for B, a half of that or 0 where the orders differ, NaN
            for none.
        annotators: for each annotator one number a row, by the same meaning.
        notes: what a reader of the measures should know.
    """

    rows: list[str]
    principles: list[str]
    values: Floats
    annotators: Mapping[str, Floats] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def read_preferences(path: Path, annotators: Sequence[str] = (), orders: Orders = "both") -> Preferences:
    """Recorded preferences: `row_id, principle_id, order, prob_A, prob_B, prob_NA`, and a column for each annotator.

    A principle has no preference in an order where prob_NA is the largest of the three, and 0 where A and B tie. With
    both orders it is the mean of that of order 0 and the negated one of order 1, none where either is none.

    Args:
        path: JSONL, CSV or Parquet.
        annotators: columns that say what an annotator prefers: A or B, or a number by its sign.
        orders: `first` takes order 0 alone, as the released analysis does.

    Raises:
        InputError: when a column is missing, a value is none of these, or a row and principle stand twice.
    """
    names = {*KEYS, "principle_id", "order", *PROBABILITIES, *annotators}
    table = read_columns(path, names)
    for name in ("principle_id", "prob_A", "prob_B"):
        if name not in table.column_names:
            do = "preferences have row_id, principle_id, order, prob_A, prob_B, prob_NA"
            raise InputError(f"no column {name!r}", file=path, do=do)
    rows, row_at = _numbered(table, _key(table, path), path)
    principles, principle_at = _numbered(table, "principle_id", path)
    order = _order(table, path)
    value = _signs(table, path)
    both = np.full((2, len(rows), len(principles)), np.nan)
    known = np.zeros((2, len(rows), len(principles)), bool)
    place = (order, row_at, principle_at)
    flat = np.ravel_multi_index(place, known.shape)
    if len(np.unique(flat)) < len(flat):
        counted = np.bincount(flat, minlength=known.size).reshape(known.shape)
        which, row, principle = (int(one[0]) for one in np.nonzero(counted > 1))
        said = (
            f"row {plain(rows[row], 40)} and principle {plain(principles[principle], 40)} stand twice in order {which}"
        )
        raise InputError(said, file=path, do="give one run of one judge")
    both[place], known[place] = value, True
    notes: list[str] = []
    if orders == "both" and not known[1].any():
        notes.append("the file has order 0 alone: preferences are those of one order")
        orders = "first"
    combined = both[0] if orders == "first" else (both[0] - both[1]) / 2
    said_of = {name: _annotator(table, name, row_at, rows, path) for name in annotators}
    return Preferences(rows, principles, combined, said_of, tuple(notes))


def read_annotator(path: Path, name: str, rows: Sequence[str], orders: Orders = "both") -> Floats:
    """What an annotator of another file prefers, one number for each of `rows`; NaN for those that it does not have.

    The file has `row_id` and either the column `name`, or prob_A, prob_B (prob_NA) and order, as a principle has.

    Raises:
        InputError: as `read_preferences`.
    """
    table = read_columns(path, {*KEYS, "order", *PROBABILITIES, name})
    known, row_at = _numbered(table, _key(table, path), path)
    if name in table.column_names:
        found = _annotator(table, name, row_at, known, path)
    elif {"prob_A", "prob_B"} <= set(table.column_names):
        both = np.full((2, len(known)), np.nan)
        order = _order(table, path)
        both[order, row_at] = _signs(table, path)
        found = both[0] if orders == "first" or not order.any() else (both[0] - both[1]) / 2
    else:
        raise InputError(f"neither a column {plain(name, 60)!r} nor prob_A and prob_B", file=path)
    place = {row: at for at, row in enumerate(known)}
    return np.array([found[place[row]] if row in place else np.nan for row in rows])


def _key(table: pa.Table, path: Path) -> str:
    name = next((name for name in KEYS if name in table.column_names), None)
    if name is None:
        raise InputError("no column 'row_id'", file=path)
    return name


def _numbered(table: pa.Table, name: str, path: Path) -> tuple[list[str], npt.NDArray[np.int64]]:
    """The distinct values of a column in the order of their first row, and for each row the number of its value."""
    column = table.column(name)
    if column.null_count:
        raise InputError(f"{column.null_count:,} rows without a value", file=path, field=name)
    encoded = column.combine_chunks().dictionary_encode()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.combine_chunks()
    return encoded.dictionary.to_pylist(), encoded.indices.to_numpy().astype(np.int64)


def _order(table: pa.Table, path: Path) -> npt.NDArray[np.int64]:
    if "order" not in table.column_names:
        return np.zeros(len(table), np.int64)
    values, at = _numbered(table, "order", path)
    numbers = [SECOND.get(value.lower()) for value in values]
    if None in numbers:
        raise InputError(f"an order of {plain(values[numbers.index(None)], 40)!r}", file=path, do="0 or 1 is expected")
    return np.array(numbers, np.int64)[at]


def _signs(table: pa.Table, path: Path) -> Floats:
    """1, -1, 0 or NaN a row, out of its probabilities."""
    a, b = (_numbers(table, name, path) for name in ("prob_A", "prob_B"))
    none = _numbers(table, "prob_NA", path) if "prob_NA" in table.column_names else np.full(len(table), -np.inf)
    signs = np.sign(a - b)
    signs[(none > a) & (none > b)] = np.nan
    return signs


def _numbers(table: pa.Table, name: str, path: Path) -> Floats:
    try:
        found = pc.cast(table.column(name), pa.float64()).to_numpy(zero_copy_only=False)
    except pa.ArrowInvalid as error:
        raise InputError(f"no number: {plain(str(error))}", file=path, field=name) from None
    return np.asarray(found, np.float64)


def _annotator(table: pa.Table, name: str, row_at: npt.NDArray[np.int64], rows: list[str], path: Path) -> Floats:
    """What a column says of each row; it says the same wherever a row stands."""
    if name not in table.column_names:
        said = f"no column {plain(name, 60)!r} for the annotator{near(name, table.column_names)}"
        raise InputError(said, file=path, do="--annotator COLUMN, or --annotator NAME=FILE")
    encoded = table.column(name).combine_chunks().dictionary_encode()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.combine_chunks()
    meant = np.array([*(_meaning(value, name, path) for value in encoded.dictionary.to_pylist()), np.nan])
    each = meant[pc.fill_null(encoded.indices, -1).to_numpy(zero_copy_only=False)]
    found = np.full(len(rows), np.nan)
    found[row_at] = each
    if len(odd := np.flatnonzero(~np.isclose(found[row_at], each, equal_nan=True))):
        row = plain(rows[row_at[odd[0]]], 40)
        raise InputError(f"two values for the row {row}", file=path, field=name)
    return found


def _meaning(value: str, name: str, path: Path) -> float:
    word = WORDS.get(value.strip().lower())
    if word is not None:
        return word
    try:
        return float(np.sign(float(value)))
    except ValueError:
        said = f"{plain(value, 40)!r} says neither A nor B, and is no number"
        raise InputError(said, file=path, field=name) from None
