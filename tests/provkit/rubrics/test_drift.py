"""Drift and its gate: a table worked by hand, brute force over random verdicts, and how often neutral edits fail."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from provkit.errors import InputError
from provkit.rubrics.drift import Report, drift
from provkit.rubrics.recorded import read_recorded
from provkit.rubrics.tables import PAIRS, RUBRICS, VERDICTS, Verdicts

Row = tuple[str, str, str, str, str | None, str | None]  # rubric, dataset, pair, label, straight, swapped


def made(rows: list[Row], category: dict[str, str] | None = None) -> Verdicts:
    """Verdicts of these rows; the rubric "seed" is the seed."""
    names = list(dict.fromkeys(row[0] for row in rows))
    table = [
        dict(zip(VERDICTS.names, (rubric, dataset, key, straight, swapped, None, None), strict=True))
        for rubric, dataset, key, _, straight, swapped in rows
    ]
    pairs = {
        (row[1], row[2]): {
            "dataset": row[1],
            "row_key": row[2],
            "label": row[3],
            "category": (category or {}).get(row[2]),
        }
        for row in rows
    }
    rubrics = [{"rubric": name, "rubric_id": name, "is_seed": name == "seed"} for name in names]
    return Verdicts(
        "made",
        pa.Table.from_pylist(table, schema=VERDICTS),
        pa.Table.from_pylist(list(pairs.values()), schema=PAIRS),
        pa.Table.from_pylist(rubrics, schema=RUBRICS),
        {"kind": "recorded"},
    )


def by_hand() -> Report:
    """Ten pairs of one set, all of label A, under the seed and a variant, each in both orders.

    seed:    A A A A A A A B C U     (the ninth is a tie: the orders differ; the tenth could not be read)
    variant: A A A A B B C A A A     (the seventh says C in both orders)
    """
    seed = "AAAAAAAB"
    other = "AAAABBCAAA"
    rows: list[Row] = [("seed", "t", f"p{i}", "A", said, said) for i, said in enumerate(seed)]
    rows += [("seed", "t", "p8", "A", "A", "B"), ("seed", "t", "p9", "A", "A", "unparsed")]
    rows += [("v", "t", f"p{i}", "A", said, said) for i, said in enumerate(other)]
    kinds = {f"p{i}": "first" if i < 5 else "second" for i in range(10)}
    return drift(made(rows, kinds), "t", "t", max_drift=0.0)


def test_the_table_worked_by_hand() -> None:
    report = by_hand()
    (one,) = report.variants
    on = one.target
    assert (on.pairs, on.labelled) == (10, 10)
    assert on.seed_accuracy == pytest.approx((7 + 0.5 + 0.5) / 10)
    assert on.accuracy == pytest.approx((7 + 0.5) / 10)
    assert on.drift == pytest.approx(0.05)
    assert (on.lost, on.gained) == (3, 3)  # p4, p5, p6 against p7, p8, p9
    assert on.mcnemar_p == 1.0
    assert on.flips == pytest.approx(5 / 9)  # p9 could not be read under the seed; p0 to p3 stayed
    assert on.flip_matrix == [[4, 2, 1, 0], [1, 0, 0, 0], [1, 0, 0, 0], [1, 0, 0, 0]]
    # agreement 4 of 9; by chance (7 x 6 + 1 x 2 + 1 x 1) / 81
    assert on.kappa == pytest.approx((4 / 9 - 45 / 81) / (1 - 45 / 81))
    assert (on.ties, on.unparsed) == (0.1, 0.0)
    assert report.seed_target.ties == 0.1 and report.seed_target.unparsed == 0.1
    assert report.seed_target.position is not None and report.seed_target.position.consistency == pytest.approx(8 / 9)
    # squares: p4 and p5 lose 1, p6 a half; p7 gains 1, p8 and p9 a half
    centre, squares = 0.5 / 12, 2 + 0.25 + 1 + 0.5
    error = (squares + 1 - 0.25 / 12) ** 0.5 / 12
    assert on.drift_interval is not None
    assert on.drift_interval.low == pytest.approx(centre - 1.959964 * error, abs=1e-6)
    parts = {part.category: part for part in one.categories}
    assert parts["first"].drift == pytest.approx(0.2) and parts["second"].drift == pytest.approx(-0.1)
    assert one.compliant is False and one.fails is False  # drift is above the limit 0, but not surely


def test_the_gate_needs_both_the_limit_and_the_evidence() -> None:
    def gate(lost: int, gained: int, pairs: int, limit: float) -> bool | None:
        said = ["B"] * lost + ["A"] * (pairs - lost)
        before = ["A"] * (pairs - gained) + ["B"] * gained
        rows: list[Row] = [("seed", "t", f"p{i}", "A", one, None) for i, one in enumerate(before)]
        rows += [("v", "t", f"p{i}", "A", one, None) for i, one in enumerate(said)]
        return drift(made(rows), "t", "t", max_drift=limit).variants[0].fails

    assert gate(40, 20, 1000, 0.02) is True
    assert gate(39, 20, 1000, 0.02) is False  # 0.019
    assert gate(120, 100, 1000, 0.02) is False  # 0.02, but such a difference is chance
    assert gate(3, 0, 10, 0.02) is False
    assert gate(0, 0, 1000, 0.0) is False


def test_the_gate_is_adjusted_over_the_variants() -> None:
    """A drift that fails alone, p = 0.011, passes among ten that do not drift: 0.05 / 10 is less."""
    before = ["A"] * 100
    rows: list[Row] = [("seed", "t", f"p{i}", "A", one, None) for i, one in enumerate(before)]
    rows += [("v", "t", f"p{i}", "A", "B" if i < 8 else "A", None) for i in range(100)]
    alone = drift(made(rows), "t", "t", max_drift=0.02).variants[0]
    assert alone.fails is True
    for k in range(10):
        rows += [(f"w{k}", "t", f"p{i}", "A", "A", None) for i in range(100)]
    among = drift(made(rows), "t", "t", max_drift=0.02)
    assert among.variants[0].rubric_id == "v" and among.variants[0].fails is False
    assert among.variants[0].target == alone.target


def test_neutral_edits_seldom_fail() -> None:
    """A neutral edit leaves each verdict as probable as it was: 200 of them, each at a gate of its own, 1,000 pairs."""
    chance = random.Random(5)
    failing = 0
    for _ in range(200):
        likely = [chance.betavariate(4, 1.5) for _ in range(1000)]
        rows: list[Row] = []
        for rubric in ("seed", "v"):
            said = ["A" if chance.random() < one else "B" for one in likely]
            rows += [(rubric, "t", f"p{i}", "A", one, None) for i, one in enumerate(said)]
        failing += bool(drift(made(rows), "t", "t", max_drift=0.02).failing)
    assert failing <= 10


def test_brute_force() -> None:
    """Every measure again, out of the rows one by one."""
    chance = random.Random(11)
    said = ["A", "B", "C", "unparsed", None]
    rows: list[Row] = []
    for dataset in ("bench", "target"):
        for i in range(300):
            label = chance.choice(["A", "B", "B", "tie"])
            for rubric in ("seed", "v", "w"):
                if chance.random() < 0.05:
                    continue
                straight, swapped = chance.choices(said, [8, 5, 2, 1, 3], k=2)
                if straight or swapped:
                    rows.append((rubric, dataset, f"p{i}", label if label != "tie" else None, straight, swapped))  # type: ignore[arg-type]
    report = drift(made(rows), "bench", "target")

    def outcome(row: Row) -> str:
        straight, swapped = row[4], row[5]
        if "unparsed" in (straight, swapped):
            return "unparsed"
        if straight is None or swapped is None:
            return straight or swapped or ""
        return straight if straight == swapped else "C"

    def score(one: str, label: str) -> float:
        return 1.0 if one == label else 0.0 if one in ("A", "B") else 0.5

    for variant in report.variants:
        for on in (variant.bench, variant.target):
            mine = {row[2]: row for row in rows if row[0] == variant.rubric_id and row[1] == on.dataset}
            first = {row[2]: row for row in rows if row[0] == "seed" and row[1] == on.dataset}
            shared = sorted(mine.keys() & first.keys())
            labelled = [key for key in shared if mine[key][3] is not None]
            before = [score(outcome(first[key]), first[key][3]) for key in labelled]
            after = [score(outcome(mine[key]), mine[key][3]) for key in labelled]
            assert (on.pairs, on.labelled) == (len(shared), len(labelled))
            assert on.seed_accuracy == pytest.approx(sum(before) / len(labelled))
            assert on.accuracy == pytest.approx(sum(after) / len(labelled))
            assert on.drift == pytest.approx((sum(before) - sum(after)) / len(labelled))
            assert on.lost == sum(b > a for b, a in zip(before, after, strict=True))
            assert on.gained == sum(b < a for b, a in zip(before, after, strict=True))
            readable = [k for k in shared if "unparsed" not in (outcome(first[k]), outcome(mine[k]))]
            assert on.flips == pytest.approx(
                sum(outcome(first[k]) != outcome(mine[k]) for k in readable) / len(readable)
            )
            assert on.ties == pytest.approx(sum(outcome(mine[k]) == "C" for k in shared) / len(shared))
            assert on.unparsed == pytest.approx(sum(outcome(mine[k]) == "unparsed" for k in shared) / len(shared))
            both = [r for r in mine.values() if r[4] in ("A", "B", "C") and r[5] in ("A", "B", "C")]
            assert on.position is not None
            assert on.position.consistency == pytest.approx(sum(r[4] == r[5] for r in both) / len(both))


def test_what_cannot_be_compared_is_an_error() -> None:
    rows: list[Row] = [("seed", "t", "p", "A", "A", None), ("v", "t", "p", "A", "A", None)]
    with pytest.raises(InputError, match="no set 'targt' among the verdicts: did you mean 'target'"):
        drift(made([*rows, ("v", "target", "q", "A", "A", None)]), "t", "targt")
    with pytest.raises(InputError, match="nothing to compare it with"):
        drift(made(rows[:1]), "t", "t")
    with pytest.raises(InputError, match="no rubric 'x'"):
        drift(made(rows), "t", "t", seed="x")


def test_the_command_is_a_gate(bench: Any) -> None:
    chance = random.Random(2)
    rows = []
    for i in range(400):
        label = chance.choice("AB")
        other = "B" if label == "A" else "A"
        for dataset in ("chat", "safe"):
            for rubric, right in (("seed", 0.9), ("v", 0.9 if dataset == "chat" else 0.7)):
                verdict = label if chance.random() < right else other
                rows.append({"id": i, "rubric_id": rubric, "dataset": dataset, "verdict": verdict, "label": label})
    path = bench.rows(rows, "run.jsonl")
    words = ["drift", "run.jsonl", "--bench", "chat", "--target", "safe"]
    free = bench.invoke(*words, "--format", "json", "--quiet")
    assert free.exit_code == 0, free.output
    found = json.loads(free.stdout)
    (one,) = found["variants"]
    mine = drift(read_recorded([path]), "chat", "safe").variants[0]
    assert one["drift"] == mine.drift and one["fails"] is None
    gated = bench.invoke(*words, "--max-drift", "0.02")
    assert gated.exit_code == 1 and "gate: v drifts by" in gated.stderr and "FAILS" in gated.stdout
    assert bench.invoke(*words, "--max-drift", "0.5").exit_code == 0
    assert bench.invoke("drift", "run.jsonl", "--bench", "chat", "--target", "x").exit_code == 2
    assert bench.invoke("drift", str(Path("nothing.jsonl")), "--bench", "chat", "--target", "x").exit_code == 2
