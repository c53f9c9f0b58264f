"""Alignment discretion on a table of twelve rows worked by hand, and against scipy."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provkit.discretion import measure, read_annotator, read_preferences
from provkit.discretion.bradley_terry import weights
from provkit.discretion.measures import agreement, kendall
from provkit.discretion.principles import read_principles
from provkit.errors import InputError

# p1 p2 p3, annotator a, annotator b; + is the answer A, - is B, . is none
TABLE = """
    + + +   + +
    + + .   - +
    - . .   - -
    . - -   - -
    + - .   + +
    + - .   - +
    - + .   - -
    + . -   + +
    . + -   - -
    . + -   + +
    . . .   + +
    + + .   . +
"""
SAID = {"+": (0.7, 0.2, 0.1), "-": (0.2, 0.7, 0.1), ".": (0.1, 0.1, 0.8)}
MEANT = {"+": "A", "-": "B", ".": None}
Row = dict[str, Any]


def rows() -> list[Row]:
    """Both orders of every row and principle; in order 1 the probabilities are the other way round."""
    made = []
    for at, line in enumerate(TABLE.split("\n")[1:-1]):
        marks = line.split()
        for principle, mark in enumerate(marks[:3]):
            a, b, none = SAID[mark]
            for order in (0, 1):
                shown = (a, b) if order == 0 else (b, a)
                made.append(
                    {"row_id": f"r{at}", "principle_id": f"p{principle + 1}", "order": order}
                    | dict(zip(("prob_A", "prob_B", "prob_NA"), (*shown, none), strict=True))
                    | {"a": MEANT[marks[3]], "b": {"+": 1, "-": -1}[marks[4]]}
                )
    return made


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "preferences.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows()))
    return path


def test_the_table_worked_by_hand(table: Path) -> None:
    found = read_preferences(table, ["a", "b"])
    report = measure(found, samples=0)
    assert (report.consensus.value, report.conflict.value, report.indifference.value) == (5 / 12, 6 / 12, 1 / 12)
    a, b = report.annotators
    assert (a.rows, a.consensus_rows) == (11, 4)  # the last row is consensus, but a has no preference there
    assert a.arbitrariness.value == 1 / 4 and b.arbitrariness.value == 0
    assert a.compared == [[0, 3, 1], [3, 0, 2], [1, 2, 0]]
    assert a.supremacy == [[None, 2 / 3, 1.0], [1 / 3, None, 1 / 2], [0.0, 1 / 2, None]]
    assert b.supremacy == [[None, 1.0, 1.0], [0.0, None, 1 / 2], [0.0, 1 / 2, None]]
    assert [b.weights[name].value for name in ("p1", "p2", "p3")] == ["infinity", 0.0, 0.0]
    w = [float(str(a.weights[name].value)) for name in ("p1", "p2", "p3")]
    won, met = [[0, 2, 1], [1, 0, 1], [0, 1, 0]], a.compared
    for i in range(3):  # at the maximum each has as many wins as its weight makes likely
        likely = sum(met[i][j] / (1 + math.exp(w[j] - w[i])) for j in range(3))
        assert sum(won[i]) == pytest.approx(likely, abs=1e-9)
    assert sum(w) == pytest.approx(0, abs=1e-12) and w[0] > w[1] > w[2]
    (one, other, difference) = report.differences[0]
    assert (one, other) == ("a", "b")
    # of three pairs of principles two are ordered alike, the third is a tie for b: tau-b = 2 / sqrt(3 * 2)
    assert difference.value == pytest.approx((1 - 2 / math.sqrt(6)) / 2)


def test_both_orders_or_the_first_alone(table: Path) -> None:
    """Where the orders differ their mean is 0, where one of them has none there is none; a tie of A and B is 0."""
    changed = rows()
    for row in changed:
        key = (row["row_id"], row["principle_id"], row["order"])
        if key == ("r0", "p1", 1):
            row |= {"prob_A": 0.7, "prob_B": 0.2}
        if key == ("r0", "p2", 1):
            row |= {"prob_NA": 0.9}
        if key[:2] == ("r0", "p3"):
            row |= {"prob_A": 0.4, "prob_B": 0.4}
        if key == ("r1", "p1", 1):
            row |= {"prob_A": 0.4, "prob_B": 0.4}
    table.write_text("".join(json.dumps(row) + "\n" for row in changed))
    both, first = read_preferences(table).values, read_preferences(table, orders="first").values
    assert both[0].tolist()[0] == 0 and math.isnan(both[0][1]) and both[0][2] == 0
    assert both[1][0] == 0.5
    assert first[0].tolist() == [1, 1, 0] and first[1][0] == 1
    assert agreement(both).indifference[0] and agreement(first).consensus[0]


def test_prob_na_has_to_be_the_largest(tmp_path: Path) -> None:
    path = tmp_path / "p.csv"
    path.write_text("row_id,principle_id,order,prob_A,prob_B,prob_NA,cost\n0,0,0,0.4,0.2,0.4,1\n1,0,0,0.3,0.2,0.5,1\n")
    found = read_preferences(path)
    assert found.values[0][0] == 1 and math.isnan(found.values[1][0])
    assert found.notes == ("the file has order 0 alone: preferences are those of one order",)


def test_an_annotator_of_another_file(table: Path, tmp_path: Path) -> None:
    found = read_preferences(table)
    path = tmp_path / "other.csv"
    path.write_text(
        "row_id,order,prob_A,prob_B,prob_NA\nr0,0,0.9,0.1,0\nr0,1,0.1,0.9,0\nr1,0,0.9,0.1,0\nr1,1,0.9,0.1,0\n"
    )
    values = read_annotator(path, "model", found.rows)
    assert values[0] == 1 and values[1] == 0 and np.isnan(values[2:]).all()
    path.write_text("row_id,model\nr0,model_b\nr2,0.3\n")
    values = read_annotator(path, "model", found.rows)
    assert values[0] == -1 and values[2] == 1 and math.isnan(values[1])


def test_what_is_wrong_is_named(table: Path) -> None:
    with pytest.raises(InputError, match="no column 'humn' for the annotator"):
        read_preferences(table, ["humn"])
    text = table.read_text()
    table.write_text(text + text.splitlines()[0] + "\n")
    with pytest.raises(InputError, match="row r0 and principle p1 stand twice in order 0"):
        read_preferences(table)
    table.write_text(text.replace('"a": "A"', '"a": "B"', 1))
    with pytest.raises(InputError, match="a: two values for the row r0"):
        read_preferences(table, ["a"])
    table.write_text(text.replace('"a": "A"', '"a": "left"', 1))
    with pytest.raises(InputError, match="'left' says neither A nor B"):
        read_preferences(table, ["a"])


def test_infinities_of_the_bradley_terry_fit() -> None:
    assert weights(np.array([[0, 5.0], [0, 0]])).tolist() == [math.inf, -math.inf]
    order = weights(np.array([[0, 1.0, 1], [0, 0, 1], [0, 0, 0]]))
    assert order.tolist() == [math.inf, 0.0, -math.inf]
    lost = weights(np.array([[0, 2.0, 1, 0], [1, 0, 1, 0], [0, 0, 0, 0], [0, 0, 0, 0]]))
    assert (
        lost[:2] == pytest.approx([math.log(2) / 2, -math.log(2) / 2]) and lost[2] == -math.inf and math.isnan(lost[3])
    )
    assert np.isnan(weights(np.zeros((3, 3)))).all()


@settings(deadline=None, max_examples=40)
@given(st.lists(st.integers(1, 30), min_size=12, max_size=12))
def test_the_fit_is_the_maximum_that_scipy_finds(counts: list[int]) -> None:
    optimize = pytest.importorskip("scipy.optimize", reason="compared with scipy")
    won = np.zeros((4, 4))
    won[~np.eye(4, dtype=bool)] = counts

    def loss(w: Any) -> float:
        return float((won * np.log1p(np.exp(w[None, :] - w[:, None]))).sum())

    theirs = optimize.minimize(loss, np.zeros(4), method="BFGS", options={"gtol": 1e-8}).x
    assert weights(won) == pytest.approx(theirs - theirs.mean(), abs=1e-4)


@settings(deadline=None)
@given(st.lists(st.tuples(*[st.sampled_from([-math.inf, -1.0, 0.0, 0.5, 2.0, math.inf])] * 2), min_size=2, max_size=25))
def test_kendall_is_that_of_scipy(pairs: list[tuple[float, float]]) -> None:
    stats = pytest.importorskip("scipy.stats", reason="compared with scipy")
    x, y = (np.array(side) for side in zip(*pairs, strict=True))
    ranked = [np.unique(side, return_inverse=True)[1] for side in (x, y)]
    theirs = stats.kendalltau(*ranked, variant="b").statistic
    assert kendall(x, y) == pytest.approx(theirs, nan_ok=True)


def test_bootstrap_intervals_hold_the_value_and_are_seeded(table: Path) -> None:
    found = read_preferences(table, ["a", "b"])
    report = measure(found, samples=400, seed=3)
    one = report.annotators[0].arbitrariness
    assert one.low is not None and one.low <= one.value <= one.high  # type: ignore[operator]
    assert measure(found, samples=400, seed=3) == report != measure(found, samples=400, seed=4)
    share = report.consensus
    # a binomial share of 5/12 over 12 rows: percentiles of Bin(12, 5/12) / 12
    stats = pytest.importorskip("scipy.stats", reason="compared with scipy")
    low, high = stats.binom.ppf([0.025, 0.975], 12, 5 / 12) / 12
    assert abs(float(str(share.low)) - low) <= 1 / 12 + 1e-9 and abs(float(str(share.high)) - high) <= 1 / 12 + 1e-9


def test_the_principles_of_the_catalog_make_rubrics() -> None:
    found = read_principles()
    rubrics = found.rubrics()
    assert len(rubrics) == len(found.listed) >= 12 and len({one.digest for one in rubrics}) == len(rubrics)
    assert all(one.text in rubric.text for one, rubric in zip(found.listed, rubrics, strict=True))


def test_the_command(bench: Any, table: Path) -> None:
    words = ["discretion", str(table), "--annotator", "a", "--annotator", "b", "--samples", "20"]
    made = bench.invoke(*words, "--format", "json", "--quiet")
    assert made.exit_code == 0, made.output
    said = json.loads(made.stdout)
    assert said["annotators"][1]["weights"]["p1"]["value"] == "infinity"
    shown = bench.invoke(*words)
    assert "arbitrariness" in shown.stdout and "infinity" in shown.stdout
    assert bench.invoke("discretion", str(table), "--annotator", "c").exit_code == 2
