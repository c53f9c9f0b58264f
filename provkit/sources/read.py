"""Each file format as a stream of Arrow batches with the line of each row."""

from __future__ import annotations

from collections.abc import Iterator

from provkit.errors import InputError
from provkit.sources.arrow_rows import read_arrow, read_parquet
from provkit.sources.batches import Batcher, Chunk
from provkit.sources.csv_rows import read_csv
from provkit.sources.files import Bytes, open_bytes
from provkit.sources.json_rows import read_json, read_jsonl
from provkit.sources.text import MAX_DOCUMENT as MAX_DOCUMENT
from provkit.sources.text import MAX_LINE as MAX_LINE
from provkit.sources.text import decode
from provkit.sources.yaml_rows import MAX_YAML, read_yaml


def read_file(file: Bytes, kind: str, fill: bool = False) -> Iterator[Chunk]:
    """The rows of one file in batches.

    Raises:
        InputError: with file, line and field, for anything that is not as the format says.
    """
    rows = 0
    try:
        for chunk in _reader(file, kind, Batcher(file.name, fill)):
            rows += len(chunk.batch)
            yield chunk
    except OSError as error:
        raise InputError(error.strerror or str(error), file=file.name) from None
    if not rows:
        raise InputError("the file holds no rows", file=file.name)


def _reader(file: Bytes, kind: str, batcher: Batcher) -> Iterator[Chunk]:
    match kind:
        case "jsonl":
            return read_jsonl(file, batcher)
        case "json":
            return read_json(file, batcher)
        case "csv" | "tsv":
            return read_csv(file, batcher, "," if kind == "csv" else "\t")
        case "parquet":
            return read_parquet(file)
        case "arrow":
            return read_arrow(file)
        case "yaml":
            return _yaml(file, batcher)
    raise InputError(f"unknown format {kind!r}", file=file.name, do="jsonl, json, csv, tsv, parquet, arrow or yaml")


def _yaml(file: Bytes, batcher: Batcher) -> Iterator[Chunk]:
    with open_bytes(file) as stream:
        raw = stream.read(MAX_YAML + 1)
    if len(raw) > MAX_YAML:
        raise InputError(f"a YAML file of more than {MAX_YAML >> 20} MB", file=file.name, do="use JSONL")
    text = "".join(decode(line, file.name, number) for number, line in enumerate(raw.splitlines(keepends=True), 1))
    for row, line in read_yaml(text, file.name):
        if chunk := batcher.add(row, line, 0):
            yield chunk
    yield from batcher.rest()
