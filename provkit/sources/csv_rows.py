"""CSV and TSV: every cell is text, the first line names the columns."""

from __future__ import annotations

import csv
from collections.abc import Iterator

from provkit.errors import InputError, plain
from provkit.sources.batches import Batcher, Chunk, check_columns
from provkit.sources.files import Bytes, open_bytes
from provkit.sources.text import decode, lines_of

MAX_CELL = 16 << 20  # characters, four bytes each while they are read


def read_csv(file: Bytes, batcher: Batcher, delimiter: str) -> Iterator[Chunk]:
    """A record is a row, its line the first one of the record; blank lines are skipped.

    Raises:
        InputError: with the line of a record of another length, a cell that does not end, or a header without names.
    """
    csv.field_size_limit(MAX_CELL)
    with open_bytes(file) as stream:
        texts = (decode(line, file.name, number) for number, line in lines_of(stream, file.name))
        records = csv.reader(texts, delimiter=delimiter, strict=True)
        start, header = 1, None
        try:
            for cells in records:
                line, start = start, records.line_num + 1
                if not cells:
                    continue
                if header is None:
                    header = _header(cells, file, line)
                    continue
                if len(cells) != len(header):
                    said = f"{len(cells)} cells, the header has {len(header)}"
                    do = "a cell with a comma, a quote or a newline in it stands in double quotes"
                    raise InputError(said, file=file.name, line=line, do=do)
                row = dict(zip(header, cells, strict=True))
                if chunk := batcher.add(row, line, sum(map(len, cells))):
                    yield chunk
        except csv.Error as error:
            raise InputError(f"no CSV: {_said(error)}", file=file.name, line=start) from None
    yield from batcher.rest()


def _said(error: csv.Error) -> str:
    if "field limit" in str(error):
        return f"a cell of more than {MAX_CELL >> 20} M characters: is a quote left open?"
    if "unexpected end" in str(error):
        return "a quote is left open up to the end of the file"
    return plain(str(error))


def _header(cells: list[str], file: Bytes, line: int) -> list[str]:
    if "" in cells:
        do = "the first line must name every column"
        raise InputError("a column of the header has no name", file=file.name, line=line, do=do)
    check_columns(cells, file.name, line)
    return cells
