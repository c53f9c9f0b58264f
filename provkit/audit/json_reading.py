"""JSON, one object a line or one array, read on where a build stops."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import orjson

from provkit.audit.batch import Batch
from provkit.audit.form import ARRAY, CRLF, MARK, NO_NEWLINE, NONE, NOT_JSON, NOT_UTF8, REFUSED, Form
from provkit.audit.gate import Rows
from provkit.audit.model import Example
from provkit.canonical import canonical
from provkit.errors import InputError, plain
from provkit.sources.files import Bytes, open_bytes
from provkit.sources.json_rows import elements
from provkit.sources.text import BOM, MAX_LINE

BLOCK = 1 << 18  # bytes of text read at a time: what its rows take in memory is used again for the next
ROWS = 4096  # elements of an array that make a batch


def read_lines(file: Bytes, rows: Rows) -> Iterator[Batch]:
    """The objects of a JSONL file; one array under that name is read as an array."""
    form, number = rows.form, 1
    for block in _blocks(file):
        if number == 1:
            if block.startswith(BOM):
                form.saw(MARK, "the file begins with a byte-order mark", Example(rows.name, 1), NONE)
                block = block[len(BOM) :]
            if block.lstrip()[:1] == b"[" and _is_array(block):
                form.saw(ARRAY, "one JSON array, not one object a line", Example(rows.name, 1), NONE)
                yield from read_array(file, rows)
                return
        if b"\r" in block and b"\r\n" in block:  # one byte is looked for ten times as fast as two
            form.saw(CRLF, "lines end in CR LF", Example(rows.name, number), count=block.count(b"\r\n"))
        lines = block.split(b"\n")
        if not lines[-1]:
            lines.pop()
        else:
            last = Example(rows.name, number + len(lines) - 1)
            form.saw(NO_NEWLINE, "the last line has no newline at its end", last, NONE)
        yield _batch(lines, number, block, rows)
        number += len(lines)
    form.lines = number - 1
    rows.end()


def read_array(file: Bytes, rows: Rows) -> Iterator[Batch]:
    """The objects of a JSON array, or the one object of a file, each with the line where it starts."""
    form = rows.form
    look_at_bytes(file, form, "json")
    found: list[dict[str, Any]] = []
    lines: list[int] = []
    raw: list[bytes] = []
    try:
        with open_bytes(file) as stream:
            for one in elements(stream, rows.name):
                row = _element(one.raw, one.line, rows)
                if row is not None:
                    found.append(row)
                    lines.append(one.line)
                    raw.append(one.raw)
                if len(found) >= ROWS:
                    yield rows.batch(found, lines, canonical, raw)
                    found, lines, raw = [], [], []
    except InputError as error:
        form.saw(NOT_JSON, error.problem, Example(rows.name, error.line), NONE)
    if found:
        yield rows.batch(found, lines, canonical, raw)
    rows.end()


def look_at_bytes(file: Bytes, form: Form, kind: str) -> None:
    """Byte-order mark, line ends and the last newline of a text file."""
    lines = carriages = 0
    head = last = b""
    with open_bytes(file) as stream:
        while more := stream.read(BLOCK):
            head = head or more[:3]
            lines, carriages, last = lines + more.count(b"\n"), carriages + more.count(b"\r\n"), more[-1:]
    form.lines = lines + (last != b"\n")
    if head.startswith(BOM):
        form.saw(MARK, "the file begins with a byte-order mark", Example(form.file, 1), NONE)
    if carriages and kind not in ("csv", "tsv"):
        form.saw(CRLF, "lines end in CR LF", Example(form.file, 1), count=carriages)
    if last not in (b"", b"\n"):
        form.saw(NO_NEWLINE, "the last line has no newline at its end", Example(form.file, form.lines), NONE)


def _batch(lines: list[bytes], number: int, block: bytes, rows: Rows) -> Batch:
    """The rows of some lines; the common case, in which all of them are objects, takes no loop of Python's own."""
    numbers: Sequence[int] = range(number, number + len(lines))
    raw, whole = lines, True
    try:
        found = list(map(orjson.loads, lines))
        fine = set(map(type, found)) <= {dict}
    except orjson.JSONDecodeError:
        fine = False
    if not fine:
        found, numbers, raw, whole = [], [], [], False
        for at, line in enumerate(lines, number):
            if line.strip() and (row := _element(line, at, rows)) is not None:
                found.append(row)
                numbers.append(at)
                raw.append(line)
    return rows.of_lines(found, numbers, raw, block, whole)


def _element(text: bytes, number: int, rows: Rows) -> dict[str, Any] | None:
    """The object that a text holds; None, and a fault, when it holds none."""
    where = Example(rows.name, number)
    try:
        row = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        return _no_json(text, error, where, rows)
    if isinstance(row, dict):
        return row
    rows.form.saw(NOT_JSON, "rows that are no JSON object", where.said(text[:80].decode(errors="replace")))
    return None


def _no_json(text: bytes, error: orjson.JSONDecodeError, where: Example, rows: Rows) -> dict[str, Any] | None:
    """Says why a text is no JSON; a row whose only fault is its encoding goes on, mended, to the other rules."""
    try:
        shown = text.decode()
    except UnicodeDecodeError as wrong:
        bad = f"byte {wrong.start + 1} is 0x{text[wrong.start]:02x}"
        rows.form.saw(NOT_UTF8, "rows that are not UTF-8", where.said(bad))
        try:
            row = orjson.loads(text.decode(errors="replace"))
        except orjson.JSONDecodeError:
            return None
        return row if isinstance(row, dict) else None
    if "surrogate" in error.msg and b"\\u" in text:
        rows.form.saw(REFUSED, "a lone surrogate, which no text may hold", where.said(shown[:120]))
    else:
        said = error.msg.partition(": line ")[0]
        rows.form.saw(NOT_JSON, "rows that are no JSON", where.said(f"{plain(said, 60)}: {shown[:60]}"))
    return None


def _blocks(file: Bytes) -> Iterator[bytes]:
    """The file in blocks of whole lines.

    Raises:
        InputError: for a line that is too long to read.
    """
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


def _is_array(block: bytes) -> bool:
    """Whether a file that begins with a bracket is one array, rather than an array a line."""
    first = block.lstrip().split(b"\n", 1)[0]
    try:
        return any(isinstance(one, dict) for one in orjson.loads(first))
    except orjson.JSONDecodeError:
        return True  # the array goes on over more lines
