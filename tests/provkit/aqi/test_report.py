"""The report directory: its tables, its digests, its picture, and two of them compared."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import orjson
import pyarrow.parquet as pq
import pytest

from provkit.aqi import LabelledRows, Options, Side, compare, measure, of_matrix, read, write
from provkit.aqi.plot import draw
from provkit.aqi.report import FILE
from provkit.errors import InputError, ProvkitError

Make = Callable[..., LabelledRows]
Apart = Callable[..., np.ndarray]
QUICK = Options(draws=200, permutations=19, controls=2)


@pytest.fixture
def rows(make_rows: Make) -> LabelledRows:
    return make_rows(64)


def test_the_tables_hold_what_was_measured(rows: LabelledRows, apart: Apart, tmp_path: Path) -> None:
    report = measure(rows, of_matrix("mine", apart(rows, 1.0)), QUICK)
    names = write(report, tmp_path / "out")
    assert {FILE, "figures.parquet", "probes.parquet", "rows.parquet", "draws.parquet"} <= set(names)
    opened = read(tmp_path / "out")
    figures, placed = opened.rows("figures"), opened.rows("rows")
    assert [one["separation"] for one in figures] == [one.separation for one in report.figures]
    assert [one["xbi_high"] for one in figures] == [one.xbi_interval[1] for one in report.figures]
    assert figures[0]["axiom"] is None and len(placed) == 128
    assert len(opened.rows("draws")[0]["separation"]) == 200
    assert [one["auc"] for one in opened.rows("probes")] == [one.auc for one in report.probes]
    facts = opened.facts
    assert (facts["subject"], facts["representation"], facts["rows"]) == ("small", "mine", 128)
    assert facts["rows_digest"] == rows.digest and facts["clustered_by"] == "pair"
    assert str(tmp_path) not in (tmp_path / "out" / FILE).read_text()


def test_texts_are_masked_unless_they_are_asked_for(rows: LabelledRows, apart: Apart, tmp_path: Path) -> None:
    for shown in (False, True):
        report = measure(rows, of_matrix("x", apart(rows, 1.0)), replace(QUICK, excerpts=shown))
        write(report, tmp_path / "out")
        excerpts = pq.read_table(tmp_path / "out/rows.parquet").column("excerpt").to_pylist()
        assert (excerpts[0] == rows.texts[0]) == shown
        raw = b"".join(path.read_bytes() for path in (tmp_path / "out").iterdir())
        assert (b"word number" in raw) == shown or shown


def test_what_is_not_defined_is_null(make_rows: Make, tmp_path: Path) -> None:
    rows = make_rows(3)
    report = measure(rows, of_matrix("x", np.zeros((6, 2))), Options(draws=5, permutations=0, controls=0))
    write(report, tmp_path / "out")
    one = read(tmp_path / "out").rows("figures")[0]
    assert one["separation"] is None and one["p"] is None and one["words_auc"] is None


def test_a_changed_or_missing_file_is_found(rows: LabelledRows, apart: Apart, tmp_path: Path) -> None:
    out = tmp_path / "out"
    write(measure(rows, of_matrix("x", apart(rows, 1.0)), QUICK), out)
    (out / "probes.parquet").write_bytes((out / "probes.parquet").read_bytes() + b" ")
    with pytest.raises(InputError, match="missing or changed since it was written"):
        read(out)
    facts = orjson.loads((out / FILE).read_bytes())
    (out / FILE).write_bytes(orjson.dumps({**facts, "best": "other"}))
    with pytest.raises(InputError, match="its content does not fit its digest"):
        read(out)
    (out / FILE).write_bytes(b"{}")
    with pytest.raises(InputError, match="damaged"):
        read(out)
    with pytest.raises(InputError, match="no report directory"):
        read(tmp_path)


def test_a_directory_of_something_else_is_left_alone(rows: LabelledRows, apart: Apart, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out/thesis.tex").write_text("mine")
    with pytest.raises(ProvkitError, match=r"holds what provkit did not make: thesis.tex"):
        write(measure(rows, of_matrix("x", apart(rows, 1.0)), QUICK), tmp_path / "out")


@pytest.mark.parametrize("layers", [1, 3])
def test_the_picture_is_drawn_and_calls_the_plane_an_illustration(
    rows: LabelledRows, apart: Apart, tmp_path: Path, layers: int
) -> None:
    pytest.importorskip("matplotlib", reason="the picture needs the extra plot")
    stack = np.stack([apart(rows, 1.0, seed) for seed in range(layers)])
    report = measure(rows, of_matrix("x $y$", stack[0] if layers == 1 else stack), QUICK)
    draw(report, tmp_path / "p.svg")
    drawn = (tmp_path / "p.svg").read_text(encoding="utf-8")
    assert "illustration only" in drawn and "separation" in drawn
    write(report, tmp_path / "out")
    assert (tmp_path / "out/picture.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(InputError, match="a picture ends in"):
        draw(report, tmp_path / "p.txt")


def test_a_fall_of_ten_percent_is_drift_and_smaller_ones_are_not(rows: LabelledRows, apart: Apart) -> None:
    base = apart(rows, 2.0)
    less = base.copy()
    less[:, 1:] *= 1.2  # more scatter within, the means as they were
    before, same, after = (Side.of(measure(rows, of_matrix("x", one), QUICK)) for one in (base, base * 3, less))
    assert all(one.change == pytest.approx(0) and not one.drift for one in compare(before, same))
    found = compare(before, after)
    for one in found:
        assert one.change == pytest.approx(one.after / one.before - 1)
        assert one.change_interval[0] <= one.change <= one.change_interval[1]
        assert one.drift and one.sure and one.change < -0.1
    assert not any(one.drift for one in compare(before, after, fall=0.9))
    assert all(one.change > 0 and not one.drift for one in compare(after, before))


def test_draws_are_paired_so_that_equal_representations_differ_by_nothing(rows: LabelledRows, apart: Apart) -> None:
    base = apart(rows, 1.0)
    before, after = (Side.of(measure(rows, of_matrix("x", one), QUICK)) for one in (base, base * 7))
    for one in compare(before, after):
        assert one.change_interval == pytest.approx((0, 0), abs=1e-9)


def test_reports_read_back_compare_as_those_at_hand(rows: LabelledRows, apart: Apart, tmp_path: Path) -> None:
    reports = [measure(rows, of_matrix("x", apart(rows, distance)), QUICK) for distance in (2.0, 1.0)]
    for name, report in zip("ab", reports, strict=True):
        write(report, tmp_path / name)
    at_hand = compare(*map(Side.of, reports))
    assert compare(*(Side.opened(read(tmp_path / name)) for name in "ab")) == at_hand


def test_reports_of_other_rows_draws_or_layers_do_not_compare(make_rows: Make, apart: Apart) -> None:
    rows, others = make_rows(64), make_rows(65)
    base = Side.of(measure(rows, of_matrix("x", apart(rows, 1.0)), QUICK))
    for other, said in (
        (measure(others, of_matrix("x", apart(others, 1.0)), QUICK), "different rows"),
        (measure(rows, of_matrix("x", apart(rows, 1.0)), replace(QUICK, seed=1)), "different seeds"),
        (measure(rows, of_matrix("x", apart(rows, 1.0)), replace(QUICK, draws=10)), "different numbers of draws"),
        (measure(rows, of_matrix("x", apart(rows, 1.0)[None]), QUICK), "share no layer"),
    ):
        with pytest.raises(InputError, match=said):
            compare(base, Side.of(other))
