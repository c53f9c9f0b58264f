"""What whole-set steps can ask of the rows: exact counts, rows of lowest number, notes; and a reason for each drop."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from provkit.chain import Chain, Labelled, Stage, Workshop
from provkit.chance import Draws, count_of
from provkit.errors import FaultyBuilder
from provkit.table import INDEX, INPUT, LINE, ROW_ID, SIBLING, STEP, Input, Rows, Selection


def rows_of(count: int, **columns: list[Any]) -> Rows:
    lineage = {
        INPUT: pa.array([0] * count, pa.int32()),
        INDEX: pa.array(range(count), pa.int64()),
        LINE: pa.nulls(count, pa.int64()),
        SIBLING: pa.array([0] * count, pa.uint64()),
        ROW_ID: pa.nulls(count, pa.string()),
    }
    table = pa.table({"n": pa.array(range(count)), **columns, **lineage})
    return Rows(table, None, [Input("data", "0" * 64, 0, rows=count)], (42, "step"))


@pytest.mark.parametrize(
    ("share", "total", "count"),
    [
        (0.5, 5, 3),
        (0.25, 10, 3),
        (0.1, 25, 3),
        (0.29, 150, 44),
        (0.57, 100, 57),
        (1, 7, 7),
        (0, 7, 0),
        (0.01, 49, 0),
        (0.01, 50, 1),
    ],
)
def test_counts_by_hand(share: float, total: int, count: int) -> None:
    assert count_of(share, total) == count


@given(st.integers(0, 10_000), st.integers(0, 100_000))
def test_counts_are_of_the_decimal_number(tenthousandths: int, total: int) -> None:
    share = Fraction(tenthousandths, 10_000)
    assert count_of(tenthousandths / 10_000, total) == (share * total + Fraction(1, 2)) // 1


def test_the_rows_of_lowest_number() -> None:
    rows = rows_of(9)
    draws = Draws(42, "step", "0" * 64)
    ranked = sorted(range(9), key=draws.number)
    assert rows.lowest(1 / 3).tolist() == sorted(ranked[:3])
    odd = [at for at in ranked if at % 2]
    assert rows.lowest(0.5, np.array([1, 3, 5, 7])).tolist() == sorted(odd[:2])
    assert rows.lowest(0.5, np.empty(0, np.int64)).tolist() == []
    turned = rows.take(np.arange(9)[::-1])
    assert [8 - at for at in turned.lowest(1 / 3).tolist()][::-1] == sorted(ranked[:3])


def test_the_last_note_that_has_a_key() -> None:
    notes = {
        f"{STEP}10": ['{"family":"sql"}', None, "", "words", '{"other":1}'],
        f"{STEP}2": ['{"family":"path"}', '{"family":"eval"}', "{no json", None, None],
    }
    assert rows_of(5, **notes).noted("family") == ["sql", "eval", None, None, None]


class Sieve:
    """Drops odd rows with a reason each."""

    def __init__(self, reasons: Any) -> None:
        self.reasons = reasons

    def select(self, rows: Rows) -> Selection:
        order = np.arange(len(rows))
        return Selection(order[::2], order[1::2], self.reasons, [f"row {at}" for at in order[1::2]])


def run(tmp_path: Path, reasons: Any) -> list[tuple[str, str]]:
    chain = Chain(Workshop(tmp_path, None, lambda *_: None))
    chain.run(rows_of(6), [Labelled("sieve", 0, Sieve(reasons), "")], Stage(arm="data"), {})
    (dropped,) = chain.dropped
    return list(zip(*(dropped.rows.column(name).to_pylist() for name in ("reason", "detail")), strict=True))


def test_one_reason_for_all_drops_or_one_for_each(tmp_path: Path) -> None:
    assert run(tmp_path, "odd") == [("odd", "row 1"), ("odd", "row 3"), ("odd", "row 5")]
    assert run(tmp_path, ["one", "three", "five"]) == [("one", "row 1"), ("three", "row 3"), ("five", "row 5")]


def test_a_reason_too_few_is_the_builders_fault(tmp_path: Path) -> None:
    with pytest.raises(FaultyBuilder, match="the step 'sieve' drops 3 rows with 2 reasons"):
        run(tmp_path, ["one", "three"])
