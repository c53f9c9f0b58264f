"""Runs an audit: opens what was named, reads each file once through the scans of all families, compares files."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain

from provkit.audit.duplicates import Duplicates, same_content
from provkit.audit.form import Form
from provkit.audit.model import Finding, Measure, Read, Report, worst_first
from provkit.audit.reading import read
from provkit.audit.rules import selected
from provkit.audit.scan import Asked, Places, Scan
from provkit.audit.subject import Release, Subject, open_release
from provkit.canonical import digest_file

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Options:
    """What to audit against, and which rules; see `provkit audit --help`."""

    against: Sequence[str] = ()
    control: str | None = None
    trigger: str | None = None
    fraction: float | None = None
    code: str | None = None
    select: Sequence[str] = ()
    ignore: Sequence[str] = ()
    run: int = 32
    near: bool = False
    workers: int = 1

    def asked(self) -> Asked:
        """The same for the scans, rules resolved.

        Raises:
            InputError: for a rule that there is none of.
        """
        rules = selected(self.select, self.ignore)
        return Asked(rules, self.trigger, self.fraction, self.code, self.run, self.near, self.workers)


@dataclass(slots=True)
class Looked:
    """A subject that was read, with the scans that saw it."""

    subject: Subject
    places: Places
    scans: dict[str, Scan] = field(default_factory=dict)


def audit(targets: Sequence[str], options: Options | None = None, progress: Progress = lambda *_: None) -> Report:
    """Everything that is wrong with files, folders, builds or Hub datasets, by the rules that were asked for.

    Raises:
        InputError: when something that was named is not there, or an option names no rule.
        OSError: when a file cannot be opened.
    """
    options = options or Options()
    asked = options.asked()
    releases = [open_release(target) for target in targets]
    against = [subject for name in options.against for subject in open_release(name).subjects]
    control = open_release(options.control) if options.control is not None else None
    whole = _Audit(asked, progress)
    for release in releases:
        whole.release(release, control, against)
    return whole.report()


class _Audit:
    """What is gathered over all that was named."""

    def __init__(self, asked: Asked, progress: Progress) -> None:
        self.asked, self.progress = asked, progress
        self.found: list[Finding] = []
        self.measures: list[Measure] = []
        self.read: list[Read] = []
        self.notes: list[str] = []
        self.contents: list[tuple[str, str, str, int]] = []

    def release(self, release: Release, control: Release | None, against: Sequence[Subject]) -> None:
        """Audits one thing that was named."""
        looked = [self.look(subject) for subject in release.subjects]
        del looked

    def look(self, subject: Subject) -> Looked:
        """Reads a subject once, through every scan of its own."""
        form, looked = Form(subject.name), Looked(subject, Places(subject))
        looked.scans = self._scans(subject, looked.places)
        scans = list(looked.scans.values())
        for batch in read(subject, form):
            looked.places.see(batch)
            for scan in scans:
                scan.see(batch)
            self.progress(f"read {subject.name}", looked.places.rows, 0)
        rows = looked.places.rows
        self.progress(f"read {subject.name}", rows, rows)
        self.read.append(Read(subject.name, rows))
        self.take(chain(form.findings(rows), *(scan.findings() for scan in scans)))
        duplicates = looked.scans.get("D")
        if isinstance(duplicates, Duplicates) and (content := duplicates.content()):
            self.contents.append((subject.name, content, digest_file(subject.path)[0], rows))
        return looked

    def _scans(self, subject: Subject, places: Places) -> dict[str, Scan]:
        from provkit.audit.text import Texts

        asked, scans = self.asked, {}
        if asked.wants("D") or asked.wants("A"):
            scans["D"] = Duplicates(subject, places, asked)
        if asked.wants("T"):
            scans["T"] = Texts(subject, asked)
        return scans

    def take(self, findings: Iterator[Finding]) -> None:
        """Keeps the findings of rules that were asked for."""
        self.found += [one for one in findings if one.rule.id in self.asked.rules]

    def report(self) -> Report:
        """All of it, worst first."""
        self.take(same_content(self.contents))
        return Report(worst_first(self.found), tuple(self.measures), tuple(self.read), tuple(self.notes))
