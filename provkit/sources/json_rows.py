"""JSON: one object a line, or one array of objects, read element after element."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import IO, Any

import orjson

from provkit.errors import InputError, plain
from provkit.sources.batches import Batcher, Chunk
from provkit.sources.files import Bytes, open_bytes
from provkit.sources.text import BOM, MAX_LINE, decode, lines_of

TOKEN = re.compile(rb'"(?:[^"\\]++|\\.)*+"|["\[\]{},]', re.DOTALL)
BLOCK = 1 << 20
JSONL = "one object a line is read with `format: jsonl` (on the command line: --set SOURCE.format=jsonl)"


def read_jsonl(file: Bytes, batcher: Batcher) -> Iterator[Chunk]:
    """One object a line; blank lines are skipped.

    Raises:
        InputError: with the line of what is no JSON object.
    """
    with open_bytes(file) as stream:
        for number, line in lines_of(stream, file.name):
            if not line.strip():
                continue
            try:
                row = orjson.loads(line)
            except orjson.JSONDecodeError as error:
                raise _not_json(line, number, file, error) from None
            if type(row) is not dict:
                raise _not_an_object(row, number, file)
            if chunk := batcher.add(row, number, len(line), line):
                yield chunk
    yield from batcher.rest()


def read_json(file: Bytes, batcher: Batcher) -> Iterator[Chunk]:
    """One array of objects, or a single object.

    Raises:
        InputError: with the line of what is neither.
    """
    with open_bytes(file) as stream:
        for raw, line in elements(stream, file.name):
            row = _element(raw, line, file)
            if chunk := batcher.add(row, None, len(raw), raw):
                yield chunk
    yield from batcher.rest()


def elements(stream: IO[bytes], name: str, block: int = BLOCK) -> Iterator[tuple[bytes, int]]:
    """The elements of a JSON array (or the one value that is no array) as they stand, each with its first line.

    Raises:
        InputError: for an element of more than MAX_LINE bytes, a missing or a left-over comma or bracket.
    """
    scan = _Scan(name)
    first = True
    while more := stream.read(max(block, len(scan.rest))):
        if first:
            more, first = more.removeprefix(BOM), False
        yield from scan.feed(more)
        if len(scan.rest) > MAX_LINE:
            said = f"an element of more than {MAX_LINE >> 20} MB"
            raise InputError(said, file=name, line=scan.line, do=f"one row an element is expected; {JSONL}")
    yield from scan.end()


class _Scan:
    """Cuts a JSON array at the commas between its elements, whatever the blocks in which it comes."""

    def __init__(self, name: str) -> None:
        self.rest = b""
        self.line = 1
        self._name = name
        self._depth = 0
        self._at = 0  # where in `rest` the search goes on
        self._open: bool | None = None  # None before the array, False behind it
        self._some = False

    def feed(self, more: bytes) -> Iterator[tuple[bytes, int]]:
        """The elements that are whole now."""
        self.rest += more
        if self._open is None:
            if not (head := self.rest.lstrip()):
                return
            self._open = head.startswith(b"[")
            if self._open:
                self._drop(len(self.rest) - len(head) + 1)
        if not self._open:
            return  # a single value, or what follows the array: looked at in the end
        start = 0
        for token in TOKEN.finditer(self.rest, self._at):
            sign = token[0]
            if sign == b'"':  # a text that goes on in the next block
                self._at = token.start()
                break
            self._at = token.end()
            if sign in b"[{":
                self._depth += 1
            elif self._depth and sign in b"]}":
                self._depth -= 1
            elif not self._depth and sign in b",]":
                yield from self._cut(start, token.start(), sign == b"]")
                start = token.end()
                if not self._open:
                    break
        else:
            self._at = len(self.rest)
        self._drop(start)

    def end(self) -> Iterator[tuple[bytes, int]]:
        """The value of a file that is no array.

        Raises:
            InputError: for an array that does not end, or something behind it.
        """
        if self._open is None:
            return
        if self._open:
            raise InputError("no JSON: the array has no end: is the file truncated?", file=self._name, line=self.line)
        if self._some and self.rest.strip():
            raise self._no_json(self.rest)
        if not self._some and self.rest.strip():
            yield self.rest, self.line

    def _cut(self, start: int, end: int, last: bool) -> Iterator[tuple[bytes, int]]:
        raw = self.rest[start:end]
        line = self.line + self.rest.count(b"\n", 0, start)
        if raw.strip():
            yield raw, line + raw[: len(raw) - len(raw.lstrip())].count(b"\n")
        elif not last or self._some:
            said = "no JSON: a comma without an element"
            raise InputError(said, file=self._name, line=line)
        self._some = True
        self._open = not last

    def _drop(self, size: int) -> None:
        self.line += self.rest.count(b"\n", 0, size)
        self.rest = self.rest[size:]
        self._at = max(self._at - size, 0)

    def _no_json(self, raw: bytes) -> InputError:
        shown = plain(raw.strip()[:60].decode(errors="replace"), 60)
        return InputError(f"no JSON: something behind the array: {shown}", file=self._name, line=self.line)


def _element(raw: bytes, line: int, file: Bytes) -> dict[str, Any]:
    try:
        row = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        for number, one in enumerate(raw.split(b"\n"), line):
            decode(one, file.name, number)
        behind = "after document" in error.msg and raw.lstrip()[:1] == b"{"
        at = line + error.lineno - 1
        raise InputError(f"no JSON: {_said(error)}", file=file.name, line=at, do=JSONL if behind else None) from None
    if type(row) is not dict:
        do = "an array of objects is expected"
        raise InputError(f"an object was expected, this is {_kind(row)}", file=file.name, line=line, do=do)
    return row


def _said(error: orjson.JSONDecodeError) -> str:
    if "surrogate" in error.msg:
        return "a lone surrogate, which no text may hold"
    return plain(error.msg.partition(": line ")[0])


def _not_json(line: bytes, number: int, file: Bytes, error: orjson.JSONDecodeError) -> InputError:
    text = decode(line, file.name, number)
    if number == 1 and line.lstrip()[:1] == b"[":
        return _array(file)
    if "surrogate" in error.msg:
        return InputError(_said(error), file=file.name, line=number)
    said = f"no JSON: {_said(error)} at character {error.pos + 1}: {plain(text, 60)}"
    return InputError(said, file=file.name, line=number)


def _not_an_object(row: Any, number: int, file: Bytes) -> InputError:
    if number == 1 and isinstance(row, list):
        return _array(file)
    return InputError(f"an object was expected, this is {_kind(row)}", file=file.name, line=number)


def _kind(row: Any) -> str:
    return {list: "an array", str: "a text", bool: "a boolean", type(None): "null"}.get(type(row), "a number")


def _array(file: Bytes) -> InputError:
    return InputError(
        "one JSON array, not one object a line",
        file=file.name,
        line=1,
        do="read it as it is with `format: json` beside the file (on the command line: --set SOURCE.format=json)",
    )
