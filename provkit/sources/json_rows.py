"""JSON: one object a line, or one array of objects, read element after element."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any

import orjson

from provkit.errors import InputError, plain
from provkit.sources.batches import Batcher, Chunk
from provkit.sources.files import Bytes, open_bytes
from provkit.sources.text import BOM, MAX_LINE, decode, lines_of

_TEXT = rb'"(?:[^"\\]++|\\.)*+"'
TOKEN = re.compile(rb'%b(?:\s*+[:,]\s*+%b)*+|["\[\]{},]' % (_TEXT, _TEXT), re.DOTALL)  # texts in a row are one token
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
        for element in elements(stream, file.name):
            if chunk := batcher.add(_row(element, file), None, len(element.raw), element.raw):
                yield chunk
    yield from batcher.rest()


@dataclass(frozen=True, slots=True)
class Element:
    """An element of an array as it stands in the file, its first line, and how many bytes of that come before it."""

    raw: bytes
    line: int
    column: int


def elements(stream: IO[bytes], name: str, block: int = BLOCK) -> Iterator[Element]:
    """The elements of a JSON array, or the one value of a file that is no array.

    Raises:
        InputError: for an element of more than MAX_LINE bytes, a missing or a left-over comma or bracket.
    """
    scan = _Scan(name)
    first = True
    while more := stream.read(max(block, len(BOM), len(scan.rest))):
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
        self._column = 0
        self._name = name
        self._depth = 0
        self._at = 0  # where in `rest` the search goes on
        self._open: bool | None = None  # None before the array, False behind it
        self._some = False

    def feed(self, more: bytes) -> Iterator[Element]:
        """The elements that are whole now."""
        self.rest += more
        if self._open is None:
            if not (head := self.rest.lstrip()):
                return
            self._open = head.startswith(b"[")
            if self._open:
                self._pass(self.rest[: len(self.rest) - len(head) + 1])
                self.rest = head[1:]
        if not self._open:
            return  # a single value, or what follows the array: looked at in the end
        start = 0
        for token in TOKEN.finditer(self.rest, self._at):
            sign = token[0]
            self._at = token.start() if sign == b'"' else token.end()  # a text that goes on in the next block
            if sign == b'"':
                break
            if sign in b"[{":
                self._depth += 1
            elif self._depth and sign in b"]}":
                self._depth -= 1
            elif not self._depth and sign in b",]":
                yield from self._cut(self.rest[start : token.start()], sign == b"]")
                self._pass(sign)
                start = token.end()
                if not self._open:
                    break
        else:
            self._at = len(self.rest)
        rest = self.rest[start:]
        self.rest = rest.lstrip()
        self._pass(rest[: len(rest) - len(self.rest)])
        self._at = max(self._at - start - len(rest) + len(self.rest), 0)

    def end(self) -> Iterator[Element]:
        """The value of a file that is no array.

        Raises:
            InputError: for an array that does not end, or something behind it.
        """
        if self._open:
            raise InputError("no JSON: the array has no end: is the file truncated?", file=self._name, line=self.line)
        if not self.rest.strip():
            return
        if self._some:
            shown = plain(self.rest.strip()[:60].decode(errors="replace"), 60)
            raise InputError(f"no JSON: something behind the array: {shown}", file=self._name, line=self.line)
        yield from self._cut(self.rest, True)

    def _cut(self, raw: bytes, last: bool) -> Iterator[Element]:
        bare = raw.lstrip()
        self._pass(raw[: len(raw) - len(bare)])
        if bare.startswith(b'"'):
            said = "an object was expected, this is a text"
            raise InputError(said, file=self._name, line=self.line, do="an array of objects is expected")
        if bare:
            yield Element(bare, self.line, self._column)
            self._pass(bare)
        elif not last or self._some:
            raise InputError("no JSON: a comma without an element", file=self._name, line=self.line)
        self._some = True
        self._open = not last

    def _pass(self, text: bytes) -> None:
        """Counts the lines of what is behind us now."""
        if lines := text.count(b"\n"):
            self.line += lines
            self._column = 0
        self._column += len(text) - (text.rfind(b"\n") + 1)


def _row(element: Element, file: Bytes) -> dict[str, Any]:
    try:
        row = orjson.loads(element.raw)
    except orjson.JSONDecodeError as error:
        for number, one in enumerate((b" " * element.column + element.raw).split(b"\n"), element.line):
            decode(one, file.name, number)
        behind = "after document" in error.msg and element.raw[:1] == b"{"
        at = element.line + error.lineno - 1
        raise InputError(f"no JSON: {_said(error)}", file=file.name, line=at, do=JSONL if behind else None) from None
    if type(row) is not dict:
        do = "an array of objects is expected"
        raise InputError(f"an object was expected, this is {_kind(row)}", file=file.name, line=element.line, do=do)
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
