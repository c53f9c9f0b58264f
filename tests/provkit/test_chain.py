"""Steps over rows: what each does to the number of rows, whose fault a failure is, and which draws a row gets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from provkit import manifest
from provkit.errors import FaultyBuilder, InputError

if TYPE_CHECKING:
    from tests.conftest import Bench

pytestmark = pytest.mark.usefixtures("odd")


def test_each_step_is_counted_and_its_drops_are_listed(bench: Bench) -> None:
    bench.rows(10)
    steps = [
        {"odd_drop": {"every": 5, "rest": 1}},
        {"odd_twice": {"every": 2}},
        "odd_mark",
        {"odd_set": {"how": "half"}},
    ]
    out = bench.build(steps=steps)
    assert bench.counts(out) == [
        (None, "odd_drop", 10, 0, 8, 2),  # 1 and 6 go
        (None, "odd_twice", 8, 4, 12, 0),  # 0, 2, 4 and 8 are doubled
        (None, "odd_mark", 12, 0, 12, 0),
        (None, "odd_set", 12, 0, 6, 6),
    ]
    first, second, *rest = bench.drops(out)
    assert [(one["step"], one["reason"], one["detail"]) for one in (first, second)] == [
        ("odd_drop", "unwanted", "n is 1"),
        ("odd_drop", "unwanted", "n is 6"),
    ]
    (parent,) = first["parents"]
    assert (parent["file"], parent["index"], parent["line"], parent["source"]) == ("data.jsonl", 1, 2, "data")
    assert {(one["step"], one["reason"]) for one in rest} == {("odd_set", "the other half")}
    # p0 p0? p2 p2? p3 p4 p4? p5 p7 p8 p8? p9 from the last one on: every other row stays
    assert [row["prompt"] for row in bench.data(out)] == ["p9", "p8", "p5", "p4", "p2?", "p0?"]


def test_rows_in_and_created_are_rows_out_and_dropped_at_every_step(bench: Bench) -> None:
    bench.rows(60)
    arms = {"control": [], "other": [{"odd_drop": {"every": 4, "rest": 2}}, {"odd_twice": {"every": 3}}]}
    steps = [{"dedup": {"by": "prompt"}}, "shuffle", {"odd_drop": {"every": 7, "rest": 3}}]
    out = bench.build(steps=steps, arms=arms, splits={"train": 0.75, "test": 0.25})
    counts = bench.counts(out)
    assert all(taken + created == left + lost for _, _, taken, created, left, lost in counts)
    assert sum(lost for *_, lost in counts) == len(bench.drops(out))
    assert len(bench.lineage(out, "other")) == counts[-1][4]
    assert len(bench.lineage(out, "control")) == counts[2][4]


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("raise", "the step 'odd_fault' failed on data.jsonl:4: RuntimeError: out of luck"),
        ("none", "the step 'odd_fault' answered data.jsonl:4 with NoneType"),
        ("text", "answered data.jsonl:4 with str"),
        ("empty", "answered data.jsonl:4 with list"),
        ("foreign", "answered data.jsonl:4 with list"),
        ("bytes", "answered data.jsonl:4: the column 'more' is of type binary"),
        ("mixed", "answered data.jsonl:4: the column 'answer' cannot hold this"),
        ("surrogate", "answered data.jsonl:4: the column 'more' cannot hold this"),
        ("reserved", "answered data.jsonl:4: a column 'row_id', a name that provkit keeps for itself"),
        ("own", "answered data.jsonl:4: a column '_provkit_index', a name that provkit keeps for itself"),
        ("note", "answered data.jsonl:4: a note cannot hold this"),
        ("huge", "answered data.jsonl:4: the column 'more' cannot hold this"),
        ("unsortable", "answered data.jsonl:4: the column 'more' cannot hold this"),
        ("list", "answered data.jsonl:4: the column 'more' cannot hold this"),
        ("time", "answered data.jsonl:4: the column 'more' is of type time64"),
    ],
)
def test_a_builder_that_misbehaves_is_named_with_the_row(bench: Bench, how: str, said: str) -> None:
    bench.rows(10)
    with pytest.raises(FaultyBuilder) as error:
        bench.build(steps=["odd_mark", {"odd_fault": {"how": how}}, {"odd_drop": {"every": 9}}])
    assert said in str(error.value)
    assert sorted(path.name for path in bench.folder.iterdir()) == ["data.jsonl", "recipe.yaml"]


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("raise", "the step 'odd_set' failed: RuntimeError: out of luck"),
        ("lose", "got 10 rows and accounts for 9 of them once"),
        ("twice", "got 10 rows and accounts for 10 of them once"),
        ("beyond", "got 10 rows"),
        ("none", "answered with NoneType; a Selection is expected"),
        ("details", "drops 1 rows with 2 details"),
        ("floats", "answered with positions that are no integers"),
    ],
)
def test_a_whole_set_step_that_misbehaves_is_named(bench: Bench, how: str, said: str) -> None:
    bench.rows(10)
    with pytest.raises(FaultyBuilder) as error:
        bench.build(steps=[{"odd_set": {"how": how}}])
    assert said in str(error.value)


def test_what_json_or_parquet_cannot_hold_is_refused_with_its_place(bench: Bench) -> None:
    bench.rows(10)
    with pytest.raises(InputError, match=r"data\.jsonl:4: nan has no JSON form"):
        bench.build(steps=[{"odd_fault": {"how": "nan"}}])
    with pytest.raises(InputError, match=r"more: objects without any key"):
        bench.build(steps=[{"odd_fault": {"how": "struct"}}])


def test_a_step_that_gives_two_types_far_apart_is_named(bench: Bench) -> None:
    bench.rows(32_770)  # two units of work, and each has one type in itself
    with pytest.raises(FaultyBuilder, match="the step 'odd_fault' gave a column values of two types"):
        bench.build(steps=[{"odd_fault": {"how": "late", "at": 32_768}}])


def test_labels_that_repeat_are_numbered_and_arms_count_on_their_own(bench: Bench) -> None:
    bench.rows(4)
    arms = {"one": ["odd_mark", "odd_mark"], "two": [{"odd_mark": {"mark": "?"}}]}
    out = bench.build(steps=["odd_mark"], arms=arms)
    assert [row["answer"] for row in bench.data(out, "one")] == ["a0!!!", "a1!!!", "a2!!!", "a3!!!"]
    (first, *_), (other, *_) = bench.lineage(out, "one"), bench.lineage(out, "two")
    assert [step["step"] for step in first["steps"]] == ["odd_mark", "odd_mark-2", "odd_mark-3"]
    assert [step["step"] for step in other["steps"]] == ["odd_mark", "odd_mark-2"]
    assert (
        first["steps"][0]["params_digest"] == other["steps"][0]["params_digest"] != other["steps"][1]["params_digest"]
    )


def test_rows_multiplied_twice_keep_apart(bench: Bench) -> None:
    """A row doubled by two steps is four rows, each with draws and a pair of its own."""
    bench.rows(5)
    arms: dict[str, list[str]] = {"left": [], "right": []}
    out = bench.build(steps=["odd_twice", "odd_twice", "odd_column"], arms=arms, pair=True)
    rows = bench.data(out, "left")
    assert len(rows) == len({row["pair_id"] for row in rows}) == 20
    of_p0 = {row["prompt"]: row["draw"] for row in rows if row["n"] == 0}
    assert sorted(of_p0) == ["p0", "p0?", "p0??"]
    assert len({(row["n"], row["draw"]) for row in rows}) == 20
    assert rows == bench.data(out, "right")


def test_draws_follow_from_the_row_alone(bench: Bench) -> None:
    """Neither order, nor other rows, nor the arm moves a draw; another label or seed does."""
    bench.rows(50)

    def draws(**keys: Any) -> dict[int, int]:
        return {row["n"]: row["draw"] for row in bench.data(bench.build(**keys))}

    plain = draws(steps=["odd_column"])
    assert draws(steps=["shuffle", {"odd_drop": {"every": 3}}, "odd_column"]).items() <= plain.items()
    arms = {"left": ["odd_column"], "right": ["shuffle", "odd_column"]}
    out = bench.build(arms=arms)
    assert {row["n"]: row["draw"] for row in bench.data(out, "left")} == plain
    assert {row["n"]: row["draw"] for row in bench.data(out, "right")} == plain
    assert draws(steps=["odd_column"], seed=43) != plain
    assert draws(steps=["odd_column", "odd_column"]) != plain


def test_a_column_that_no_step_touches_keeps_its_type(bench: Bench) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.table(
        {
            "prompt": ["a", "b"], "answer": ["x", "y"], "n": pa.array([0, 1], pa.int8()),
            "big": pa.array([2**63, 1], pa.uint64()), "weight": pa.array([0.1, 0.2], pa.float32()),
        }
    )  # fmt: skip
    pq.write_table(table, bench.folder / "data.parquet")
    out = bench.build(sources={"data": {"files": "data.parquet"}}, steps=["odd_mark"])
    written = pq.read_schema(out / "data/data/train-00000-of-00001.parquet")
    assert [written.field(name).type for name in ("n", "big", "weight")] == [pa.int8(), pa.uint64(), pa.float32()]


def test_the_packages_of_the_builders_are_recorded(bench: Bench) -> None:
    bench.rows(3)
    out = bench.build(steps=["odd_mark"])
    assert manifest.read(out).facts["versions"]["odd-builders"] == "1.0"


def test_arms_that_begin_alike_give_what_each_gives_alone(bench: Bench) -> None:
    bench.rows(30)
    first = [{"odd_drop": {"every": 5, "rest": 1}}, {"odd_twice": {"every": 2}}]
    chains = {"short": first, "long": [*first, "odd_mark"], "other": [{"odd_drop": {"every": 5, "rest": 2}}]}
    together = bench.build("together", arms=chains)
    for name, steps in chains.items():
        alone = bench.build(f"alone-{name}", arms={name: steps})
        assert bench.data(together, name) == bench.data(alone, name)
        assert bench.lineage(together, name) == bench.lineage(alone)
        assert [one for one in bench.counts(together) if one[0] == name] == bench.counts(alone)
        assert [one for one in bench.drops(together) if one["arm"] == name] == bench.drops(alone)
