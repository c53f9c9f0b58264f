"""What a rule family does with a subject: it sees the rows batch by batch, and says at the end what it found."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from provkit.audit.batch import Batch
from provkit.audit.model import Example, Finding
from provkit.audit.subject import Subject

Digests = npt.NDArray[np.uint64]


class Scan(Protocol):
    """One family's look at one subject."""

    def see(self, batch: Batch) -> None:
        """Takes the next rows."""

    def findings(self) -> Iterator[Finding]:
        """What was found, when all rows were seen."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What the person asked of the audit, as far as scans need it."""

    rules: frozenset[str]
    trigger: str | None = None
    fraction: float | None = None
    code: str | None = None
    run: int = 32
    near: bool = False
    workers: int = 1
    canaries: bool = False  # asked for by name, so of single files too
    markers: tuple[str, ...] = ()  # texts that an arm is said to hold more often than its control
    executor: Executor | None = None  # does the code checks in place of a pool of `workers`, so many at a time

    def wants(self, family: str) -> bool:
        """Whether any rule of a family is checked."""
        return any(id[0] == family for id in self.rules)


class Places:
    """Where the rows of a subject stand: their lines, kept as one array (or none for a format without lines)."""

    def __init__(self, subject: Subject) -> None:
        self.file = subject.name
        self._parts: list[Sequence[int]] = []
        self._starts: list[int] = []
        self.rows = 0

    def see(self, batch: Batch) -> None:
        """Takes the next rows; consecutive lines cost nothing."""
        lines = batch.lines
        if lines is not None:
            self._parts.append(lines if isinstance(lines, range) else np.array(lines, np.int64))  # type: ignore[arg-type]
            self._starts.append(self.rows)
        self.rows += len(batch)

    def example(self, index: int, text: str = "") -> Example:
        """The place of a row by its index."""
        if not self._parts:
            return Example(self.file, None, index, text)
        part = int(np.searchsorted(self._starts, index, "right")) - 1
        return Example(self.file, int(self._parts[part][index - self._starts[part]]), index, text)


class DigestColumn:
    """Digests of 32 bytes, one a row, of which 16 are kept; a row may have none."""

    def __init__(self) -> None:
        self._parts: list[Digests] = []
        self._absent: list[npt.NDArray[np.bool_]] = []

    def add(self, digests: Sequence[bytes | None]) -> None:
        """The digests of the next rows."""
        if None in digests:
            absent = np.array([one is None for one in digests])
            raw = b"".join(bytes(32) if one is None else one for one in digests)
        else:
            absent = np.zeros(len(digests), bool)
            raw = b"".join(digests)  # type: ignore[arg-type]
        self._parts.append(np.frombuffer(raw, ">u8").reshape(-1, 4)[:, :2].astype(np.uint64))
        self._absent.append(absent)

    def all(self) -> tuple[Digests, npt.NDArray[np.int64]]:
        """Digests, shape (rows, 2), of the rows that have one, and the indices of these rows."""
        if not self._parts:
            return np.empty((0, 2), np.uint64), np.empty(0, np.int64)
        digests, absent = np.concatenate(self._parts), np.concatenate(self._absent)
        self._parts, self._absent = [digests], [absent]
        present = np.flatnonzero(~absent)
        return (digests if len(present) == len(digests) else digests[present]), present


def grouped(digests: Digests) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """As `provkit.table.groups`, for many rows: sorts by the first 64 bits, and by all only where those agree."""
    order = np.argsort(digests[:, 0])
    ordered = digests[order]
    same = ordered[1:, 0] == ordered[:-1, 0]
    if (same & (ordered[1:, 1] != ordered[:-1, 1])).any():
        from provkit.table import groups

        return groups(digests)
    new = np.ones(len(digests), bool)
    new[1:] = ~same
    group = np.empty(len(digests), np.int64)
    group[order] = np.cumsum(new) - 1
    starts = np.flatnonzero(new)
    return group, (np.minimum.reduceat(order, starts) if len(starts) else order).astype(np.int64)


def content_digest(digests: Digests) -> str:
    """Identity of a set of rows, in whatever order, file format or escapes: sha256 over its sorted row ids."""
    import hashlib

    ordered = digests[np.lexsort((digests[:, 1], digests[:, 0]))]
    return hashlib.sha256(ordered.astype(">u8").tobytes()).hexdigest()
