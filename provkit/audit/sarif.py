"""A report as SARIF 2.1.0, which code-review tools show beside the lines of a file."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote

from provkit import __version__
from provkit.audit.model import Example, Finding, Report
from provkit.audit.rules import rules
from provkit.errors import plain

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
LEVELS = {"error": "error", "warning": "warning", "note": "note"}


def sarif(report: Report) -> dict[str, Any]:
    """One run: the rules that there are, and a result for each finding, located at its examples."""
    known = list(rules().values())
    numbers = {one.id: at for at, one in enumerate(known)}
    driver = {
        "name": "provkit audit",
        "version": __version__,
        "rules": [
            {
                "id": one.id,
                "name": "".join(part.capitalize() for part in one.name.split("-")),
                "shortDescription": {"text": one.name.replace("-", " ")},
                "fullDescription": {"text": one.rationale},
                "help": {"text": f"{one.do}\n\nExample: {one.example}"},
                "defaultConfiguration": {"level": LEVELS[one.severity]},
            }
            for one in known
        ],
    }
    results = [_result(one, numbers[one.rule.id]) for one in report.findings]
    run = {"tool": {"driver": driver}, "results": results, "columnKind": "unicodeCodePoints"}
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _result(one: Finding, number: int) -> dict[str, Any]:
    against = "" if one.against is None else f" against {plain(one.against, 400)}"
    said = f"{one.count} of {one.total} {one.unit}{against}: {plain(one.said, 600)}. {one.rule.do}"
    return {
        "ruleId": one.rule.id,
        "ruleIndex": number,
        "level": LEVELS[one.rule.severity],
        "message": {"text": said},
        "locations": [_location(example) for example in one.examples] or [_location(Example(one.subject))],
        "properties": {"count": one.count, "total": one.total, "share": one.share, "unit": one.unit},
    }


def _location(example: Example) -> dict[str, Any]:
    physical: dict[str, Any] = {"artifactLocation": {"uri": _uri(example.file)}}
    if example.line is not None:
        physical["region"] = {"startLine": example.line}
    location: dict[str, Any] = {"physicalLocation": physical}
    said = plain(example.text) if example.text else plain(example.locator, 400)
    location["message"] = {"text": said}
    return location


def _uri(file: str) -> str:
    """A path as a URI reference; an absolute one gets the scheme file."""
    shown = quote(PurePosixPath(file).as_posix(), errors="surrogateescape") if "://" not in file else quote(file, ":/@")
    return f"file://{shown}" if shown.startswith("/") else shown
