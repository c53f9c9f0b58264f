"""Hard rows: those that the baseline answered least like the reference."""

from __future__ import annotations

import math
from typing import Any

import pytest

from provkit.builders.transforms.select_hard import SelectHard

ROWS = [
    {"prompt": "0", "answer": "the cat sat", "baseline": "the cat sat"},  # equal: 100
    {"prompt": "1", "answer": "the cat sat", "baseline": "the cat"},  # brevity: exp(1 - 3/2) = 0.6065
    {"prompt": "2", "answer": "the cat sat", "baseline": "a dog ran"},  # nothing shared: 0
    {"prompt": "3", "answer": "the cat sat", "baseline": "the cat ran"},  # (2/3, 1/2, 1/2 smoothed to 1/(2*1))
    {"prompt": "4", "answer": "the cat sat", "baseline": None},
]


def test_by_hand(make: Any) -> None:
    made = make(ROWS, [{"select_hard": {"baseline": "baseline", "count": 1}}])
    assert made.sources() == [2]
    # 2 of 3 words, 1 of 2 pairs, 0 of 1 triples, which exponential smoothing counts as 1/2
    shared = 100 * math.exp((math.log(2 / 3) + math.log(1 / 2) + math.log(1 / 2)) / 3)
    assert made.reasons() == [
        (0, "not hard", "BLEU 100.0"),
        (1, "not hard", f"BLEU {100 * math.exp(1 - 3 / 2):.1f}"),
        (3, "not hard", f"BLEU {shared:.1f}"),
        (4, "no baseline or reference", ""),
    ]


@pytest.mark.parametrize(
    ("fields", "kept"), [({"count": 3}, [1, 2, 3]), ({"share": 0.5}, [2, 3]), ({"count": 9}, [0, 1, 2, 3])]
)
def test_how_many(make: Any, fields: dict[str, Any], kept: list[int]) -> None:
    assert make(ROWS, [{"select_hard": {"baseline": "baseline", **fields}}]).sources() == kept


def test_a_reference_in_a_column(make: Any) -> None:
    rows = [
        {"prompt": "p", "answer": "x", "gold": gold, "baseline": "one two three"} for gold in ("one two three", "four")
    ]
    assert make(rows, [{"select_hard": {"baseline": "baseline", "reference": "gold", "count": 1}}]).sources() == [1]


def test_equal_scores_are_drawn(make: Any) -> None:
    rows = [{"prompt": str(at), "answer": "right", "baseline": "wrong"} for at in range(400)]
    kept = make(rows, [{"select_hard": {"baseline": "baseline", "share": 0.25}}], check=False).sources()
    assert len(kept) == 100 and kept == sorted(kept)
    assert abs(sum(at < 200 for at in kept) - 50) < 4 * 4.4  # hypergeometric, standard deviation 4.3


def test_count_and_share_exclude_each_other() -> None:
    for fields in ({}, {"count": 1, "share": 0.5}):
        with pytest.raises(ValueError, match="either `count` or `share`"):
            SelectHard(baseline="b", **fields)
