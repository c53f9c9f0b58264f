"""The page of an audit: findings by severity and rule, what each rule is about, the places, and the measures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import orjson

from provkit.audit.model import SEVERITIES
from provkit.audit.rules import FAMILIES, rules
from provkit.errors import InputError, plain
from provkit.report.intervals import Axis, Interval, axis
from provkit.report.page import Asked, Page

FILE = "audit.json"
WIDTH = 120  # of a bar that stands for all


@dataclass(frozen=True, slots=True)
class Finding:
    """A finding: where, how many of how many, what was seen, and places with the texts there."""

    subject: str
    against: str | None
    count: int
    total: int
    unit: str
    share: float
    width: float
    said: str
    examples: list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class OfRule:
    """The findings of one rule, and what is known of the rule: nothing but its name where this provkit has it not."""

    id: str
    name: str
    severity: str
    family: str
    rationale: str | None
    example: str | None
    do: str
    findings: list[Finding]


@dataclass(frozen=True, slots=True)
class Findings:
    """Findings by rule, worst first, and how many there are of each severity."""

    rules: list[OfRule]
    severities: list[tuple[str, int]]

    @property
    def number(self) -> int:
        """How many there are."""
        return sum(number for _, number in self.severities)


@dataclass(frozen=True, slots=True)
class Measured:
    """A measure with its 95 % interval, also as a picture."""

    subject: str
    rule: str
    name: str
    rows: int
    interval: Interval


@dataclass(frozen=True, slots=True)
class Content:
    """What the template lays out."""

    findings: Findings
    measures: list[Measured]
    axis: Axis
    read: list[tuple[str, int]]


def page(path: Path, asked: Asked) -> Page:
    """The page of an audit: the file that `provkit audit --format json -o FILE` wrote, or its directory.

    Raises:
        InputError: when it is no such report.
    """
    file = path / FILE if path.is_dir() else path
    said = _read(file)
    findings = findings_of(said["findings"], file)
    try:
        read = [(str(one["subject"]), int(one["rows"])) for one in said.get("read", ())]
        measures, scale = _measures(said.get("measures", ()))
        notes = [str(one) for one in said.get("notes", ())]
    except (KeyError, TypeError, ValueError, AttributeError):
        raise _foreign(file) from None
    rows = sum(number for _, number in read)
    subject = read[0][0] if len(read) == 1 else f"{len(read):,} files"
    first = findings.rules[0].id if findings.rules else None
    return Page(
        kind="audit",
        title=f"Audit of {plain(subject, 80)}",
        facts=[
            ("read", f"{len(read):,} file{'s' * (len(read) != 1)}, {rows:,} rows"),
            ("findings", f"{findings.number:,} of {len(findings.rules):,} rules"),
            *((severity + "s", f"{number:,}") for severity, number in findings.severities),
        ],
        notes=notes,
        content=Content(findings, measures, scale, read),
        next=f"provkit audit --explain {first}" if first else "provkit audit --rules",
    )


def findings_of(plain_findings: Sequence[Any], file: Path) -> Findings:
    """Findings as an audit writes them, by severity and rule, in their order.

    Raises:
        InputError: for anything that is no finding.
    """
    known = rules()
    found = []
    try:
        severities = Counter(str(one["severity"]) for one in plain_findings)
        ordered = sorted(plain_findings, key=lambda one: SEVERITIES.index(one["severity"]))
        for id_, some in groupby(ordered, lambda one: str(one["rule"])):
            listed = list(some)
            rule, first = known.get(id_), listed[0]
            found.append(
                OfRule(
                    id_,
                    str(first["name"]),
                    str(first["severity"]),
                    FAMILIES[id_[0]][1] if id_[:1] in FAMILIES else "unknown",
                    rule.rationale if rule else None,
                    rule.example if rule else None,
                    str(first["do"]),
                    [_finding(one) for one in listed],
                )
            )
    except (KeyError, TypeError, ValueError, AttributeError):
        raise _foreign(file) from None
    return Findings(found, [(one, severities[one]) for one in SEVERITIES])


def _finding(one: Any) -> Finding:
    share = float(one["share"])
    return Finding(
        str(one["subject"]),
        None if one.get("against") is None else str(one["against"]),
        int(one["count"]),
        int(one["total"]),
        str(one["unit"]),
        share,
        WIDTH * min(max(share, 0.0), 1.0),
        str(one["said"]),
        [(str(place["locator"]), str(place["text"])) for place in one["examples"]],
    )


def _measures(listed: Sequence[Any]) -> tuple[list[Measured], Axis]:
    ends = [(float(one["value"]), float(one["low"]), float(one["high"])) for one in listed]
    scale = axis([value for one in ends for value in one])
    return [
        Measured(
            str(one["subject"]), str(one["rule"]), str(one["name"]), int(one["rows"]), scale.interval(value, low, high)
        )
        for one, (value, low, high) in zip(listed, ends, strict=True)
    ], scale


def _read(file: Path) -> dict[str, Any]:
    try:
        said = orjson.loads(file.read_bytes())
    except OSError as error:
        raise InputError(error.strerror or str(error), file=file) from None
    except orjson.JSONDecodeError:
        raise _foreign(file) from None
    if not isinstance(said, dict) or not isinstance(said.get("findings"), list):
        raise _foreign(file)
    return said


def _foreign(file: Path) -> InputError:
    do = "provkit audit TARGET --format json -o FILE writes one"
    return InputError("no report of an audit", file=file, do=do)
