"""The random order: against an order computed from its definition alone, and one that must never change."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.conftest import Bench

GOLDEN = [1, 10, 7, 5, 11, 2, 3, 4, 0, 6, 8, 9]  # seed 42, rows {"n": 0} to {"n": 11}


def order(source: bytes, size: int, seed: int, label: str) -> list[int]:
    """Rows by the first 64 bits of sha256 over seed, label, the source's sha256 and their index."""
    named = json.dumps([seed, label, hashlib.sha256(source).hexdigest()], separators=(",", ":")).encode()
    digests = [hashlib.sha256(named + at.to_bytes(8, "little")).digest() for at in range(size)]
    return sorted(range(size), key=lambda at: int.from_bytes(digests[at][:8], "little"))


def test_the_order_is_that_of_the_definition(bench: Bench) -> None:
    path = bench.rows([{"n": at} for at in range(12)])
    out = bench.build(steps=["shuffle"])
    found = [row["n"] for row in bench.data(out)]
    assert found == order(path.read_bytes(), 12, 42, "shuffle") == GOLDEN
    assert bench.counts(out) == [(None, "shuffle", 12, 0, 12, 0)]


def test_seed_and_label_change_the_order(bench: Bench) -> None:
    source = bench.rows([{"n": at} for at in range(12)]).read_bytes()
    other = [row["n"] for row in bench.data(bench.build(steps=["shuffle"], seed=7))]
    twice = [row["n"] for row in bench.data(bench.build(steps=["shuffle", "shuffle"]))]
    assert other == order(source, 12, 7, "shuffle") != GOLDEN
    assert twice == order(source, 12, 42, "shuffle-2") != GOLDEN


@pytest.mark.usefixtures("odd")
def test_twins_of_a_pair_are_shuffled_alike(bench: Bench) -> None:
    bench.rows(40)
    arms = {"control": ["shuffle"], "marked": ["odd_mark", "shuffle"]}
    out = bench.build(arms=arms)
    assert [row["n"] for row in bench.data(out, "control")] == [row["n"] for row in bench.data(out, "marked")]


@pytest.mark.usefixtures("odd")
def test_rows_that_go_do_not_move_the_others(bench: Bench) -> None:
    bench.rows(40)
    whole = [row["n"] for row in bench.data(bench.build(steps=["shuffle"]))]
    fewer = [row["n"] for row in bench.data(bench.build(steps=[{"odd_drop": {"every": 3}}, "shuffle"]))]
    assert fewer == [n for n in whole if n % 3 != 1]
