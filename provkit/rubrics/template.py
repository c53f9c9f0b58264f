"""A rubric: a whole judge prompt with placeholders and a verdict form, checked before anything is judged by it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from provkit.errors import InputError, plain
from provkit.registry import near

PLACEHOLDER = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")
FORM = re.compile(r"\[\[([A-Z])\]\]")
QUESTIONS = ("question", "instruction")  # two names of one thing: a rubric has one of them
ANSWERS = ("answer_a", "answer_b")
VERDICTS = ("A", "B")  # what a verdict form must offer; [[C]] for a tie is allowed beside them


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a rubric: the line in its text (from 1), the placeholder or form, and what to do."""

    line: int
    field: str
    problem: str
    do: str


@dataclass(frozen=True, slots=True)
class Rubric:
    """A rubric by name, with the place it was read from and what lineage says of it.

    Attributes:
        rubric_id: its name, for people; the digest is what verdicts are joined by.
        text: the judge prompt.
        file: where it was read from.
        line: its line there; None where the format has none.
        lineage: for a variant of a build: parent_id, generation, edits, op, and what else its row says.
    """

    rubric_id: str
    text: str
    file: str = ""
    line: int | None = None
    lineage: Mapping[str, Any] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """sha256 of the text: 64 hex digits."""
        return digest_of(self.text)

    def filled(self, question: str, answer_a: str, answer_b: str) -> str:
        """The prompt for one pair; all is filled in one go, so that braces in an answer stay as they are."""
        values = dict.fromkeys(QUESTIONS, question) | dict(zip(ANSWERS, (answer_a, answer_b), strict=True))
        return PLACEHOLDER.sub(lambda slot: values[slot[1]], self.text)


def digest_of(text: str) -> str:
    """sha256 of a rubric's text: 64 hex digits."""
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def faults(text: str) -> Iterator[Fault]:
    """Everything that is wrong with a rubric's text, in the order of its lines."""
    found = {match[1]: _line(text, match.start()) for match in reversed(list(PLACEHOLDER.finditer(text)))}
    for name, line in sorted(found.items(), key=lambda one: one[1]):
        if name not in (*QUESTIONS, *ANSWERS):
            known = [*QUESTIONS, *ANSWERS]
            yield Fault(line, f"{{{name}}}", f"an unknown placeholder{near(name, known)}", "mend its name")
    both = [name for name in QUESTIONS if name in found]
    last = text.count("\n") + 1
    if len(both) == 2:
        line = max(found[name] for name in both)
        yield Fault(
            line, "{question}", "both {question} and {instruction}: they are two names of one thing", "keep one"
        )
    if not both:
        yield Fault(last, "{question}", "no placeholder {question} (or {instruction})", "say where the question goes")
    for name in ANSWERS:
        if name not in found:
            yield Fault(last, f"{{{name}}}", f"no placeholder {{{name}}}", "say where that answer goes")
    offered = {match[1] for match in FORM.finditer(text)}
    for letter in VERDICTS:
        if letter not in offered:
            do = "ask for the verdict as [[A]] or [[B]], in double square brackets"
            yield Fault(last, f"[[{letter}]]", f"no verdict form [[{letter}]]", do)


def checked(rubric: Rubric, lines: bool = False) -> Rubric:
    """The rubric, when nothing is wrong with it.

    Args:
        rubric: what was read.
        lines: the file's lines are the text's own, the first of them at `rubric.line`.

    Raises:
        InputError: with file and line for the first fault.
    """
    for fault in faults(rubric.text):
        line, problem = rubric.line, fault.problem
        if lines:
            line = (rubric.line or 1) + fault.line - 1
        elif rubric.text.count("\n"):
            problem += f" (line {fault.line} of the prompt)"
        said = f"the rubric '{plain(rubric.rubric_id, 60)}': {problem}"
        raise InputError(said, file=rubric.file or None, line=line, field=fault.field, do=fault.do)
    return rubric


def _line(text: str, at: int) -> int:
    return text.count("\n", 0, at) + 1
