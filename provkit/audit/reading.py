"""Reads what a build reads, but goes on where a build stops: what a build refuses is written down as a fault."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import orjson
import pyarrow as pa

from provkit.audit.batch import Batch
from provkit.audit.form import ARRAY, CRLF, DAMAGED, MARK, NO_DATA, NO_NEWLINE, NONE, NOT_JSON, NOT_UTF8, REFUSED, Form
from provkit.audit.model import Example
from provkit.audit.schema import Schema
from provkit.audit.subject import Subject
from provkit.audit.yaml_files import evaluation_rows
from provkit.canonical import NotCanonical, canonical
from provkit.errors import InputError, plain
from provkit.sources.batches import MAX_COLUMNS, RESERVED, arrow_chunk
from provkit.sources.files import Bytes, open_bytes, refuse_what_is_no_data
from provkit.sources.read import MAX_DOCUMENT, MAX_LINE, read_file
from provkit.table import OWN, is_plain

BLOCK = 4 << 20  # bytes of text read at a time
ROWS = 8192  # rows of a columnar file read at a time
BOM = b"\xef\xbb\xbf"
TEXT = ("jsonl", "json", "csv", "tsv", "yaml")
_SORTED = orjson.OPT_SORT_KEYS


def read(subject: Subject, form: Form) -> Iterator[Batch]:
    """The rows of a subject in batches; what is wrong with the file goes into `form`.

    Raises:
        OSError: when the file cannot be opened.
    """
    file = Bytes(subject.path, subject.path.name)
    try:
        if subject.kind is None:
            form.saw(NO_DATA, f"the name {subject.path.name} tells no format that a build reads", unit=NONE)
            return
        refuse_what_is_no_data(file)
    except InputError as error:
        form.saw(NO_DATA, error.problem, unit=NONE)
        return
    reader = {"jsonl": _jsonl, "json": _json, "parquet": _columnar, "arrow": _columnar, "yaml": _yaml}.get(subject.kind, _strict)
    rows = _Rows(subject.name, form)
    try:
        if subject.kind in ("csv", "tsv", "yaml"):
            _look_at_bytes(file, form, subject.kind)
        yield from reader(file, subject, rows)
    except InputError as error:
        damaged = "archive" in error.problem or "truncated" in error.problem
        where = Example(subject.name, error.line)
        rule = DAMAGED if damaged else NOT_UTF8 if "is not UTF-8" in error.problem else REFUSED
        said = error.problem if error.field is None else f"{plain(error.field)}: {error.problem}"
        form.saw(rule, said, where, NONE)


class _Rows:
    """Makes batches of rows: numbers them, watches their schema, and leaves out what has no canonical JSON."""

    def __init__(self, name: str, form: Form) -> None:
        self.name, self.form = name, form
        self._schema = Schema(form)
        self._checked = False
        self.watching = True
        self.index = 0

    def batch(
        self, rows: list[dict[str, Any]], lines: Sequence[int] | None, spell: Callable[[Any], bytes] | None = None
    ) -> Batch:
        """A batch of rows; `spell` makes canonical JSON, None where rows hold neither nulls nor floats that matter."""
        try:
            spelled = [orjson.dumps(row, option=_SORTED) for row in rows] if spell is None else list(map(spell, rows))
        except (orjson.JSONEncodeError, NotCanonical, RecursionError):
            rows, spelled, lines = self._spellable(rows, lines)
        batch = Batch(self.name, rows, spelled, lines, self.index)
        self.index += len(rows)
        if self.watching:
            self._schema.see(rows, batch.example)
        if rows and not self._checked:
            self._checked = True
            self._names(list(rows[0]))
        return batch

    def _spellable(
        self, rows: list[dict[str, Any]], lines: Sequence[int] | None
    ) -> tuple[list[dict[str, Any]], list[bytes], Sequence[int] | None]:
        kept, spelled = [], []
        for at, row in enumerate(rows):
            try:
                spelled.append(canonical(row))
                kept.append(at)
            except (NotCanonical, RecursionError) as error:
                line = None if lines is None else lines[at]
                said = f"a row that has no canonical JSON: {plain(str(error), 80)}"
                self.form.saw(REFUSED, said, Example(self.name, line, self.index + at), "rows")
        return [rows[at] for at in kept], spelled, None if lines is None else [lines[at] for at in kept]

    def _names(self, names: list[str]) -> None:
        where = Example(self.name)
        if len(names) > MAX_COLUMNS:
            self.form.saw(REFUSED, f"{len(names):,} columns; a build reads at most {MAX_COLUMNS:,}", where, NONE)
        for name in names:
            if name in RESERVED or name.startswith(OWN):
                self.form.saw(REFUSED, f"the column {plain(name)}: provkit keeps this name for itself", where, NONE)


def _jsonl(file: Bytes, subject: Subject, rows: _Rows) -> Iterator[Batch]:
    form, number = rows.form, 1
    for block in _blocks(file):
        if number == 1 and block.startswith(BOM):
            form.saw(MARK, "the file begins with a byte-order mark", Example(subject.name, 1), NONE)
            block = block[3:]
        if number == 1 and block.lstrip()[:1] == b"[" and (found := _array(file)) is not None:
            form.saw(ARRAY, f"one JSON array of {len(found):,} rows, not one object a line", Example(subject.name, 1), NONE)
            with open_bytes(file) as stream:
                form.lines = stream.read().count(b"\n") + 1
            _ends(file, block[-1:], subject.name, form)
            yield from _of_array(found, rows)
            return
        if b"\r\n" in block:
            form.saw(CRLF, "lines end in CR LF", Example(subject.name, number), count=block.count(b"\r\n"))
        lines = block.split(b"\n")
        if not lines[-1]:
            lines.pop()
        else:
            form.saw(NO_NEWLINE, "the last line has no newline at its end", Example(subject.name, number + len(lines) - 1), NONE)
        yield _batch(lines, number, block, rows)
        number += len(lines)
    form.lines = number - 1
    if not rows.index and number > 1:
        form.saw(REFUSED, "the file holds no rows", Example(subject.name), NONE)


def _batch(lines: list[bytes], number: int, block: bytes, rows: _Rows) -> Batch:
    """The rows of some lines; the common case, in which all of them are objects, takes no loop of Python's own."""
    numbers: Sequence[int] = range(number, number + len(lines))
    try:
        found = list(map(orjson.loads, lines))
        fine = set(map(type, found)) <= {dict}
    except orjson.JSONDecodeError:
        fine = False
    if not fine:
        found, numbers = [], []
        for at, line in enumerate(lines, number):
            row = _object(line, at, rows)
            if row is not None:
                found.append(row)
                numbers.append(at)
    return rows.batch(found, numbers, canonical if b"null" in block else None)


