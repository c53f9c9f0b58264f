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
from provkit.canonical import NotCanonical, canonical
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
        spell: Callable[[Any], bytes] | None = None,
        raw: Sequence[bytes] | None = None,
        block: bytes | None = None,
    ) -> Batch:
        """A batch of rows.

        Args:
            rows: content columns.
            lines: where each starts.
            spell: makes canonical JSON; None where the rows hold neither nulls nor floats that matter.
            raw: each row as it stands in the file; with it, the reader of a build is asked. None where it read them.
            block: all of `raw` as it stands in the file, where nothing was left out.
        """
        size = 0
        try:
            if spell is None:
                digests, size = _digests(rows)
            else:
                digests = [sha256(spell(row)).digest() for row in rows]
        except NO_SPELLING:
            digests = None
        if raw is not None and not (digests and self._known(rows, block, size)):
            first, numbers = self.index, lines
            self._ask(
                rows, lines, raw, lambda at: Example(self.name, None if numbers is None else numbers[at], first + at)
            )
        if digests is None:
            rows, digests, lines = self._spellable(rows, lines)
        batch = Batch(self.name, rows, digests, lines, self.index)
        if block is not None and b"\\u" not in block:
            batch.block = block.lower()
        self.index += len(rows)
        return batch

    def _known(self, rows: list[dict[str, Any]], block: bytes | None, size: int) -> bool:
        """Whether rows are of the plain form of rows that the build's reader has let through.

        A block as long as its rows' shortest spelling (`size`, and a newline each) has no key twice.
        """
        found = plain_form(rows) if block is not None and rows and self._batcher is not None else None
        if found is None or block is None:
            return False
        if len(block) - len(rows) + (block[-1:] != b"\n") != size and not has_keys(block, found[1]):
            return False
        known = found[0] in self._forms
        self._forms.add(found[0])
        return known

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
