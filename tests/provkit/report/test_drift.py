"""The page of verdicts says what `provkit drift` measures, and draws it where it lies."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from provkit.errors import InputError
from provkit.report import Asked, read, render
from provkit.rubrics import directory
from provkit.rubrics.drift import drift
from provkit.rubrics.tables import PAIRS, RUBRICS, VERDICTS

SEED, OTHER = "AAAAAAAAAB", "AAAAABBBCA"


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten pairs of two sets, all of label A; the variant `<v>` does worse on the second set alone."""
    out = tmp_path_factory.mktemp("verdicts") / "out"
    said = {("seed", "chat"): SEED, ("seed", "safety"): SEED, ("<v>", "chat"): SEED, ("<v>", "safety"): OTHER}
    with directory.written(out) as writer:
        for (rubric, dataset), outcomes in said.items():
            rows = [(rubric, dataset, f"p{n}", one, one, None, None) for n, one in enumerate(outcomes)]
            writer.write("verdicts", _table(VERDICTS, rows))
        pairs = [(name, f"p{n}", "A", "first" if n < 5 else "second", "q", "a", "b")
                 for name in ("chat", "safety") for n in range(10)]  # fmt: skip
        writer.write("pairs", _table(PAIRS, pairs))
        rubrics = [(name, name, name == "seed", "text", "f", None, 0, [], None, False) for name in ("seed", "<v>")]
        writer.write("rubrics", _table(RUBRICS, rubrics))
        writer.close({"kind": "recorded"})
    return out


def _table(schema: pa.Schema, rows: list[tuple[Any, ...]]) -> pa.Table:
    return pa.Table.from_pylist([dict(zip(schema.names, row, strict=True)) for row in rows], schema=schema)


def test_the_table_is_that_of_the_measure(verdicts: Path, parsed: Callable[[str], Any]) -> None:
    page = read(verdicts)
    report = drift(directory.read(verdicts, whole=False), "chat", "safety")
    (variant,) = report.variants
    found = parsed(render(page))
    cells = found.row("<v>")
    assert variant.drift == pytest.approx((9 - 6.5) / 10) and cells[1] == "0.25"
    assert variant.target.drift_interval is not None and variant.adjusted is not None
    low, high = variant.target.drift_interval.low, variant.target.drift_interval.high
    assert cells[2] == f"{low:.4g} to {high:.4g}"
    assert cells[3] == f"{variant.adjusted.low:.4g} to {variant.adjusted.high:.4g}"
    assert cells[6] == "yes" and cells[10] == "4, 1"
    matrix = [row for row in found.rows if row[0] in ("A", "B", "C", "unparsed") and len(row) == 5]
    assert [row[1:] for row in matrix] == [["5", "3", "1", "0"], ["1", "0", "0", "0"], ["0"] * 4, ["0"] * 4]
    parts = [row for row in found.rows if row[0] == "<v>" and row[1] in ("first", "second")]
    assert [(row[1], row[2], row[5]) for row in parts] == [("first", "5", "0"), ("second", "5", "0.5")]


def test_intervals_are_drawn_where_they_lie(verdicts: Path, parsed: Callable[[str], Any]) -> None:
    page = read(verdicts)
    scale, (line,) = page.content.drifts, page.content.lines
    wide = next(held for tag, held in parsed(render(page)).tags if held.get("class") == "wide")
    share = [(value - scale.low) / (scale.high - scale.low) for value in (line.drift.low, line.drift.high)]
    inner = scale.width - 2 * scale.edge
    drawn = [float(str(wide[end])) for end in ("x1", "x2")]
    assert drawn == pytest.approx([scale.edge + one * inner for one in share], abs=0.01)


def test_which_sets_are_compared(verdicts: Path) -> None:
    page = read(verdicts)
    assert (page.content.bench, page.content.target) == ("chat", "safety")
    assert "bench is chat, target safety of chat, safety; --bench and --target choose others" in page.notes
    other = read(verdicts, Asked(bench="safety", target="chat"))
    assert (other.content.bench, other.content.target) == ("safety", "chat")
    assert other.content.lines[0].drift.value == 0 and other.content.lines[0].compliant is False
    assert not any("choose others" in note for note in other.notes)
    with pytest.raises(InputError, match="no set 'chatt' among the verdicts"):
        read(verdicts, Asked(bench="chatt"))