def _object(line: bytes, number: int, rows: _Rows) -> dict[str, Any] | None:
    """The object that a line holds; None, and a fault where it is not blank, when it holds none."""
    if not line.strip():
        return None
    where = Example(rows.name, number)
    try:
        row = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        try:
            text = line.decode()
        except UnicodeDecodeError as wrong:
            bad = f"byte {wrong.start + 1} is 0x{line[wrong.start]:02x}"
            rows.form.saw(NOT_UTF8, "lines that are not UTF-8", where.said(bad))
            return _mended(line)
        if "surrogate" in str(error) and b"\\u" in line:
            rows.form.saw(REFUSED, "a lone surrogate, which no text may hold", where.said(text))
        else:
            rows.form.saw(NOT_JSON, "lines that are no JSON", where.said(f"{plain(str(error), 60)}: {text[:60]}"))
        return None
    if isinstance(row, dict):
        return row
    rows.form.saw(NOT_JSON, "lines that are no JSON object", where.said(line[:80].decode(errors="replace")))
    return None


def _mended(line: bytes) -> dict[str, Any] | None:
    """The row of a line that is not UTF-8, its wrong bytes replaced, so that other rules see it."""
    try:
        row = orjson.loads(line.decode(errors="replace"))
    except orjson.JSONDecodeError:
        return None
    return row if isinstance(row, dict) else None


def _blocks(file: Bytes) -> Iterator[bytes]:
    """The file in blocks of whole lines."""
    rest = b""
    with open_bytes(file) as stream:
        while read := stream.read(BLOCK):
            block = rest + read
            cut = block.rfind(b"\n") + 1
            if not cut and len(block) > MAX_LINE:
                raise InputError(f"a line of more than {MAX_LINE >> 20} MB", file=file.name)
            rest = block[cut:]
            if cut:
                yield block[:cut]
    if rest:
        yield rest


def _array(file: Bytes) -> list[Any] | None:
    """The array that a whole file is, None when it is none."""
    with open_bytes(file) as stream:
        text = stream.read(MAX_DOCUMENT + 1).removeprefix(BOM)
    try:
        found = orjson.loads(text) if len(text) <= MAX_DOCUMENT else None
    except orjson.JSONDecodeError:
        return None
    return found if isinstance(found, list) else None


def _of_array(found: list[Any], rows: _Rows) -> Iterator[Batch]:
    for at in range(0, len(found), ROWS):
        part = found[at : at + ROWS]
        for step, row in enumerate(part, at):
            if not isinstance(row, dict):
                where = Example(rows.name, None, step).said(str(row))
                rows.form.saw(NOT_JSON, "elements that are no object", where, "rows")
        yield rows.batch([row for row in part if isinstance(row, dict)], None, canonical)
    if not rows.index:
        rows.form.saw(REFUSED, "the file holds no rows", Example(rows.name), NONE)


