"""A directory that is written whole or not at all: lock, temporary sibling, rename."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from provkit.errors import ProvkitError


class Busy(ProvkitError):
    """Another process is writing the same directory."""


@contextmanager
def writing(target: Path, marker: str) -> Iterator[Path]:
    """A temporary folder beside `target` that takes its place when the block ends without an error.

    A lock beside it keeps a second writer out; the system lifts it when the process dies, and the next writer
    clears away what a dead one left. `marker` is the file by which a directory that may be replaced is known.

    Raises:
        Busy: when another process writes the same target.
        ProvkitError: when the target is there and has no `marker` in it, or the place cannot be written to.
    """
    target = Path(os.path.abspath(target))
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with _locked(target):
            old, new = target.with_name(f".{target.name}.old"), target.with_name(f".{target.name}.building")
            _recover(target, old, new)
            if target.exists() and not (target / marker).is_file() and (target.is_file() or any(target.iterdir())):
                said = f"{target.name} is there and was not made by provkit (no {marker} in it)"
                raise ProvkitError(f"{said}\n  name another with -o, or move it away")
            new.mkdir()
            try:
                yield new
                _flush(new)
                if target.exists():
                    target.rename(old)
                new.rename(target)
                shutil.rmtree(old, ignore_errors=True)
            finally:
                shutil.rmtree(new, ignore_errors=True)
    except OSError as error:
        where = Path(error.filename).name if isinstance(error.filename, str) else target.name
        said = f"cannot write {target.name}: {error.strerror or error} ({where})"
        raise ProvkitError(f"{said}\n  nothing was changed; free space or choose another place with -o") from error


@contextmanager
def _locked(target: Path) -> Iterator[None]:
    path = target.with_name(f".{target.name}.lock")
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            raise Busy(f"{target.name} is being written by another process; wait for it, or choose -o") from None
        try:
            if os.path.exists(path) and os.stat(path).st_ino == os.fstat(handle).st_ino:
                break
        except FileNotFoundError:
            pass
        os.close(handle)  # the holder before us has just removed the file that we locked
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
        os.close(handle)


def _recover(target: Path, old: Path, new: Path) -> None:
    """Puts right what a writer that was killed left behind."""
    if old.exists() and not target.exists():
        old.rename(target)
    shutil.rmtree(old, ignore_errors=True)
    shutil.rmtree(new, ignore_errors=True)


def _flush(folder: Path) -> None:
    """Makes the files durable before they get their final name."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            with path.open("rb") as file:
                os.fsync(file.fileno())
