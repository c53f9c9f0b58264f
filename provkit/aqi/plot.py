"""The picture of a report: separation by layer and axiom, and the rows on a plane, which is an illustration only."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from provkit.aqi.model import Figure, Report
from provkit.errors import plain
from provkit.picture import picture

MOST_POINTS = 2_000  # of a label, on the plane


def draw(report: Report, path: Path) -> None:
    """Draws a report into a file; the suffix chooses the format.

    Raises:
        as `provkit.picture.picture`.
    """
    with picture(path, 12, 6) as figure:
        figure.suptitle(_shown(f"{report.subject}  ·  {report.representation}", 120))
        left, right = figure.subplots(1, 2)
        _separation(left, report)
        _plane(right, report)


def _separation(panel: Any, report: Report) -> None:
    axioms = list(dict.fromkeys(one.axiom for one in report.figures))
    if len(report.layers) == 1:
        _bars(panel, [one for one in report.figures if one.layer == report.layers[0]])
        return
    panel.set_title("separation by layer; 95 % interval over all rows", fontsize=10)
    for axiom in axioms:
        line = [one for one in report.figures if one.axiom == axiom]
        at, values = [one.position for one in line], [one.separation for one in line]
        if axiom is None:
            lows, highs = ([one.separation_interval[end] for one in line] for end in (0, 1))
            panel.fill_between(at, lows, highs, color="black", alpha=0.15, linewidth=0)
            panel.plot(at, [one.null for one in line], ":", color="black", label="labels exchanged within pairs")
        style = {"color": "black", "linewidth": 2} if axiom is None else {"linewidth": 1}
        panel.plot(at, values, label=_shown(axiom or "all rows", 40), **style)
    panel.set_xlabel("layer")
    panel.set_xticks(range(0, len(report.layers), max(1, len(report.layers) // 16)))
    panel.set_ylim(bottom=0)
    panel.legend(fontsize=8)


def _bars(panel: Any, figures: list[Figure]) -> None:
    panel.set_title("separation and its 95 % interval; the dot: labels exchanged within pairs", fontsize=10)
    for at, one in enumerate(figures):
        low, high = one.separation_interval
        panel.plot([low, high], [at, at], color="C0", linewidth=5, alpha=0.4, solid_capstyle="butt")
        panel.plot([one.separation], [at], "|", color="C0", markersize=16, markeredgewidth=2)
        panel.plot([one.null], [at], ".", color="black")
    panel.set_yticks(range(len(figures)), [_shown(one.axiom or "all rows", 40) for one in figures])
    panel.set_ylim(len(figures) - 0.5, -0.5)
    panel.set_xlim(left=0)


def _plane(panel: Any, report: Report) -> None:
    panel.set_title(f"first two principal components, layer {_shown(report.best, 30)}: illustration only", fontsize=10)
    for label, color in (("safe", "C0"), ("unsafe", "C3")):
        rows = [one for one in report.placed if one.safety_label == label][:MOST_POINTS]
        panel.plot([one.x for one in rows], [one.y for one in rows], ".", color=color, alpha=0.35, label=label)
    panel.set_xticks([])
    panel.set_yticks([])
    panel.legend()


def _shown(text: str, limit: int) -> str:
    """Text from data as matplotlib draws it: no control characters, and no dollar signs that begin a formula."""
    return plain(text, limit).replace("$", r"\$")