def _json(file: Bytes, subject: Subject, rows: _Rows) -> Iterator[Batch]:
    with open_bytes(file) as stream:
        text = stream.read(MAX_DOCUMENT + 1)
    if len(text) > MAX_DOCUMENT:
        raise InputError(f"a JSON document of more than {MAX_DOCUMENT >> 20} MB")
    form = rows.form
    form.lines = text.count(b"\n") + 1
    _text_faults(text, form, subject.name, len(text), "json")
    try:
        found = orjson.loads(text.removeprefix(BOM))
    except orjson.JSONDecodeError as error:
        line = text.count(b"\n", 0, error.pos) + 1
        try:
            text.decode()
            form.saw(NOT_JSON, f"no JSON: {plain(error.msg, 80)}", Example(subject.name, line), NONE)
        except UnicodeDecodeError as wrong:
            line = text.count(b"\n", 0, wrong.start) + 1
            form.saw(NOT_UTF8, f"0x{text[wrong.start]:02x} is not UTF-8", Example(subject.name, line), NONE)
        return
    yield from _of_array(found if isinstance(found, list) else [found], rows)


def _columnar(file: Bytes, subject: Subject, rows: _Rows) -> Iterator[Batch]:
    """Parquet and Arrow: columns that provkit keeps for itself are reported (outside a build) and left out."""
    for table in _tables(file, subject):
        own = [name for name in table.schema.names if name in RESERVED or name.startswith(OWN)]
        if own and not subject.build and not rows.index:
            for name in own:
                said = f"the column {plain(name)}: provkit keeps this name for itself"
                rows.form.saw(REFUSED, said, Example(subject.name), NONE)
        batch = arrow_chunk(table.select([name for name in table.schema.names if name not in own]), file.name).batch
        plainly = is_plain(pa.Table.from_batches([batch]))
        made = rows.batch(batch.to_pylist(), None, None if plainly else canonical)
        if "canary" in own and len(made) == len(batch):
            made.canaries = [None if one is None else str(one) for one in table.column("canary").to_pylist()]
        yield made
    if not rows.index:
        rows.form.saw(REFUSED, "the file holds no rows", Example(subject.name), NONE)


def _tables(file: Bytes, subject: Subject) -> Iterator[pa.RecordBatch]:
    import io

    import pyarrow.parquet as pq

    packed = file.path.suffix in (".gz", ".zst")
    try:
        with open_bytes(file) as stream:
            whole = io.BytesIO(stream.read()) if packed else None
        if subject.kind == "parquet":
            yield from pq.ParquetFile(whole or str(file.path)).iter_batches(batch_size=ROWS)
            return
        source = pa.BufferReader(whole.getvalue()) if whole else pa.memory_map(str(file.path))
        if source.read(6) == b"ARROW1":
            opened = pa.ipc.open_file(source)
            yield from (opened.get_batch(at) for at in range(opened.num_record_batches))
        else:
            source.seek(0)
            yield from pa.ipc.open_stream(source)
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"no {subject.kind} file, or a truncated one: {plain(str(error), 120)}") from None


def _strict(file: Bytes, subject: Subject, rows: _Rows) -> Iterator[Batch]:
    """CSV and YAML, read as a build reads them, up to the first thing that it refuses."""
    for chunk in read_file(file, subject.kind or ""):
        lines = None if chunk.lines is None else chunk.lines.tolist()
        plainly = is_plain(pa.Table.from_batches([chunk.batch]))
        yield rows.batch(chunk.batch.to_pylist(), lines, None if plainly else canonical)


def _yaml(file: Bytes, subject: Subject, rows: _Rows) -> Iterator[Batch]:
    """YAML as a build reads it; a file of questions or tasks, whose keys may differ, is no set of rows."""
    found = evaluation_rows(file.path, file.name)
    if found is None:
        yield from _strict(file, subject, rows)
        return
    rows.watching = False
    yield rows.batch([row for row, _ in found], [line for _, line in found], canonical)


def _look_at_bytes(file: Bytes, form: Form, kind: str) -> None:
    """Byte-order mark, line ends and the last newline of a text file."""
    with open_bytes(file) as stream:
        head = stream.read(BLOCK)
        size, lines, last = len(head), head.count(b"\n"), head
        while more := stream.read(BLOCK):
            size, lines, last = size + len(more), lines + more.count(b"\n"), more
    form.lines = lines + 1
    _text_faults(head, form, form.file, size, kind, last)


def _text_faults(head: bytes, form: Form, name: str, size: int, kind: str, last: bytes | None = None) -> None:
    if head.startswith(BOM):
        form.saw(MARK, "the file begins with a byte-order mark", Example(name, 1), NONE)
    if b"\r\n" in head and kind not in ("csv", "tsv"):
        form.saw(CRLF, "lines end in CR LF", Example(name, 1), count=head.count(b"\r\n"))
    if size and not (head if last is None else last).endswith(b"\n"):
        form.saw(NO_NEWLINE, "the last line has no newline at its end", Example(name, form.lines), NONE)


def _ends(file: Bytes, tail: bytes, name: str, form: Form) -> None:
    """Whether the last byte of a file is a newline; `tail` is that of the block in hand."""
    with open_bytes(file) as stream:
        while more := stream.read(BLOCK):
            tail = more[-1:]
    if tail != b"\n":
        form.saw(NO_NEWLINE, "the last line has no newline at its end", Example(name, form.lines), NONE)
