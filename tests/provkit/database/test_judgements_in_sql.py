"""Verdicts in SQL: every view and macro over a verdict directory, on pairs that were worked by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from provkit.database import connect, query
from provkit.errors import InputError
from provkit.rubrics import directory
from provkit.rubrics.drift import drift
from provkit.rubrics.tables import PAIRS, RUBRICS, VERDICTS

SEED, VARIANT = "5" * 64, "7" * 64
TEXTS = [("short", "much longer"), ("much longer", "short"), ("short", "much longer"), ("same", "size")]
LABELS = ["A", "A", "B", None]
CATEGORIES = ["x", "x", "y", "y"]
SAID = {  # straight and swapped verdicts on four pairs
    SEED: [("A", "A"), ("A", "A"), ("B", "B"), ("A", "A")],
    VARIANT: [("B", "B"), ("A", "B"), ("B", "unparsed"), ("B", None)],
}


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """A verdict directory with one set of four pairs under a seed and a variant."""
    rows = [
        dict(zip(VERDICTS.names, (rubric, "set", f"k{i}", *said, f"{rubric[0]}{i}", None), strict=True))
        for rubric, verdicts in SAID.items()
        for i, said in enumerate(verdicts)
    ]
    pairs = [
        dict(zip(PAIRS.names, ("set", f"k{i}", LABELS[i], CATEGORIES[i], f"q{i}", *TEXTS[i]), strict=True))
        for i in range(4)
    ]
    edits = '[{"operator": "add_tie_break", "draw": 1, "put": "x", "was": ""}]'
    rubrics: list[dict[str, Any]] = [
        {"rubric": SEED, "rubric_id": "seed", "is_seed": True, "text": "old", "file": "a", "adversarial": False},
        {"rubric": VARIANT, "rubric_id": "v", "is_seed": False, "text": "new", "file": "a", "adversarial": True}
        | {"parent_id": "seed", "generation": 1, "operators": ["add_tie_break"], "edits": edits},
    ]
    with directory.written(tmp_path / "verdicts") as writer:
        writer.write("verdicts", pa.Table.from_pylist(rows, schema=VERDICTS))
        writer.write("pairs", pa.Table.from_pylist(pairs, schema=PAIRS))
        writer.write("rubrics", pa.Table.from_pylist(rubrics, schema=RUBRICS))
        writer.close({"kind": "recorded"})
    return tmp_path / "verdicts"


def ask(question: str, *folders: Path) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in query(connect(*folders), question).to_pylist()]


def test_verdicts(out: Path) -> None:
    found = ask(
        "SELECT rubric_id, row_key, swapped, verdict, request FROM verdicts WHERE row_key > 'k1' ORDER BY ALL", out
    )
    assert found == [
        ("seed", "k2", False, "B", "52"), ("seed", "k2", True, "B", None),
        ("seed", "k3", False, "A", "53"), ("seed", "k3", True, "A", None),
        ("v", "k2", False, "B", "72"), ("v", "k2", True, "unparsed", None),
        ("v", "k3", False, "B", "73"),
    ]  # fmt: skip


def test_rubrics_and_variants(out: Path) -> None:
    assert ask("SELECT rubric_id, is_seed, text FROM rubrics ORDER BY ALL", out) == [
        ("seed", True, "old"),
        ("v", False, "new"),
    ]
    columns = "origin, rubric_id, parent_id, generation, operators, adversarial"
    assert ask(f"SELECT {columns} FROM variants WHERE parent_id IS NOT NULL", out) == [
        (str(out), "v", "seed", 1, ["add_tie_break"], True)
    ]
    replay = "SELECT json_extract_string(edits, '$[0].operator') FROM variants WHERE adversarial"
    assert ask(replay, out) == [("add_tie_break",)]


def test_flips(out: Path) -> None:
    """k0 turned, k1 became a tie, k2 could not be read, k3 turned in the one order that there is."""
    found = ask("SELECT rubric_id, row_key, category, label, seed_outcome, outcome FROM flips ORDER BY row_key", out)
    assert found == [("v", "k0", "x", "A", "A", "B"), ("v", "k1", "x", "A", "A", "C"), ("v", "k3", "y", None, "A", "B")]


@pytest.mark.parametrize("name", ["v", VARIANT[:8]])
def test_flips_of_one_rubric_have_the_texts(out: Path, name: str) -> None:
    found = ask(f"SELECT row_key, question, answer_a FROM flips('{name}') ORDER BY row_key", out)
    assert found == [("k0", "q0", "short"), ("k1", "q1", "much longer"), ("k3", "q3", "same")]
    assert ask("SELECT count(*) FROM flips('7')", out) == [(0,)]


def test_each_pair_beside_the_seed(out: Path) -> None:
    columns = "rubric_id, row_key, seed_outcome, outcome, seed_score, score"
    assert ask(f"SELECT {columns} FROM beside_seed() ORDER BY row_key", out) == [
        ("v", "k0", "A", "B", 1, 0), ("v", "k1", "A", "C", 1, 0.5),
        ("v", "k2", "B", "unparsed", 1, 0.5), ("v", "k3", "A", "B", None, None),
    ]  # fmt: skip


def test_drift(out: Path) -> None:
    """Of the three labelled pairs the seed has all, the variant a wrong one, a tie and an unparsed one."""
    columns = "rubric_id, dataset, pairs, seed_accuracy, accuracy, drift, flips, ties, unparsed"
    (found,) = ask(f"SELECT {columns} FROM drift", out)
    assert found[:3] == ("v", "set", 4)
    assert found[3:] == pytest.approx((1, 1 / 3, 2 / 3, 1, 1 / 4, 1 / 4))
    report = drift(directory.read(out, whole=False), "set", "set").variants[0]
    assert report.drift == pytest.approx(found[5]) and report.target.flips == pytest.approx(found[6])


def test_drift_by_a_category_or_any_expression(out: Path) -> None:
    assert ask("SELECT rubric_id, part, pairs, drift FROM drift_by(category)", out) == [
        ("v", "x", 2, 0.75),
        ("v", "y", 1, 0.5),
    ]
    longer = "SELECT part, pairs, seed_accuracy, accuracy FROM drift_by(length(answer_a) > length(answer_b))"
    assert ask(longer, out) == [(False, 2, 1.0, 0.25), (True, 1, 1.0, 0.5)]


def test_contrasts_and_orders(out: Path) -> None:
    counted = (
        f"SELECT category, label, seed_outcome, outcome, pairs FROM contrasts('{SEED}') WHERE rubric = '{VARIANT}'"
    )
    assert sorted(ask(counted, out), key=str) == sorted(
        [("x", "A", "A", "B", 1), ("x", "A", "A", "C", 1), ("y", "B", "B", "unparsed", 1), ("y", None, "A", "B", 1)],
        key=str,
    )
    ordered = f"SELECT straight, swapped, pairs FROM orders() WHERE rubric = '{VARIANT}' ORDER BY ALL"
    assert ask(ordered, out) == [("A", "B", 1), ("B", "B", 1), ("B", "unparsed", 1)]


def test_outcomes_and_scores() -> None:
    told = [
        ("A", "A"),
        ("A", "B"),
        ("C", "C"),
        ("A", None),
        (None, "B"),
        ("A", "unparsed"),
        ("unparsed", None),
        ("C", "A"),
    ]
    values = ", ".join(f"({_sql(one)}, {_sql(other)})" for one, other in told)
    found = ask(f"SELECT outcome_of(a, b) FROM (VALUES {values}) t(a, b)")
    assert [row[0] for row in found] == ["A", "C", "C", "A", "B", "unparsed", "unparsed", "C"]
    scores = "SELECT score_of('A', 'A'), score_of('B', 'A'), score_of('C', 'A'), score_of('unparsed', 'B'), score_of('A', NULL)"
    assert ask(scores) == [(1.0, 0.0, 0.5, 0.5, None)]


def test_a_damaged_directory_is_an_error_in_plain_words(out: Path) -> None:
    (out / "pairs.parquet").write_bytes(b"PAR1")
    with pytest.raises(InputError, match=r"pairs\.parquet: missing or changed"):
        connect(out)


def _sql(value: str | None) -> str:
    return "NULL::VARCHAR" if value is None else f"'{value}'"
