"""What an audit says: rules, findings with their examples, and measures. Imports nothing heavy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from provkit.errors import plain

Severity = Literal["error", "warning", "note"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")
SHOWN = 3  # examples a finding keeps
TEXT = 160  # characters of an example's text


@dataclass(frozen=True, slots=True)
class Rule:
    """A fault that the audit knows.

    Attributes:
        id: a letter for the family and three digits.
        name: lower-case words joined by hyphens.
        rationale: why it is a fault.
        example: what it looks like.
        do: what to do about it.
        blocking: whether a release with it should not go out (`audit_release`).
    """

    id: str
    name: str
    severity: Severity
    rationale: str
    example: str
    do: str
    blocking: bool = False

    def plain(self) -> dict[str, Any]:
        """The rule as plain data."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class Example:
    """A place where a fault stands: file and line, or file and row where the format has no lines."""

    file: str
    line: int | None = None
    index: int | None = None
    text: str = ""

    @property
    def locator(self) -> str:
        """`file:line`, `file[index]`, or `file`."""
        if self.line is not None:
            return f"{self.file}:{self.line}"
        return self.file if self.index is None else f"{self.file}[{self.index}]"

    def said(self, text: str) -> Example:
        """The same place with another text."""
        return replace(self, text=text[: TEXT + 1])


@dataclass(frozen=True, slots=True)
class Finding:
    """A fault that was found in one subject.

    Attributes:
        subject: the file, or the arm of a build.
        count, total: how many of how many.
        unit: what is counted.
        said: what was seen, in one sentence.
        against: what the subject was compared with.
    """

    rule: Rule
    subject: str
    count: int
    total: int
    unit: str
    said: str
    examples: tuple[Example, ...] = ()
    against: str | None = None

    @property
    def share(self) -> float:
        """count / total, 0 where there is nothing."""
        return self.count / self.total if self.total else 0.0

    def plain(self) -> dict[str, Any]:
        """The finding as plain data, its text safe to print."""
        return {
            "rule": self.rule.id,
            "name": self.rule.name,
            "severity": self.rule.severity,
            "subject": plain(self.subject, 400),
            "against": None if self.against is None else plain(self.against, 400),
            "count": self.count,
            "total": self.total,
            "share": self.share,
            "unit": self.unit,
            "said": plain(self.said, 600),
            "examples": [{"locator": plain(one.locator, 400), "text": plain(one.text, TEXT)} for one in self.examples],
            "do": self.rule.do,
        }


@dataclass(frozen=True, slots=True)
class Measure:
    """A figure that is reported whether or not it is a fault: its value with a 95 % interval."""

    rule: str
    subject: str
    name: str
    value: float
    low: float
    high: float
    rows: int

    def plain(self) -> dict[str, Any]:
        """The measure as plain data."""
        return {name: getattr(self, name) for name in self.__slots__} | {"subject": plain(self.subject, 400)}


@dataclass(frozen=True, slots=True)
class Read:
    """A subject that was read, and its rows."""

    subject: str
    rows: int


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that an audit has to say; findings come worst first."""

    findings: tuple[Finding, ...]
    measures: tuple[Measure, ...] = ()
    read: tuple[Read, ...] = ()
    notes: tuple[str, ...] = ()

    def plain(self) -> dict[str, Any]:
        """The report as plain data."""
        return {
            "findings": [one.plain() for one in self.findings],
            "measures": [one.plain() for one in self.measures],
            "read": [{"subject": plain(one.subject, 400), "rows": one.rows} for one in self.read],
            "notes": [plain(note, 400) for note in self.notes],
        }


def worst_first(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Rules by severity, then by their largest share; the findings of one rule stand together."""
    most: dict[str, float] = {}
    for one in findings:
        most[one.rule.id] = max(most.get(one.rule.id, 0.0), one.share)

    def key(one: Finding) -> tuple[int, float, str, float, str, str]:
        rank = SEVERITIES.index(one.rule.severity)
        return rank, -most[one.rule.id], one.rule.id, -one.share, one.subject, one.against or ""

    return tuple(sorted(findings, key=key))


@dataclass(slots=True)
class Tally:
    """Counts places and keeps the first of them."""

    count: int = 0
    examples: list[Example] = field(default_factory=list)

    def add(self, example: Example) -> None:
        """One more place."""
        self.count += 1
        if len(self.examples) < SHOWN:
            self.examples.append(example)

    def more(self, count: int) -> None:
        """Places that are counted and not shown."""
        self.count += count

    def finding(
        self, rule: Rule, subject: str, total: int, unit: str, said: str, against: str | None = None
    ) -> Finding:
        """The finding that these places make."""
        return Finding(rule, subject, self.count, total, unit, said, tuple(self.examples), against)
