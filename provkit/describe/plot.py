"""The measures as one picture: lengths, distinct-n, entropy and freedom by arm, nearness to the evaluation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from provkit.describe.model import ArmMeasures, Description
from provkit.errors import plain
from provkit.picture import picture


def draw(description: Description, path: Path) -> None:
    """Draws a description into a file; the suffix chooses the format.

    Raises:
        as `provkit.picture.picture`.
    """
    arms = description.arms
    with picture(path, 11, 7.5) as figure:
        figure.suptitle(f"{description.name}  ·  build {description.build_id[:12]}")
        panels = figure.subplots(2, 2)
        _lengths(panels[0, 0], arms)
        _distinct(panels[0, 1], arms)
        _shares(panels[1, 0], arms)
        _near(panels[1, 1], arms, description.evaluation)


def _lengths(panel: Any, arms: tuple[ArmMeasures, ...]) -> None:
    panel.set_title("tokens a text: 5th percentile, median, 95th; mean as a point", fontsize=10)
    labels: list[str] = []
    for arm in arms:
        for side, color in ((arm.prompts, "C0"), (arm.answers, "C1")):
            if side is None:
                continue
            at = len(labels)
            found = side.lengths
            panel.plot([found.p05, found.p95], [at, at], color=color, linewidth=6, alpha=0.4, solid_capstyle="butt")
            panel.plot([found.median], [at], "|", color=color, markersize=16, markeredgewidth=2)
            panel.plot([found.mean], [at], "o", color=color)
            labels.append(f"{arm.arm} {'prompt' if color == 'C0' else 'answer'}")
    panel.set_yticks(range(len(labels)), labels)
    panel.set_ylim(len(labels) - 0.5, -0.5)
    panel.set_xlim(left=0)


def _distinct(panel: Any, arms: tuple[ArmMeasures, ...]) -> None:
    panel.set_title("distinct-n of the answers", fontsize=10)
    shown = [arm for arm in arms if arm.answers is not None]
    width = 0.8 / max(1, len(shown))
    for at, arm in enumerate(shown):
        assert arm.answers is not None
        panel.bar([n + at * width for n in range(3)], arm.answers.distinct_n, width, label=arm.arm)
    panel.set_xticks([n + 0.4 - width / 2 for n in range(3)], ["n = 1", "n = 2", "n = 3"])
    if shown:
        panel.legend()


def _shares(panel: Any, arms: tuple[ArmMeasures, ...]) -> None:
    panel.set_title("token entropy in bits, and response freedom", fontsize=10)
    names, prompts, answers, free = [], [], [], []
    for arm in arms:
        names.append(arm.arm)
        prompts.append(arm.prompts.token_entropy if arm.prompts else 0.0)
        answers.append(arm.answers.token_entropy if arm.answers else 0.0)
        free.append(arm.freedom or 0.0)
    places = range(len(names))
    panel.bar([at - 0.27 for at in places], prompts, 0.27, label="prompts, bits")
    panel.bar(list(places), answers, 0.27, label="answers, bits")
    panel.set_xticks(list(places), names)
    share = panel.twinx()
    share.bar([at + 0.27 for at in places], free, 0.27, color="C2", label="freedom (right scale)")
    share.set_ylim(0, 1)
    handles = [panel.get_legend_handles_labels(), share.get_legend_handles_labels()]
    panel.legend(handles[0][0] + handles[1][0], handles[0][1] + handles[1][1], loc="upper left")
    panel.margins(y=0.35)


def _near(panel: Any, arms: tuple[ArmMeasures, ...], evaluation: str | None) -> None:
    if evaluation is None:
        panel.set_axis_off()
        panel.text(0.5, 0.5, "no evaluation file given (--eval FILE)", ha="center", va="center")
        return
    panel.set_title(f"nearest in {plain(evaluation, 20)}: median to 95th percentile, most", fontsize=10)
    labels: list[str] = []
    for arm in arms:
        for near in arm.near:
            at = len(labels)
            panel.plot([near.median, near.p95], [at, at], color="C3", linewidth=6, alpha=0.4, solid_capstyle="butt")
            panel.plot([near.most], [at], "o", color="C3")
            labels.append(f"{arm.arm} {near.by}")
    panel.set_yticks(range(len(labels)), labels)
    panel.set_ylim(len(labels) - 0.5, -0.5)
    panel.set_xlim(-0.02, 1.02)
