"""Text files: their lines, and what is no UTF-8 in them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO

from provkit.errors import InputError

BOM = b"\xef\xbb\xbf"
MAX_LINE = 64 << 20  # bytes; a longer line is a mistake, and would not fit in bounded memory
MAX_DOCUMENT = 1 << 30  # bytes of a packed file that has to be unpacked as a whole


def lines_of(stream: IO[bytes], name: str) -> Iterator[tuple[int, bytes]]:
    """The lines of a file, numbered from 1, with their ends and without a byte-order mark.

    Raises:
        InputError: for a line of more than MAX_LINE bytes.
    """
    number = 0
    while line := stream.readline(MAX_LINE + 1):
        number += 1
        if len(line) > MAX_LINE:
            said = f"a line of more than {MAX_LINE >> 20} MB"
            raise InputError(said, file=name, line=number, do="one row a line is expected")
        yield number, line.removeprefix(BOM) if number == 1 else line


def decode(line: bytes, name: str, number: int) -> str:
    """UTF-8 text.

    Raises:
        InputError: naming line and byte of what is not UTF-8.
    """
    try:
        return line.decode()
    except UnicodeDecodeError as error:
        raise InputError(
            f"byte {error.start + 1} of the line (0x{line[error.start]:02x}) is not UTF-8",
            file=name,
            line=number,
            do="convert the file, for example: iconv -f WINDOWS-1252 -t UTF-8",
        ) from None
