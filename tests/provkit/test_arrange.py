"""Pairs and splits: small sets by hand, random ones against what a split must be."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provkit.arrange import pair, pair_ids, split
from provkit.errors import InputError
from provkit.table import INDEX, INPUT, LINE, ROW_ID, SIBLING, Input, Rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.conftest import Bench

INPUTS = [Input("data", "a" * 64, 1, "data.jsonl"), Input("more", "b" * 64, 1, "more.jsonl")]


def rows(index: Sequence[int], prompts: Sequence[str] | None = None, number: int = 0) -> Rows:
    """Rows of an input, by their place in it, each with the prompt `p<place>` or the one given."""
    size = len(index)
    table = pa.table(
        {
            "prompt": pa.array(prompts if prompts is not None else [f"p{at}" for at in index], pa.string()),
            "n": pa.array(range(size), pa.int64()),
            INPUT: pa.array([number] * size, pa.int32()),
            INDEX: pa.array(index, pa.int64()),
            LINE: pa.nulls(size, pa.int64()),
            ROW_ID: pa.nulls(size, pa.string()),
            SIBLING: pa.array([0] * size, pa.uint64()),
        }
    )
    return Rows(table, None, INPUTS, (42, ""))


def places(rows: Rows) -> list[int]:
    return [int(at) for at in rows.lineage(columns=[INDEX]).column(INDEX).to_pylist()]


def test_pairs_stand_in_the_order_of_the_first_arm_and_a_row_without_twin_goes() -> None:
    arms = {"left": rows([7, 1, 5, 2]), "right": rows([2, 3, 7, 5, 9]), "third": rows([5, 7, 2, 8])}
    paired, counts, dropped = pair(arms)
    assert {name: places(one) for name, one in paired.items()} == {name: [7, 5, 2] for name in arms}
    assert [(c.arm, c.step, c.rows_in, c.created, c.rows_out, c.dropped) for c in counts] == [
        ("left", "pair", 4, 0, 3, 1),
        ("right", "pair", 5, 0, 3, 2),
        ("third", "pair", 4, 0, 3, 1),
    ]
    listed = [(d.arm, d.rows.column(INDEX).to_pylist(), d.rows.column("detail").to_pylist()) for d in dropped]
    assert listed == [
        ("left", [1], ["none in the arm right, third"]),
        ("right", [3, 9], ["none in the arm left, third"] * 2),
        ("third", [8], ["none in the arm left, right"]),
    ]
    assert pair_ids(paired["left"]) == pair_ids(paired["third"])
    assert len(set(pair_ids(paired["left"]))) == 3


def test_two_rows_out_of_one_source_row_make_no_pair() -> None:
    with pytest.raises(InputError, match="the arm 'right' holds several rows out of one source row"):
        pair({"left": rows([1, 2]), "right": rows([1, 2, 1])})


def test_the_same_place_in_another_input_is_another_row() -> None:
    paired, counts, _ = pair({"left": rows([0, 1]), "right": rows([0, 1], number=1)})
    assert [len(one) for one in paired.values()] == [0, 0]
    assert [count.dropped for count in counts] == [2, 2]


def test_files_of_the_same_content_make_pairs_of_their_own(bench: Bench) -> None:
    bench.rows(3)
    bench.rows(3, "again.jsonl")
    sources = {"data": {"files": ["data.jsonl", "again.jsonl"]}}
    out = bench.build(sources=sources, arms={"left": [], "right": ["shuffle"]}, pair=True)
    ids = [row["pair_id"] for row in bench.lineage(out)]
    assert {ids.count(one) for one in ids} == {2}


@pytest.mark.parametrize(
    ("size", "shares", "expected"),
    [
        (10, {"train": 0.9, "test": 0.1}, [9, 1]),
        (6000, {"train": 0.9, "test": 0.1}, [5400, 600]),
        (7, {"train": 0.8, "val": 0.1, "test": 0.1}, [6, 0, 1]),  # up to 5.6 and 6.3: the middles are .5, 1.5 … 6.5
        (1000, {"train": 0.7, "val": 0.2, "test": 0.1}, [700, 200, 100]),
        (1, {"train": 0.5, "test": 0.5}, [0, 1]),
        (2, {"train": 0.5, "test": 0.5}, [1, 1]),
        (0, {"train": 0.9, "test": 0.1}, [0, 0]),
    ],
)
def test_a_split_has_its_share(size: int, shares: dict[str, float], expected: list[int]) -> None:
    done = split({"data": rows(range(size))}, shares, "prompt", False)
    assert [len(one) for one in done["data"].values()] == expected


def test_twins_stand_on_the_same_side_and_share_out_whole_pairs() -> None:
    paired, _, _ = pair({"left": rows(range(10)), "right": rows(range(9, -1, -1))})
    done = split(paired, {"train": 0.7, "test": 0.3}, "row", True)
    assert {arm: [len(one) for one in parts.values()] for arm, parts in done.items()} == {
        "left": [7, 3],
        "right": [7, 3],
    }
    assert places(done["left"]["test"]) == places(done["right"]["test"])


def test_arms_of_other_sizes_each_have_their_share() -> None:
    """Arms that share no prompt are split apart: neither takes the other's rows into account."""
    arms = {"small": rows(range(20)), "large": rows(range(1000), [f"q{at}" for at in range(1000)], 1)}
    done = split(arms, {"train": 0.9, "test": 0.1}, "prompt", False)
    assert {arm: [len(one) for one in parts.values()] for arm, parts in done.items()} == {
        "small": [18, 2],
        "large": [900, 100],
    }


