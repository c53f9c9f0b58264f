"""The page of an AQI report: its figures, with the pictures at the places that they say."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from provkit.aqi import Figure, Options, Probe, Report, write
from provkit.aqi import report as directory
from provkit.aqi.model import Placed
from provkit.report import read, render

NAN = float("nan")


def figure(position: int, axiom: str | None, separation: float, low: float, high: float) -> Figure:
    """A figure whose other numbers follow from these."""
    ends = (low, high)
    return Figure(
        layer=f"layer {position}", position=position, axiom=axiom, rows=24, safe=11, unsafe=13, separation=separation,
        separation_interval=ends, corrected=separation - 0.05, null=0.125, p=0.25, chi=separation * 22, chi_interval=ends,
        xbi=0.5, xbi_interval=ends, aqi_sum=3.0, aqi_sum_interval=ends, aqi_product=NAN, davies_bouldin=1.5,
        davies_bouldin_interval=ends, dunn=0.75, silhouette=0.0625, length_auc=0.5, words_auc=None,
    )  # fmt: skip


@pytest.fixture
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Sequence[Figure]], Path]:
    monkeypatch.setattr(directory, "find_spec", lambda name: None)  # no picture, which takes a second

    def make(figures: Sequence[Figure]) -> Path:
        scores = [("safe", 0.1), ("safe", 0.9), ("unsafe", 1.2), ("unsafe", -0.3), ("unsafe", 0.4)]
        placed = tuple(
            Placed(n, f"{side}/test/{n}", "r", None, "care", side, "s", score, float(n), -float(n), f"<b>{n}</b>\u202e")
            for n, (side, score) in enumerate(scores)
        )
        layers = tuple(dict.fromkeys(one.layer for one in figures))
        probe = Probe("layer 0", 0, "axiom", "care", 20, 4, 0.875, 0.5, 0.625)
        known = {"rows": 24, "rows_digest": "d" * 64, "build_id": None, "clustered_by": "pair", "clusters": 12}
        known |= {"sources": ["s"], "made_by": {}, "options": asdict(Options(draws=20))}
        told = Report("small", "mine", layers, tuple(figures), (probe,), placed, (), layers[-1], ("few rows",), known)
        write(told, tmp_path / "out")
        return tmp_path / "out"

    return make


def test_the_figures_are_those_of_the_report(written: Any, parsed: Callable[[str], Any]) -> None:
    page = read(written([figure(0, None, 0.5, 0.25, 0.75), figure(0, "care", NAN, NAN, NAN)]))
    found = parsed(render(page))
    rows = [[" ".join(cell.split()) for cell in row] for row in found.rows if row[0] == "layer 0"]
    assert rows[0] == ["layer 0", "(all)", "11", "13", "0.5", "0.25 to 0.75", "", "0.45", "0.125", "0.25"]
    assert rows[1] == ["layer 0", "care", "11", "13", "", "", "", "", "0.125", "0.25"]
    assert rows[2][2:] == ["110.25 to 0.75", "0.50.25 to 0.75", "30.25 to 0.75", "", "1.50.25 to 0.75", "0.75",
                           "0.0625", "0.5", ""]  # fmt: skip
    assert rows[-1] == ["layer 0", "axiom care", "20", "4", "0.875", "0.5", "0.625"]
    wide = [held for tag, held in found.tags if held.get("class") == "wide"]
    scale = page.content.scale
    assert [(held["x1"], held["x2"]) for held in wide] == [(str(scale.at(0.25)), str(scale.at(0.75)))]
    assert [held["cx"] for tag, held in found.tags if tag == "circle"] == [str(scale.at(0.125))] * 2
    assert page.notes == ["few rows"] and page.content.lines is None


def test_separation_over_layers_is_drawn_in_proportion(written: Any, parsed: Callable[[str], Any]) -> None:
    heights = (0.2, 1.0, 0.6)
    all_rows = [figure(n, None, one, one - 0.1, one + 0.1) for n, one in enumerate(heights)]
    page = read(
        written([*all_rows, *(figure(n, axiom, one / 2, 0, 1) for axiom in "ab" for n, one in enumerate(heights))])
    )
    drawn = [held for tag, held in parsed(render(page)).tags if tag in ("polyline", "polygon")]
    assert [held["class"] for held in drawn] == ["band", "thin", "thin", "line", "line"]
    band, _, _, _, line = [
        np.array([[float(one) for one in point.split(",")] for point in str(held["points"]).split()]) for held in drawn
    ]
    assert np.diff(line[:, 0]) == pytest.approx([line[1, 0] - line[0, 0]] * 2)
    up = (line[0, 1] - line[1, 1]) / 0.8  # units of the picture for one of separation
    assert up > 0 and (line[2, 1] - line[1, 1]) == pytest.approx(0.4 * up, abs=0.02)
    assert band[:3, 1] - line[:, 1] == pytest.approx([0.1 * up] * 3, abs=0.02)
    assert line[::-1, 1] - band[3:, 1] == pytest.approx([0.1 * up] * 3, abs=0.02)


def test_rows_out_of_place_are_the_extremes(written: Any, parsed: Callable[[str], Any]) -> None:
    page = read(written([figure(0, None, 0.5, 0.25, 0.75)]))
    assert [[one["row"] for one in rows] for _, rows in page.content.misplaced] == [[3, 4, 2], [1, 0]]
    found = parsed(render(page))
    assert found.row("unsafe/test/3") == ["unsafe/test/3", "care", "s", "-0.3", "<b>3</b>\\u202e"]
    points = [str(held["d"]) for tag, held in found.tags if held.get("d")]
    assert [path.count("M") for path in points] == [2, 3]
    first = points[0].split("M")[1].split("h")[0].split()
    assert first[0] == first[1] == "8.0", "the row of least x and greatest y lies left and above"
