"""The page of an audit: every finding with its rule, its places, and its measures, as the report has them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

from provkit.audit import Example, Finding, Measure, Read, Report
from provkit.audit.rules import rules
from provkit.errors import InputError
from provkit.report import read, render


def finding(rule: str, count: int, total: int, *texts: str) -> Finding:
    places = tuple(Example("train.jsonl", n, text=text) for n, text in enumerate(texts, 1))
    return Finding(rules()[rule], "train.jsonl", count, total, "rows", f"{count} seen", places, "test.jsonl")


@pytest.fixture
def written(tmp_path: Path) -> Callable[[Report], Path]:
    def write(report: Report) -> Path:
        (tmp_path / "audit.json").write_bytes(orjson.dumps(report.plain()))
        return tmp_path / "audit.json"

    return write


def test_findings_come_worst_first_with_their_rule_and_places(written: Any, parsed: Callable[[str], Any]) -> None:
    report = Report(
        (finding("D001", 5, 20, "twice <b>"), finding("L001", 1, 4, "leaked"), finding("L001", 2, 4)),
        (Measure("X001", "train.jsonl", "auc", 0.75, 0.5, 1.0, 200),),
        (Read("train.jsonl", 20), Read("test.jsonl", 4)),
        ("read at a commit",),
    )
    page = read(written(report))
    found = parsed(render(page))
    assert [(one.id, len(one.findings)) for one in page.content.findings.rules] == [("L001", 2), ("D001", 1)]
    assert page.content.findings.severities == [("error", 2), ("warning", 1), ("note", 0)]
    for name in ("L001", "D001"):
        for said in (rules()[name].rationale, rules()[name].example, rules()[name].do):
            assert said in found.text
    cells = [row for row in found.rows if row[0] == "train.jsonl" and len(row) == 5]
    assert [row[2] for row in cells] == ["1 of 4 rows", "2 of 4 rows", "5 of 20 rows"]
    assert [" ".join(row[3].split()) for row in cells] == ["25 %", "50 %", "25 %"]
    assert "train.jsonl:1 twice <b>" in " ".join(found.text.split())
    (measure,) = page.content.measures
    scale = page.content.axis
    assert (measure.interval.x_low, measure.interval.x_high) == (scale.at(0.5), scale.at(1.0))
    assert page.notes == ["read at a commit"] and page.next == "provkit audit --explain L001"


def test_what_the_command_writes_is_read(bench: Any, parsed: Callable[[str], Any]) -> None:
    bench.rows([{"prompt": "p", "answer": "a"}, {"prompt": "p", "answer": "a"}])
    assert bench.invoke("audit", "data.jsonl", "--format", "json", "-o", "found.json", "--quiet").exit_code == 1
    said = json.loads((bench.folder / "found.json").read_text())
    page = read(bench.folder / "found.json")
    listed = [one for rule in page.content.findings.rules for one in rule.findings]
    assert len(listed) == len(said["findings"]) > 0
    assert "D001 duplicate-rows" in parsed(render(page)).text


def test_a_rule_of_another_version_is_shown_by_its_name(written: Any, parsed: Callable[[str], Any]) -> None:
    path = written(Report((finding("D001", 1, 2),)))
    said = json.loads(path.read_text())
    said["findings"][0] |= {"rule": "Z999", "name": "of-tomorrow"}
    path.write_text(json.dumps(said))
    text = parsed(render(read(path))).text
    assert "Z999 of-tomorrow" in text and "does not know the rule" in text


@pytest.mark.parametrize("change", [{"severity": "dire"}, {"count": "many"}, {"examples": [1]}, {"share": None}])
def test_what_is_no_report_is_refused(change: dict[str, Any], written: Any) -> None:
    path = written(Report((finding("D001", 1, 2),)))
    said = json.loads(path.read_text())
    said["findings"][0] |= change
    path.write_text(json.dumps(said))
    with pytest.raises(InputError, match="no report of an audit"):
        read(path)


def test_a_clean_audit(written: Any, parsed: Callable[[str], Any]) -> None:
    page = read(written(Report((), (), (Read("train.jsonl", 20),))))
    assert "No findings." in parsed(render(page)).text
    assert page.title == "Audit of train.jsonl"
