"""Makes batches of rows, and asks the reader of a build about each: what it refuses is written down as a fault."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import Any

import orjson

from provkit.audit.batch import Batch
from provkit.audit.form import NONE, REFUSED, Form
from provkit.audit.model import Example
from provkit.audit.schema import Schema
from provkit.audit.simple import Form as PlainForm
from provkit.audit.simple import has_keys, plain_form
from provkit.canonical import NotCanonical, canonical, canonical_fast
from provkit.errors import InputError, plain
from provkit.sources.batches import Batcher

_SORTED = orjson.OPT_SORT_KEYS
NO_SPELLING = (orjson.JSONEncodeError, NotCanonical, RecursionError)

Place = Callable[[int], Example]


class Rows:
    """The rows of one file: numbered, spelled as canonical JSON, compared with the schema of those before."""

    def __init__(self, name: str, form: Form) -> None:
        self.name, self.form, self.index = name, form, 0
        self._schema = Schema(form)
        self._batcher: Batcher | None = Batcher(name, fill=False)
        self._forms: set[PlainForm] = set()
        self._pending: list[tuple[list[dict[str, Any]], Place]] = []

    def batch(
        self,
        rows: list[dict[str, Any]],
        lines: Sequence[int] | None,
        spell: Callable[[Any], bytes],
        raw: Sequence[bytes] | None = None,
    ) -> Batch:
        """A batch of rows of any form.

        Args:
            rows: content columns.
            lines: where each starts.
            spell: makes canonical JSON.
            raw: each row as it stands in the file; with it, the reader of a build is asked. None where it read them.
        """
        if raw is not None:
            first, numbers = self.index, lines or ()
            self._ask(rows, lines, raw, lambda at: Example(self.name, numbers[at] if numbers else None, first + at))
        try:
            digests = [sha256(spell(row)).digest() for row in rows]
        except NO_SPELLING:
            rows, digests, lines = self._spellable(rows, lines)
        return self._numbered(rows, digests, lines)

    def of_lines(
        self, rows: list[dict[str, Any]], lines: Sequence[int], raw: Sequence[bytes], block: bytes, whole: bool
    ) -> Batch:
        """A batch of JSONL rows; rows of a plain form that the build's reader has let through take a short way.

        Args:
            rows: content columns.
            lines: where each starts.
            raw: each row as it stands in the file.
            block: the stretch of the file that they come from.
            whole: whether every line of it is among the rows.
        """
        form = plain_form(rows) if whole and rows and self._batcher is not None else None
        if form is None:
            return self.batch(rows, lines, canonical if b"null" in block else canonical_fast, raw)
        digests, size = _digests(rows)
        known = form[0] in self._forms
        self._forms.add(form[0])
        # a block as long as its rows' shortest spelling, and a newline each, has no key twice
        shortest = len(block) - len(rows) + (block[-1:] != b"\n") == size
        if not known or not (shortest or has_keys(block, form[1])):
            first = self.index
            self._ask(rows, lines, raw, lambda at: Example(self.name, lines[at], first + at))
        batch = self._numbered(rows, digests, lines)
        batch.block = block
        return batch

    def _numbered(self, rows: list[dict[str, Any]], digests: list[bytes], lines: Sequence[int] | None) -> Batch:
        batch = Batch(self.name, rows, digests, lines, self.index)
        self.index += len(rows)
        return batch

    def end(self) -> None:
        """Says what is wrong with the rows that the build's reader still holds, or that there are none."""
        if self._batcher is not None:
            try:
                list(self._batcher.rest())
            except InputError as error:
                self._stop(error)
        if not self.index and not self.form.faulty:
            self.form.saw(REFUSED, "the file holds no rows", Example(self.name), NONE)

    def _ask(self, rows: list[dict[str, Any]], lines: Sequence[int] | None, raw: Sequence[bytes], place: Place) -> None:
        if self._batcher is None:
            self._schema.see(rows, place)
            return
        if not self.index:
            self._schema.see(rows, place)
        self._pending.append((rows if self.index else [], place))
        numbers: Sequence[int | None] = [None] * len(rows) if lines is None else lines
        try:
            for row, line, text in zip(rows, numbers, raw, strict=True):
                if self._batcher.add(row, line, len(text), text) is not None:
                    del self._pending[:-1]
        except InputError as error:
            self._stop(error)

    def _stop(self, error: InputError) -> None:
        """Counts what changes in the rows that the build's reader had not let through; says its own words otherwise."""
        self._batcher = None
        for rows, place in self._pending:
            self._schema.see(rows, place)
        self._pending = []
        if not self.form.faulty:
            said = error.problem if error.field is None else f"{plain(error.field, 60)}: {error.problem}"
            self.form.saw(REFUSED, plain(said, 200), Example(self.name, error.line), NONE)

    def _spellable(
        self, rows: list[dict[str, Any]], lines: Sequence[int] | None
    ) -> tuple[list[dict[str, Any]], list[bytes], Sequence[int] | None]:
        """The rows that have canonical JSON; the others are faults."""
        kept, digests = [], []
        for at, row in enumerate(rows):
            try:
                digests.append(sha256(canonical(row)).digest())
                kept.append(at)
            except NO_SPELLING as error:
                where = Example(self.name, None if lines is None else lines[at], self.index + at)
                self.form.saw(REFUSED, f"a row that has no canonical JSON: {plain(str(error), 80)}", where, "rows")
        return [rows[at] for at in kept], digests, None if lines is None else [lines[at] for at in kept]


def _digests(rows: list[dict[str, Any]]) -> tuple[list[bytes], int]:
    """sha256 of each row's JSON, and the length of all; no spelling is kept, which would cost more than to make it."""
    dumps, digests, size = orjson.dumps, [], 0
    for row in rows:
        spelled = dumps(row, option=_SORTED)
        size += len(spelled)
        digests.append(sha256(spelled).digest())
    return digests, size
