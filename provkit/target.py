"""A directory that is written whole or not at all: lock, temporary sibling, rename."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from provkit.errors import ProvkitError, plain


class Busy(ProvkitError):
    """Another process is writing the same directory."""


@contextmanager
def writing(target: Path, stranger: Callable[[Path], str | None]) -> Iterator[Path]:
    """A temporary folder beside `target` that takes its place when the block ends without an error.

    A lock beside it keeps a second writer out; the system lifts it when the process dies, and the next writer
    clears away what a dead one left. Where `target` is a symbolic link, what it points to is replaced.

    Args:
        target: the directory to write.
        stranger: names something in a directory that is not of the kind written here; such a one is not replaced.

    Raises:
        Busy: when another process writes the same target.
        ProvkitError: when the target holds what is not ours to replace, or the place cannot be written to.
    """
    target = Path(os.path.realpath(target))
    if not target.name:
        raise ProvkitError("the root folder cannot be written\n  name another with -o")
    try:
        with _parents(target), _locked(target):
            _, old, new = _beside(target)
            _recover(target)
            _refuse(target, stranger)
            new.mkdir()
            try:
                yield new
                _flush(new)
                if target.exists():
                    target.rename(old)
                new.rename(target)
            finally:
                _recover(target)
    except OSError as error:
        where = Path(error.filename).name if isinstance(error.filename, str) else target.name
        said = f"cannot write {plain(target.name)}: {plain(error.strerror or str(error))} ({plain(where)})"
        raise ProvkitError(f"{said}\n  nothing was changed; free space or choose another place with -o") from error


def clear(target: Path) -> None:
    """Clears away what a killed writer left beside a directory that it had finished."""
    target = Path(os.path.realpath(target))
    if any(path.exists() for path in _beside(target)):
        with suppress(Busy, OSError), _locked(target):
            _recover(target)


def _beside(target: Path) -> tuple[Path, Path, Path]:
    """The lock, the directory that is being replaced, and the one that is being written."""
    lock, old, new = (target.with_name(f".{target.name}.{what}") for what in ("lock", "old", "building"))
    return lock, old, new


def _refuse(target: Path, stranger: Callable[[Path], str | None]) -> None:
    if not target.exists():
        return
    if not target.is_dir():
        raise ProvkitError(f"{plain(target.name)} is there and is no directory\n  name another with -o")
    if any(target.iterdir()) and (name := stranger(target)) is not None:
        said = f"{plain(target.name)} is there and holds what provkit did not make: {plain(name)}"
        raise ProvkitError(f"{said}\n  name another with -o, or move it away")


@contextmanager
def _parents(target: Path) -> Iterator[None]:
    """The folders above the target; those made here go again, if they are empty, when nothing was written."""
    made = [folder for folder in target.parents if not folder.exists()]
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        yield
    finally:
        for folder in made:
            with suppress(OSError):  # not empty: the target stands in it, or another writer is at work
                folder.rmdir()


@contextmanager
def _locked(target: Path) -> Iterator[None]:
    path, _, _ = _beside(target)
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            said = f"{plain(target.name)} is being written by another process"
            raise Busy(f"{said}\n  wait for it, or choose another place with -o") from None
        try:
            if os.stat(path).st_ino == os.fstat(handle).st_ino:
                break
        except FileNotFoundError:
            pass
        os.close(handle)  # the holder before us has just removed the file that we locked
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
        os.close(handle)


def _recover(target: Path) -> None:
    """Puts right what a writer that failed or was killed left behind."""
    _, old, new = _beside(target)
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
