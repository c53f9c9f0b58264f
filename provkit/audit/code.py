"""Code: answers that are said to be code must parse."""

from __future__ import annotations

import ast
import re
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass

from provkit import processes
from provkit.audit.batch import Batch
from provkit.audit.model import Example, Finding, Tally
from provkit.audit.rules import rule
from provkit.audit.scan import Asked
from provkit.audit.subject import Subject

PARSE = rule(
    "C001", "does-not-parse", "warning",
    "An answer that is said to be code and does not parse: it was cut off, holds prose, or is of another language. "
    "Fences of Markdown are taken off first.",
    "`def f(:`, `print 'hello'`, or a program that ends inside a string.",
    "Drop the row, or fetch the answer again with more tokens.",
)  # fmt: skip
FENCES = rule(
    "C002", "mixed-fences", "warning",
    "Some answers stand in Markdown fences and some are bare: the arm, not the task, may decide which.",
    "4 of 20 answers begin with ```python.",
    "Take the fences off everywhere, or nowhere.",
)  # fmt: skip
NOT_CODE = rule(
    "C003", "no-code-answer", "warning",
    "A row without an answer in text cannot be the code that the set claims to hold.",
    'The answer is a list, or the last turn is the user\'s.',
    "Drop the row, or leave --code out.",
)  # fmt: skip
FENCE = re.compile(r"\s*(?:```|~~~)[\w+-]*[ \t]*\n(.*?)\n?[ \t]*(?:```|~~~)\s*\Z", re.DOTALL)
LONGEST = 1 << 20  # characters of one answer that are parsed
DEEPEST = 200  # brackets open at one time: what no person writes, and what the parser's C stack may not survive
CHUNK = 512  # answers a worker gets at a time
MANY = 4 * CHUNK  # answers from which on workers are worth their start


def problem(text: str) -> str | None:
    """Why a text does not parse as Python 3, None where it does."""
    found = FENCE.match(text)
    source = found.group(1) if found else text
    if len(source) > LONGEST:
        return f"longer than {LONGEST:,} characters"
    if _deep(source):
        return f"more than {DEEPEST} brackets or signs inside one another"
    try:
        ast.parse(source)
    except SyntaxError as error:
        return f"line {error.lineno}: {error.msg}"
    except ValueError as error:
        return str(error)
    except (RecursionError, MemoryError):
        return "nested too deeply"
    return None


def problems(texts: Sequence[str]) -> list[str | None]:
    """`problem` of each text, without Python's warnings about them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return [problem(text) for text in texts]


_OPENERS = re.compile(r"[(\[{]{60}|(?:[-+~(\[{]\s*|not\s+){200}|(?:lambda[^:\n]{0,40}:\s*){60}")
_DOTTED = re.compile(r"(?:\.\w{1,50}\s{0,3})+")


def _deep(source: str) -> bool:
    """Whether the parser would need minutes, or more of the C stack than there is, for what no person wrote."""
    if len(source) < 5_000 and sum(map(source.count, "([{")) <= DEEPEST:
        return False
    if _OPENERS.search(source) or any(found.group().count(".") > 1_000 for found in _DOTTED.finditer(source)):
        return True
    depth = most = 0
    for mark in re.findall(r"[()\[\]{}]", source):
        depth += 1 if mark in "([{" else -1
        most = max(most, depth)
    return most > DEEPEST


@dataclass(slots=True)
class _Pending:
    places: list[Example]
    answers: Future[list[str | None]]


class Code:
    """C001 to C003 of one subject; long files are parsed in worker processes."""

    def __init__(self, subject: Subject, asked: Asked) -> None:
        self._subject, self._workers, self._executor = subject, asked.workers, asked.executor
        self._answers = self._rows = self._fenced = 0
        self._wrong, self._missing, self._fences, self._bare = Tally(), Tally(), Tally(), Tally()
        self._why: Counter[str] = Counter()
        self._pool: ProcessPoolExecutor | None = None  # our own, ended with the scan
        self._waiting: list[_Pending] = []
        self._places: list[Example] = []
        self._texts: list[str] = []

    def see(self, batch: Batch) -> None:
        """Parses the answers of the rows."""
        self._rows += len(batch)
        for at, answer in enumerate(batch.answers):
            example = batch.example(at)
            if not isinstance(answer, str):
                self._missing.add(example)
                continue
            self._answers += 1
            (self._fences if FENCE.match(answer) else self._bare).add(example)
            self._places.append(example)
            self._texts.append(answer)
        if len(self._texts) >= MANY:
            self._send()

    def _send(self) -> None:
        if self._workers > 1 and self._pool is None and self._executor is None and len(self._texts) >= MANY:
            self._pool = processes.pool(self._workers)
        executor = self._executor or self._pool
        if executor is None:
            self._take(self._places, problems(self._texts))
        else:
            for at in range(0, len(self._texts), CHUNK):
                future = executor.submit(problems, self._texts[at : at + CHUNK])
                self._waiting.append(_Pending(self._places[at : at + CHUNK], future))
            while len(self._waiting) > 8 * self._workers:
                self._gather()
        self._places, self._texts = [], []

    def _gather(self) -> None:
        first = self._waiting.pop(0)
        self._take(first.places, first.answers.result())

    def _take(self, places: Sequence[Example], found: Sequence[str | None]) -> None:
        for place, why in zip(places, found, strict=True):
            if why is not None:
                self._wrong.add(place.said(why))
                self._why[re.sub(r"^line \d+: ", "", why)[:60]] += 1

    def findings(self) -> Iterator[Finding]:
        """What was found."""
        self._send()
        while self._waiting:
            self._gather()
        if self._pool is not None:
            self._pool.shutdown()
        name = self._subject.name
        if self._wrong.count:
            often = ", ".join(f"{why} ({n:,})" for why, n in self._why.most_common(3))
            yield self._wrong.finding(PARSE, name, self._answers, "answers", f"no Python 3: {often}")
        if self._fences.count and self._bare.count:
            fewer = min(self._fences, self._bare, key=lambda tally: tally.count)
            said = f"{self._fences.count:,} answers in fences, {self._bare.count:,} bare"
            yield fewer.finding(FENCES, name, self._answers, "answers", said)
        if self._missing.count:
            yield self._missing.finding(NOT_CODE, name, self._rows, "rows", "rows without an answer in text")
