"""The page of an AQI report: figures with their intervals, separation as a picture, probes, rows out of place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from typing import Any

from provkit.aqi import report
from provkit.errors import plain
from provkit.report.intervals import Axis, Interval, axis
from provkit.report.page import Asked, Page

WIDE, HIGH = 640.0, 320.0  # units of the picture over layers
EDGE = 40.0
PLANE = 420.0  # units of a side of the plane
MOST_POINTS = 2_000  # of a label, on the plane
MISPLACED = 10  # rows of each label that lie nearest to the other
OTHER = {  # figures beside separation, and what they are called
    "chi": "CHI",
    "xbi": "XBI",
    "aqi_sum": "AQI sum",
    "aqi_product": "AQI product",
    "davies_bouldin": "DB",
    "dunn": "Dunn",
    "silhouette": "silhouette",
    "length_auc": "length AUC",
    "words_auc": "words AUC",
}


@dataclass(frozen=True, slots=True)
class Figure:
    """The index of one layer and axiom: separation as a picture, and the other figures with their ends."""

    layer: str
    axiom: str
    safe: int
    unsafe: int
    separation: Interval
    corrected: float | None
    null: float | None
    p: float | None
    others: list[tuple[float | None, float | None, float | None]]


@dataclass(frozen=True, slots=True)
class Lines:
    """Separation over layers: the whole set with interval and null, and a line for each axiom, as SVG points."""

    across: Axis
    up: Axis
    layers: list[tuple[float, str]]
    whole: str
    null: str
    band: str
    axioms: list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Plane:
    """The rows on two principal components: a path of points for each label."""

    safe: str
    unsafe: str


@dataclass(frozen=True, slots=True)
class Content:
    """What the template lays out; `lines` where there are several layers, `plane` where rows were placed.

    Attributes:
        best: the layer that the rows were placed at.
        misplaced: unsafe rows most on the safe side, and safe rows that lie most on the unsafe one.
        others: names of the further figures.
    """

    figures: list[Figure]
    scale: Axis
    others: list[str]
    lines: Lines | None
    plane: Plane | None
    best: str
    probes: list[dict[str, Any]]
    misplaced: list[tuple[str, list[dict[str, Any]]]]


def page(folder: Path, asked: Asked) -> Page:
    """The page of a report directory of `provkit aqi`.

    Raises:
        InputError: when a file of it is missing or changed.
    """
    opened = report.read(folder)
    said, rows = opened.facts, opened.rows("rows")
    figures = opened.rows("figures")
    scale = axis([one[name] for one in figures for name in _names("separation")], least=0.0)
    content = Content(
        [_figure(one, scale) for one in figures],
        scale,
        list(OTHER.values()),
        _lines(figures) if len({one["position"] for one in figures}) > 1 else None,
        _plane(rows),
        said["best"],
        opened.rows("probes"),
        _misplaced(rows),
    )
    return Page(
        kind="aqi",
        title=f"Alignment Quality Index of {plain(str(said['subject']), 80)}",
        facts=[
            ("set", f"{said['subject']}, {said['rows']:,} rows, {said['rows_digest'][:16]}…"),
            ("representation", said["representation"]),
            ("layers", f"{len(said['layers']):,}; {said['best']} separates best"),
            ("intervals", f"95 %, {said['options']['draws']:,} draws of {said['clusters']:,} ({said['clustered_by']})"),
            ("sources", ", ".join(said["sources"])),
            ("made by", f"provkit {said['provkit']}"),
        ],
        notes=list(said["warnings"]),
        content=content,
        next=f'provkit query {quote(str(folder))} "FROM aqi_axioms"',
    )


def _names(name: str) -> tuple[str, str, str]:
    return name, f"{name}_low", f"{name}_high"


def _figure(one: dict[str, Any], scale: Axis) -> Figure:
    value, low, high = (one[name] for name in _names("separation"))
    listed = [[one.get(name) for name in _names(column)] for column in OTHER]
    return Figure(
        one["layer"],
        one["axiom"] if one["axiom"] is not None else "(all)",
        one["safe"],
        one["unsafe"],
        scale.interval(value, low, high),
        one["corrected"],
        one["null"],
        one["p"],
        [(first, second, third) for first, second, third in listed],
    )


def _lines(figures: Sequence[dict[str, Any]]) -> Lines:
    whole = sorted((one for one in figures if one["axiom"] is None), key=lambda one: one["position"])
    across = axis([float(one["position"]) for one in figures], width=WIDE, edge=EDGE)
    up = axis([one[name] for one in figures for name in ("separation", "null")]
              + [one[name] for one in whole for name in _names("separation")], 0.0, HIGH, 20.0, True)  # fmt: skip

    def points(listed: Sequence[dict[str, Any]], name: str) -> str:
        places = [(across.at(float(one["position"])), up.at(one[name])) for one in listed]
        return " ".join(f"{x},{y}" for x, y in places if x is not None and y is not None)

    axioms = dict.fromkeys(one["axiom"] for one in figures if one["axiom"] is not None)
    ends = [one for one in whole if one["separation_low"] is not None and one["separation_high"] is not None]
    band = f"{points(ends, 'separation_low')} {points(ends[::-1], 'separation_high')}"
    every = max(1, len(whole) // 12)
    return Lines(
        across,
        up,
        [(across.at(float(one["position"])) or 0.0, one["layer"]) for one in whole[::every]],
        points(whole, "separation"),
        points(whole, "null"),
        band,
        [(name, points([one for one in figures if one["axiom"] == name], "separation")) for name in axioms],
    )


def _plane(rows: Sequence[dict[str, Any]]) -> Plane | None:
    known = [one for one in rows if one["x"] is not None and one["y"] is not None]
    if not known:
        return None
    across, up = (axis([one[name] for one in known], width=PLANE, edge=8.0) for name in "xy")

    def path(label: str) -> str:
        some = [one for one in known if one["safety_label"] == label][:MOST_POINTS]
        return " ".join(f"M{across.at(one['x'])} {up.at(-one['y'] + up.high + up.low)}h0" for one in some)

    return Plane(path("safe"), path("unsafe"))


def _misplaced(rows: Sequence[dict[str, Any]]) -> list[tuple[str, list[dict[str, Any]]]]:
    known = sorted((one for one in rows if one["score"] is not None), key=lambda one: (one["score"], one["row"]))
    unsafe = [one for one in known if one["safety_label"] == "unsafe"][:MISPLACED]
    safe = [one for one in reversed(known) if one["safety_label"] == "safe"][:MISPLACED]
    return [
        ("unsafe rows most on the safe side", unsafe),
        ("safe rows most on the unsafe side", safe),
    ]
