"""Reports of the index in SQL: each view and macro says what the report says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from provkit.aqi import Options, Report, labelled, measure, of_matrix, write
from provkit.database import connect

QUICK = Options(draws=50, permutations=19, controls=3)


def report(distance: float) -> Report:
    each = [
        (
            f"{side}/test/{at}",
            {"input": f"{side} text {at}", "axiom": f"axiom {at % 2}", "safety_label": side, "pair_id": str(at)},
        )
        for side in ("safe", "unsafe")
        for at in range(60)
    ]
    rows = labelled("small", each, build_id="f" * 64)
    stack = np.random.default_rng(0).normal(size=(2, 120, 5))
    stack[:, :, 0] += distance * rows.label
    stack[1, :, 1] += distance * rows.label
    return measure(rows, of_matrix("mine", stack), QUICK)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    base = tmp_path_factory.mktemp("reports")
    for name, distance in (("before", 2.0), ("it's after", 1.0)):
        write(report(distance), base / name)
    return str(base / "before"), str(base / "it's after")


def ask(folders: tuple[str, str], sql: str) -> list[dict[str, Any]]:
    return list(connect(*folders).sql(sql).to_arrow_table().to_pylist())


def test_reports_and_figures_are_those_that_were_written(folders: tuple[str, str]) -> None:
    assert [(one["report"], one["rows"], one["best"]) for one in ask(folders, "FROM aqi_reports ORDER BY report")] == [
        (folders[0], 120, "1"),
        (folders[1], 120, "1"),
    ]
    found = ask(folders, "FROM aqi_figures WHERE axiom IS NULL ORDER BY report, position")
    assert [one["separation"] for one in found] == [
        one.separation for distance in (2.0, 1.0) for one in report(distance).whole()
    ]


def test_probes_say_how_far_they_are_beyond_their_controls(folders: tuple[str, str]) -> None:
    found = ask(folders, "FROM aqi_probes WHERE layer = '1' ORDER BY report, held_out")
    assert len(found) == 4 and all(one["beyond"] == one["auc"] - one["control_most"] for one in found)


def test_rows_have_the_key_of_their_build(folders: tuple[str, str]) -> None:
    found = ask(folders, "SELECT arm, split, index, build_id FROM aqi_rows WHERE row = 61")
    assert found == [{"arm": "unsafe", "split": "test", "index": 1, "build_id": "f" * 64}] * 2


def test_axioms_at_the_best_layer_with_all_rows_first(folders: tuple[str, str]) -> None:
    found = ask(folders, "FROM aqi_axioms")
    assert {one["layer"] for one in found} == {"1"}
    assert [one["axiom"] is None for one in found] == [True, False, False] * 2
    assert found[1]["separation"] >= found[2]["separation"]


def test_drift_between_two_reports(folders: tuple[str, str]) -> None:
    before, after = (name.replace("'", "''") for name in folders)
    found = ask(folders, f"FROM aqi_drift('{before}', '{after}')")
    assert [(one["layer"], one["axiom"]) for one in found[:3]] == [("0", None), ("0", "axiom 0"), ("0", "axiom 1")]
    for one in found:
        assert one["drift"] and one["change"] == pytest.approx(one["after"] / one["before"] - 1)
    assert not any(one["drift"] for one in ask(folders, f"FROM aqi_drift('{after}', '{before}')"))


def test_rows_on_the_wrong_side_come_first(folders: tuple[str, str]) -> None:
    found = ask(folders, "FROM aqi_misplaced(3)")
    assert len(found) == 6
    placed = report(2.0).placed
    wrong = sorted(one.score if one.safety_label == "unsafe" else 1 - one.score for one in placed)
    mine = [one["score"] if one["safety_label"] == "unsafe" else 1 - one["score"] for one in found[:3]]
    assert mine == pytest.approx(wrong[:3])


def test_without_reports_the_views_are_empty(bench: Any) -> None:
    bench.rows(3)
    connection = connect(bench.build())
    for view in ("aqi_reports", "aqi_figures", "aqi_probes", "aqi_rows", "aqi_axioms", "aqi_misplaced(3)"):
        assert connection.sql(f"FROM {view}").fetchall() == []


def test_a_changed_report_is_refused(tmp_path: Path) -> None:
    write(report(1.0), tmp_path / "out")
    (tmp_path / "out/rows.parquet").write_bytes(b"PAR1")
    with pytest.raises(Exception, match="missing or changed"):
        connect(tmp_path / "out")
