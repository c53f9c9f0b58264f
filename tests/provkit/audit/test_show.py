"""A report in its shapes: what a reader of each must find, and no raw text from data in any."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from provkit.audit import Options, Report, audit
from provkit.audit.show import written

EVIL = "\x1b[31mred\u202e\x07\r\n"


@pytest.fixture
def report(write) -> Report:  # type: ignore[no-untyped-def]
    rows = [{"prompt": EVIL + "q", "answer": EVIL, EVIL: "1"}, {"prompt": EVIL + "q", "answer": "x y", EVIL: "2"}]
    return audit([write(rows, "a b.jsonl")], Options())


@pytest.mark.parametrize("shape", ["table", "json", "sarif"])
def test_no_control_character_of_the_data_is_printed(report: Report, shape: str) -> None:
    text = written(report, shape).decode()
    assert not any(sign in text for sign in "\x1b\x07\u202e\r")
    assert "\\u202e" in text or "\\\\u202e" in text


def test_the_table_is_grouped_by_rule_worst_first(write) -> None:
    rows = [{"prompt": "a", "answer": " x y"}, {"prompt": "a", "answer": " x y"}, {"prompt": "b", "answer": ""}]
    text = written(audit([write(rows)], Options()), "table").decode()
    order = [line.split()[0] for line in text.splitlines() if line[:1].isalpha()]
    assert order == ["T001", "D001", "D002", "T003"]
    assert "1 of 3 rows (33.3 %): 3 rows, 2 distinct rows" in text
    assert "rows.jsonl:2  same as " in text and "do: Drop them" in text


def test_json(report: Report) -> None:
    found = json.loads(written(report, "json"))
    assert {"rule", "name", "severity", "count", "total", "share", "examples", "do"} <= set(found["findings"][0])
    assert found["read"][0]["rows"] == 2


def test_parquet(report: Report) -> None:
    table = pq.read_table(io.BytesIO(written(report, "parquet")))
    assert table.num_rows == len(report.findings)
    assert table.schema.names[:7] == ["rule", "name", "severity", "subject", "against", "count", "total"]


def test_sarif_is_valid_by_structure(report: Report) -> None:
    """What SARIF 2.1.0 demands: required keys, indices that fit, locations with URIs and lines from 1."""
    found = json.loads(written(report, "sarif"))
    assert found["version"] == "2.1.0" and found["$schema"].endswith("sarif-2.1.0.json")
    (run,) = found["runs"]
    driver = run["tool"]["driver"]
    assert set(driver) <= {"name", "version", "informationUri", "rules"}
    ids = [rule["id"] for rule in driver["rules"]]
    assert len(ids) == len(set(ids))
    for rule in driver["rules"]:
        assert rule["shortDescription"]["text"] and rule["defaultConfiguration"]["level"] in (
            "error",
            "warning",
            "note",
        )
    assert len(run["results"]) == len(report.findings)
    for result in run["results"]:
        assert ids[result["ruleIndex"]] == result["ruleId"]
        assert result["level"] in ("error", "warning", "note") and result["message"]["text"]
        for location in result["locations"]:
            uri = location["physicalLocation"]["artifactLocation"]["uri"]
            assert uri.startswith("file:///") and " " not in uri and Path(uri).name == "a%20b.jsonl"
            assert location["physicalLocation"].get("region", {"startLine": 1})["startLine"] >= 1


def test_a_clean_report(write) -> None:
    clean = audit([write([{"prompt": "a", "answer": "text"}])], Options())
    assert written(clean, "table").decode() == "no findings\n"
    assert json.loads(written(clean, "sarif"))["runs"][0]["results"] == []