def test_a_chain_of_shared_prompts_goes_together() -> None:
    """Twins 0-0, 1-1, 2-2 whose prompts meet across: 0 and 1 on the left, 1 and 2 on the right are one group."""
    left, right = rows([0, 1, 2, 3], ["a", "a", "b", "c"]), rows([0, 1, 2, 3], ["x", "y", "y", "z"])
    done = split({"left": left, "right": right}, {"train": 0.5, "test": 0.5}, "prompt", True)
    sides = {at: name for name, one in done["left"].items() for at in places(one)}
    assert sides[0] == sides[1] == sides[2] != sides[3]


def test_the_side_of_a_row_follows_from_the_row() -> None:
    """The order in which rows come, and rows of the other split that go, leave a row on its side."""
    shares = {"train": 0.5, "test": 0.5}
    done = split({"data": rows(range(100))}, shares, "prompt", False)["data"]
    back = split({"data": rows(range(99, -1, -1))}, shares, "prompt", False)["data"]
    assert set(places(done["test"])) == set(places(back["test"]))
    assert places(done["train"]) == sorted(places(done["train"]))


prompts = st.lists(st.integers(0, 12), max_size=25)


@settings(max_examples=150, deadline=None)
@given(prompts, prompts, st.sampled_from([(0.9, 0.1), (0.5, 0.5), (0.6, 0.2, 0.2)]), st.booleans())
def test_no_prompt_on_two_sides_and_every_row_once(
    first: list[int], second: list[int], shares: tuple[float, ...], paired: bool
) -> None:
    arms = {name: rows(range(len(some)), [f"p{i}" for i in some]) for name, some in (("a", first), ("b", second))}
    if paired:
        arms, _, _ = pair(arms)
    named = {f"s{at}": share for at, share in enumerate(shares)}
    done = split(arms, named, "prompt", paired)
    sides: dict[Any, set[str]] = defaultdict(set)
    for name, parts in done.items():
        taken = sorted(at for one in parts.values() for at in places(one))
        assert taken == sorted(places(arms[name]))
        for side, one in parts.items():
            for content, at in zip(one.contents(), places(one), strict=True):
                sides[content["prompt"]].add(side)
                if paired:
                    sides[at].add(side)
    assert all(len(some) == 1 for some in sides.values())


def test_one_split_needs_no_prompt() -> None:
    table = rows([0, 1]).table.drop_columns(["prompt", "n"]).append_column("answer", pa.array(["x", "y"]))
    alone = Rows(table, None, INPUTS, (42, ""))
    assert len(split({"data": alone}, {"train": 1.0}, "prompt", False)["data"]["train"]) == 2
    with pytest.raises(InputError, match=r"data\.jsonl\[0\]: no prompt among the columns answer"):
        split({"data": alone}, {"train": 0.5, "test": 0.5}, "prompt", False)


def test_splits_of_a_build(bench: Bench) -> None:
    """The same prompt in several rows and arms is in one split of all of them."""
    bench.rows([{"prompt": f"p{at % 30}", "answer": f"a{at}"} for at in range(200)])
    out = bench.build(arms={"control": [], "other": ["shuffle"]}, splits={"train": 0.8, "val": 0.1, "test": 0.1})
    found = {
        split: {row["prompt"] for arm in ("control", "other") for row in bench.data(out, arm, split)}
        for split in ("train", "val", "test")
    }
    assert sum(map(len, found.values())) == len(set().union(*found.values())) == 30
    sizes = [len(bench.data(out, "control", split)) for split in found]
    assert sum(sizes) == 200
    assert np.allclose(sizes, [160, 20, 20], atol=7)  # a prompt has 6 or 7 rows
