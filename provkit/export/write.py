"""A file of records that is written whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import orjson

from provkit.errors import InputError, ProvkitError, plain

Write = Callable[[dict[str, Any]], None]


@contextmanager
def writing_records(path: Path) -> Iterator[Write]:
    """A function that takes record after record; the file is there when the block ends without an error.

    A name that ends in .jsonl gets a record a line, one that ends in .json an array.

    Raises:
        InputError: for another ending.
        ProvkitError: when the file cannot be written; what stood there stays.
    """
    kind = path.suffix.lower()
    if kind not in (".jsonl", ".json"):
        raise InputError("the file's name ends in .jsonl, or in .json for one array", file=path, field="-o")
    if path.is_dir():
        raise ProvkitError(f"{plain(path.name)} is a directory\n  name a file with -o")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    except OSError as error:
        raise _refused(path, error) from None
    try:
        with os.fdopen(handle, "wb") as file:
            yield from _written(file, kind == ".json")
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, path)
    except OSError as error:
        raise _refused(path, error) from None
    finally:
        Path(temporary).unlink(missing_ok=True)


def _written(file: IO[bytes], array: bool) -> Iterator[Write]:
    first = True

    def write(record: dict[str, Any]) -> None:
        nonlocal first
        if array:
            file.write(b"[\n" if first else b",\n")
        first = False
        file.write(orjson.dumps(record) + (b"" if array else b"\n"))

    yield write
    if array:
        file.write(b"[]\n" if first else b"\n]\n")


def _umask() -> int:
    """The process's mask, which can only be read by setting it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _refused(path: Path, error: OSError) -> ProvkitError:
    said = f"cannot write {plain(path.name)}: {plain(error.strerror or str(error))}"
    return ProvkitError(f"{said}\n  nothing was changed; free space or choose another place with -o")
