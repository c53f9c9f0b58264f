"""The page of a build: counts through the steps, drops by reason, samples of each arm side by side, the audit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from provkit import manifest
from provkit.build import AUDIT
from provkit.canary import canary_of
from provkit.errors import InputError
from provkit.manifest import Manifest
from provkit.report.audit import Findings, findings_of
from provkit.report.files import checked
from provkit.report.flow import WIDTH, Lane, Picture, lanes, picture
from provkit.report.page import Asked, Page, canary_note
from provkit.report.samples import Sample, samples

DROPS = "lineage/drops.parquet"


@dataclass(frozen=True, slots=True)
class Reason:
    """Why rows were left out: how many, and the width of a bar."""

    arm: str
    step: str
    reason: str
    rows: int
    width: float


@dataclass(frozen=True, slots=True)
class Content:
    """What the template lays out.

    Attributes:
        summary, published: of the recipe.
        lanes: sources, then arms; `flow` is a picture of them.
        drops: by arm, step and reason, most first.
        samples: rows of each arm side by side, twins in one line where rows come in pairs.
        paired: whether they do.
        masked: whether the texts of samples are masked.
        inputs: name, rows, sha256.
        findings: of audit.json; None where the build was not audited. `rules` is what the audit asked.
        confounds: how well something else than its meaning tells the label of a row, where rows have one.
    """

    summary: str
    published: str | None
    lanes: list[Lane]
    flow: Picture
    drops: list[Reason]
    samples: list[Sample]
    paired: bool
    masked: bool
    inputs: list[tuple[str, str, int, str]]
    findings: Findings | None
    rules: str
    confounds: list[tuple[str, float, int]]


def page(folder: Path, asked: Asked) -> Page:
    """The page of a build directory.

    Raises:
        InputError: when its manifest is damaged, or a file that is shown is missing or changed.
    """
    found = manifest.read(folder)
    recipe = found.facts["recipe"]
    canary = canary_of(recipe["sensitivity"], found.build_id)
    masked = canary is not None and not asked.excerpts
    notes = []
    if masked:
        notes.append(f"the set is {recipe['sensitivity']}, so the texts of its rows are masked; --excerpts shows them")
    elif canary is not None:
        notes.append(canary_note(canary))
    audit = _audit(folder, found)
    listed = lanes(found)
    content = Content(
        recipe["summary"],
        recipe.get("published"),
        listed,
        picture(listed),
        _drops(folder, found),
        samples(folder, found, masked),
        bool(recipe["pair"]),
        masked,
        [(one.source, one.file or one.kind, one.rows, one.sha256) for one in found.inputs],
        None if audit is None else findings_of(audit["findings"], folder / AUDIT),
        "" if audit is None else ", ".join(map(str, audit["rules"])),
        _confounds(audit, folder / AUDIT),
    )
    rows = sum(out.rows or 0 for out in found.data())
    return Page(
        kind="build",
        title=f"Build of {recipe['name']}",
        facts=[
            ("recipe", f"{recipe['name']} version {recipe['version']}, seed {recipe['seed']}"),
            ("build", found.build_id),
            ("rows", f"{rows:,} in {len(found.arms):,} arm{'s' * (len(found.arms) != 1)}"),
            ("dropped", f"{sum(one.rows for one in content.drops):,}"),
            ("licence", recipe["licence"]),
            ("sensitivity", recipe["sensitivity"]),
            ("after", recipe.get("paper") or "no paper"),
            ("made by", ", ".join(f"{name} {number}" for name, number in found.facts["versions"].items())),
        ],
        notes=notes,
        content=content,
        next=f"provkit verify {quote(str(folder))}",
    )


def _drops(folder: Path, found: Manifest) -> list[Reason]:
    path = checked(folder, found, DROPS)
    try:
        table = pq.read_table(path, columns=["arm", "step", "reason"])
    except (pa.ArrowException, OSError):
        raise InputError("no Parquet file of drops", file=path, do="build again") from None
    keys = zip(*(table.column(name).to_pylist() for name in ("arm", "step", "reason")), strict=True)
    counted = Counter(keys).most_common()
    most = counted[0][1] if counted else 1
    return [Reason(arm or "all", step, reason, rows, rows * WIDTH / most) for (arm, step, reason), rows in counted]


def _confounds(audit: Mapping[str, Any] | None, path: Path) -> list[tuple[str, float, int]]:
    try:
        listed = [] if audit is None else audit.get("confounds", [])
        return [(str(one["from"]), float(one["auc"]), int(one["rows"])) for one in listed]
    except (KeyError, TypeError, ValueError):
        raise _foreign(path) from None


def _audit(folder: Path, found: Manifest) -> Mapping[str, Any] | None:
    if all(one.file != AUDIT for one in found.outputs):
        return None
    path = checked(folder, found, AUDIT)
    try:
        said = orjson.loads(path.read_bytes())
        if isinstance(said["findings"], list) and isinstance(said["rules"], list):
            return dict(said)
    except (orjson.JSONDecodeError, KeyError, TypeError):
        pass
    raise _foreign(path)


def _foreign(path: Path) -> InputError:
    return InputError("no report of an audit", file=path, do="build again")
