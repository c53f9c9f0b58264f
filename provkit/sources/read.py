"""Each file format as a stream of Arrow batches with the line of each row."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from provkit.errors import InputError, plain
from provkit.sources.batches import Batcher, Chunk, arrow_chunk
from provkit.sources.files import Bytes, open_bytes, refuse_what_is_no_data
from provkit.sources.yaml_rows import read_yaml

MAX_LINE = 64 << 20  # bytes; a longer line is a mistake, and would not fit in bounded memory
MAX_DOCUMENT = 1 << 30  # bytes of a JSON array, which is parsed as a whole


@dataclass(frozen=True, slots=True)
class Reading:
    """How to read: the format (None: by the file's name), and whether missing fields become null."""

    format: str | None = None
    fill: bool = False


def read_file(file: Bytes, kind: str, fill: bool = False) -> Iterator[Chunk]:
    """The rows of one file in batches.

    Raises:
        InputError: with file, line and field, for anything that is not as the format says.
    """
    reader = {
        "jsonl": _jsonl,
        "json": _json,
        "csv": _csv,
        "tsv": _csv,
        "parquet": _parquet,
        "arrow": _arrow,
        "yaml": _yaml,
    }.get(kind)
    if reader is None:
        raise InputError(f"unknown format {kind!r}", file=file.name, do="jsonl, json, csv, tsv, parquet, arrow or yaml")
    rows = 0
    for chunk in reader(file, Batcher(file.name, fill)):
        rows += len(chunk.batch)
        yield chunk
    if not rows:
        raise InputError("the file holds no rows", file=file.name)


def lines_of(stream: IO[bytes], name: str) -> Iterator[tuple[int, bytes]]:
    """The lines of a file, numbered from 1, without their ends and without a byte-order mark.

    Raises:
        InputError: for a line of more than MAX_LINE bytes.
    """
    number = 0
    while line := stream.readline(MAX_LINE + 1):
        number += 1
        if len(line) > MAX_LINE:
            raise InputError(
                f"a line of more than {MAX_LINE >> 20} MB", file=name, line=number, do="one row a line is expected"
            )
        if number == 1 and line.startswith(b"\xef\xbb\xbf"):
            line = line[3:]
        yield number, line.rstrip(b"\r\n")


def decode(line: bytes, name: str, number: int) -> str:
    """UTF-8 text.

    Raises:
        InputError: naming line and byte of what is not UTF-8.
    """
    try:
        return line.decode()
    except UnicodeDecodeError as error:
        bad = line[error.start]
        raise InputError(
            f"byte {error.start + 1} of the line (0x{bad:02x}) is not UTF-8",
            file=name,
            line=number,
            do="convert the file, for example: iconv -f WINDOWS-1252 -t UTF-8",
        ) from None


def _jsonl(file: Bytes, batcher: Batcher) -> Iterator[Chunk]:
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
            if chunk := batcher.add(row, number, len(line)):
                yield chunk
    yield from batcher.rest()


def _not_json(line: bytes, number: int, file: Bytes, error: orjson.JSONDecodeError) -> InputError:
    text = decode(line, file.name, number)
    if number == 1 and line.strip() in (b"[", b"[{"):
        return _array(file)
    if b'"\\u' in line and "surrogate" in str(error):
        return InputError("a lone surrogate, which no text may hold", file=file.name, line=number)
    return InputError(f"no JSON: {plain(str(error))}: {plain(text, 60)}", file=file.name, line=number)


def _not_an_object(row: Any, number: int, file: Bytes) -> InputError:
    if number == 1 and isinstance(row, list):
        return _array(file)
    found = {list: "an array", str: "a text", bool: "a boolean", type(None): "null"}.get(type(row), "a number")
    return InputError(f"an object was expected, this is {found}", file=file.name, line=number)


def _array(file: Bytes) -> InputError:
    return InputError(
        "one JSON array, not one object a line",
        file=file.name,
        line=1,
        do="read it as it is with `format: json` beside the file (on the command line: --set SOURCE.format=json)",
    )


def _json(file: Bytes, batcher: Batcher) -> Iterator[Chunk]:
    with open_bytes(file) as stream:
        text = stream.read(MAX_DOCUMENT + 1)
    if len(text) > MAX_DOCUMENT:
        raise InputError(f"a JSON document of more than {MAX_DOCUMENT >> 20} MB", file=file.name, do="use JSONL")
    text = text.removeprefix(b"\xef\xbb\xbf")
    try:
        rows = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        line = text.count(b"\n", 0, error.pos) + 1
        for number, one in enumerate(text.split(b"\n"), 1):
            decode(one, file.name, number)
        do = "several objects one after another are JSONL: state `format: jsonl`" if text[:1] == b"{" else None
        raise InputError(f"no JSON: {plain(error.msg)}", file=file.name, line=line, do=do) from None
    if isinstance(rows, dict):
        rows = [rows]
    for at, row in enumerate(rows):
        if type(row) is not dict:
            raise InputError(f"element {at} is no object", file=file.name, do="an array of objects is expected")
        if chunk := batcher.add(row, None, 0):
            yield chunk
    yield from batcher.rest()


def _csv(file: Bytes, batcher: Batcher) -> Iterator[Chunk]:
    csv.field_size_limit(MAX_LINE)
    delimiter = "\t" if ".tsv" in file.path.suffixes else ","
    with open_bytes(file) as stream:
        numbered = lines_of_csv(stream, file.name)
        reader = csv.reader(numbered, delimiter=delimiter, strict=True)
        start = 1
        header: list[str] | None = None
        try:
            for cells in reader:
                line, start = start, reader.line_num + 1
                if header is None:
                    header = _header(cells, file)
                elif len(cells) == len(header):
                    row = dict(zip(header, cells, strict=True))
                    if chunk := batcher.add(row, line, sum(map(len, cells))):
                        yield chunk
                elif cells:
                    said = f"{len(cells)} cells, the header has {len(header)}"
                    raise InputError(said, file=file.name, line=line)
        except csv.Error as error:
            raise InputError(f"no CSV: {plain(str(error))}", file=file.name, line=start) from None
    yield from batcher.rest()


def lines_of_csv(stream: IO[bytes], name: str) -> Iterator[str]:
    """The physical lines of a CSV file as text, their ends kept (a quoted cell may hold them)."""
    number = 0
    while line := stream.readline(MAX_LINE + 1):
        number += 1
        if len(line) > MAX_LINE:
            raise InputError(f"a line of more than {MAX_LINE >> 20} MB", file=name, line=number)
        yield decode(line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line, name, number)


def _header(cells: list[str], file: Bytes) -> list[str]:
    twice = {cell for cell in cells if cells.count(cell) > 1}
    if twice or "" in cells:
        said = f"the header names {plain(min(twice))!r} twice" if twice else "a column of the header has no name"
        raise InputError(said, file=file.name, line=1, do="the first line must name every column once")
    return cells


def _parquet(file: Bytes, batcher: Batcher) -> Iterator[Chunk]:
    try:
        with open_bytes(file) as stream:
            packed = stream.read() if isinstance(stream, io.BufferedReader) and file.path.suffix != ".parquet" else None
        opened = pq.ParquetFile(pa.BufferReader(packed) if packed else str(file.path))
        for batch in opened.iter_batches(batch_size=8192):
            yield arrow_chunk(batch, file.name)
    except (pa.ArrowInvalid, OSError) as error:
        raise InputError(f"no Parquet, or a truncated one: {plain(str(error))}", file=file.name) from None


def _arrow(file: Bytes, batcher: Batcher) -> Iterator[Chunk]:
    refuse_what_is_no_data(file)
    try:
        with open_bytes(file) as stream:
            if stream.peek(6)[:6] == b"ARROW1" and file.path.suffix not in (".gz", ".zst"):  # type: ignore[attr-defined]
                opened = pa.ipc.open_file(pa.memory_map(str(file.path)))
                for at in range(opened.num_record_batches):
                    yield arrow_chunk(opened.get_batch(at), file.name)
            else:
                for batch in pa.ipc.open_stream(stream):
                    yield arrow_chunk(batch, file.name)
    except (pa.ArrowInvalid, OSError) as error:
        raise InputError(f"no Arrow file, or a truncated one: {plain(str(error))}", file=file.name) from None


def _yaml(file: Bytes, batcher: Batcher) -> Iterator[Chunk]:
    with open_bytes(file) as stream:
        text = stream.read(MAX_LINE + 1)
    if len(text) > MAX_LINE:
        raise InputError(f"a YAML file of more than {MAX_LINE >> 20} MB", file=file.name, do="use JSONL")
    for number, line in enumerate(text.split(b"\n"), 1):
        decode(line, file.name, number)
    for row, number in read_yaml(text.decode(), file.name):
        if chunk := batcher.add(row, number, 0):
            yield chunk
    yield from batcher.rest()
