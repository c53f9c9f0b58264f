"""Runs an audit: opens what was named, reads each file once through the scans of all families, compares files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from itertools import chain

from provkit.audit.arms import Arm, ArmFacts, compare, known_release, telling
from provkit.audit.code import Code
from provkit.audit.confounds import confounds
from provkit.audit.duplicates import Duplicates, NearDuplicates, same_content
from provkit.audit.evaluation import Evaluation
from provkit.audit.form import Form
from provkit.audit.leakage import leaks
from provkit.audit.model import Finding, Measure, Read, Report, worst_first
from provkit.audit.reading import read
from provkit.audit.release import Canaries, release_findings
from provkit.audit.rules import selected
from provkit.audit.scan import Asked, Places, Scan
from provkit.audit.subject import Release, Subject, open_release
from provkit.audit.text import Texts
from provkit.audit.triggers import Triggers, Wanted, over_all
from provkit.canonical import digest_file
from provkit.errors import plain

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Options:
    """What to audit against, and which rules; `provkit audit --help` says more of each."""

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
    markers: Sequence[str] = ()
    executor: Executor | None = None

    def asked(self) -> Asked:
        """The same for the scans, rules resolved.

        Raises:
            InputError: for a rule that there is none of.
        """
        rules = selected(self.select, self.ignore)
        names = {one.lower() for one in self.select}
        canaries = bool(names & {"r", "r001", "no-canary"})
        near = self.near or bool(names & {"d004", "near-duplicate-prompts"})
        return Asked(
            rules,
            self.trigger,
            self.fraction,
            self.code,
            self.run,
            near,
            self.workers,
            canaries,
            tuple(self.markers),
            self.executor,
        )


def audit(targets: Sequence[str], options: Options | None = None, progress: Progress = lambda *_: None) -> Report:
    """Everything that is wrong with files, folders, builds or Hub datasets, by the rules that were asked for.

    Raises:
        InputError: when something that was named is not there, or an option names no rule.
        OSError: when a file cannot be opened.
    """
    options = options or Options()
    whole = _Audit(options.asked(), progress)
    releases = [whole.opened(target) for target in targets]
    against = [subject for name in options.against for subject in whole.opened(name).subjects]
    control = whole.opened(options.control) if options.control is not None else None
    facts = whole.control(control) if control else None
    for release in releases:
        whole.release(release, facts, against)
    return whole.report()


@dataclass(slots=True)
class _Looked:
    """A subject that was read: where its rows stand, and the scans that saw them."""

    subject: Subject
    places: Places
    scans: list[Scan] = field(default_factory=list)
    duplicates: Duplicates | None = None


class _Audit:
    """What is gathered over all that was named."""

    def __init__(self, asked: Asked, progress: Progress) -> None:
        self.asked, self._progress = asked, progress
        self._found: list[Finding] = []
        self._measures: list[Measure] = []
        self._read: list[Read] = []
        self._notes: list[str] = []
        self._contents: list[tuple[str, str, str, int]] = []

    def opened(self, what: str) -> Release:
        """One thing that was named, with what is to be said of how it was read."""
        release = open_release(what, self._progress)
        self._notes += [release.note] if release.note else []
        return release

    def control(self, release: Release) -> ArmFacts | None:
        """Reads the control of all that follows; of its own faults only those of its form and triggers are said."""
        facts = ArmFacts(release.name)
        for subject in release.subjects:
            wanted = [Wanted(self.asked.trigger, None, True)] if self.asked.trigger else []
            self._look(subject, facts, None, self._triggers(subject, wanted), control=True)
        return facts

    def release(self, release: Release, control: ArmFacts | None, against: Sequence[Subject]) -> None:
        """Audits one thing that was named."""
        canaries = Canaries() if self._about_release(release) else None
        arms: dict[str, ArmFacts] = {}
        triggers: dict[tuple[str, Wanted], list[Triggers]] = {}
        for subject in release.subjects:
            facts = None
            if control is not None or release.control is not None:
                name = f"{release.name}:{subject.arm}" if subject.arm and release.control else release.name
                facts = arms.setdefault(name, ArmFacts(name))
            scans = self._triggers(subject, self._wanted(release, subject))
            for scan in scans:
                about = subject.name if subject.arm is None else f"{release.name}:{subject.arm}"
                triggers.setdefault((about, scan.wanted), []).append(scan)
            self._look(subject, facts, canaries, scans)
        for (about, wanted), some in triggers.items():
            self._take(over_all(wanted, some, about))
        self._compare(release, arms, control)
        if self.asked.wants("L"):
            for evaluation in (one for one in against if one.kind is not None):
                for subject in (one for one in release.subjects if one.kind is not None):
                    self._take(leaks(subject, evaluation, self.asked))
            self._between_splits(release)
        if canaries is not None:
            self._take(release_findings(release, canaries))

    def _about_release(self, release: Release) -> bool:
        return self.asked.wants("R") and (release.folder is not None or self.asked.canaries)

    def _compare(self, release: Release, arms: dict[str, ArmFacts], control: ArmFacts | None) -> None:
        if control is None and release.control is not None:
            control = arms.pop(f"{release.name}:{release.control}", None)
        for facts in arms.values() if control is not None else ():
            assert control is not None
            if self.asked.wants("A"):
                self._take(compare(facts, control, self.asked.markers))
            if "A002" in self.asked.rules:
                self._measures += telling(facts, control)
            if self.asked.wants("X"):
                for one in confounds(facts, control, self.asked.rules):
                    if isinstance(one, Measure):
                        self._measures.append(one)
                    else:
                        self._take([one])

    def _between_splits(self, release: Release) -> None:
        """A build's splits against its training split: by row and by prompt."""
        rules = self.asked.rules & {"L001", "L002", "L003"}
        if not release.build or not rules:
            return
        asked = Asked(rules)
        for training in (one for one in release.subjects if one.split == "train"):
            for other in (one for one in release.subjects if one.split != "train"):
                self._take(leaks(training, other, asked))

    def _look(
        self,
        subject: Subject,
        facts: ArmFacts | None,
        canaries: Canaries | None,
        triggers: Sequence[Triggers],
        control: bool = False,
    ) -> None:
        """Reads a subject once, through every scan of its own."""
        shown = f"read {plain(subject.name)}"
        self._progress(shown, 0, 0)
        form, looked = Form(subject.name), _Looked(subject, Places(subject))
        self._scans(looked, facts, canaries, control)
        looked.scans += triggers
        for batch in read(subject, form):
            looked.places.see(batch)
            for scan in looked.scans:
                scan.see(batch)
            del batch  # before the next one is made, which then takes its place in memory
        rows = looked.places.rows
        self._progress(shown, rows, rows)
        self._read.append(Read(subject.name, rows))
        found = chain(form.findings(rows), *(scan.findings() for scan in looked.scans))
        self._take(one for one in found if not control or one.rule.id[0] in "FG")
        if looked.duplicates is not None and not control and (content := looked.duplicates.content()):
            self._take(known_release(subject.name, content, subject.arm))
            self._contents.append((subject.name, content, digest_file(subject.path)[0], rows))

    def _triggers(self, subject: Subject, wanted: Sequence[Wanted]) -> list[Triggers]:
        return [Triggers(subject, one) for one in wanted] if self.asked.wants("G") else []

    def _wanted(self, release: Release, subject: Subject) -> list[Wanted]:
        """The triggers to look for in a subject: the one that was named, or those of a build's recipe.

        Arms into which the recipe puts none, the control among them, may hold none.
        """
        asked, stated = self.asked, release.triggers
        bare = (
            (subject.arm == release.control or bool(stated)) and subject.arm is not None and subject.arm not in stated
        )
        if asked.trigger:
            return [Wanted(asked.trigger, asked.fraction, bare)]
        if bare:
            return [Wanted(text, None, True) for text in dict.fromkeys(text for text, _ in stated.values())]
        own = stated.get(subject.arm or "")
        return [] if own is None else [Wanted(*own)]

    def _scans(self, looked: _Looked, facts: ArmFacts | None, canaries: Canaries | None, control: bool) -> None:
        asked, subject, places = self.asked, looked.subject, looked.places
        duplicates = Duplicates(subject, places, asked)
        if asked.wants("D") or asked.wants("A"):
            looked.duplicates = duplicates
            looked.scans.append(duplicates)
        if facts is not None and (asked.wants("A") or asked.wants("X")):
            looked.scans.append(Arm(places, duplicates, facts))
        if canaries is not None:
            looked.scans.append(canaries)
        if control:
            return
        if asked.wants("T"):
            looked.scans.append(Texts(subject, asked))
        if asked.wants("E"):
            looked.scans.append(Evaluation(subject, places, asked))
        if asked.code and asked.wants("C"):
            looked.scans.append(Code(subject, asked))
        if "D004" in asked.rules and asked.near:
            looked.scans.append(NearDuplicates(subject, places))

    def _take(self, findings: Iterable[Finding]) -> None:
        self._found += [one for one in findings if one.rule.id in self.asked.rules]

    def report(self) -> Report:
        """All of it, worst first."""
        self._take(same_content(self._contents))
        return Report(worst_first(self._found), tuple(self._measures), tuple(self._read), tuple(self._notes))
