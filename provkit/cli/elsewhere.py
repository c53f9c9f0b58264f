"""What commands share that reach beyond this machine: places that may be URLs, and `--cluster`."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from provkit.cluster import Cluster

F = TypeVar("F", bound=Callable[..., Any])


class Place(click.ParamType[Path | str]):
    """A path of this machine, or a URL, which stays text."""

    name = "path"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path | str:
        from provkit.remote import is_url

        return value if is_url(value) else Path(value)


def cluster(command: F) -> F:
    """The option --cluster."""
    text = "Run on the workers of the Dask scheduler at this address; see docs/scale.md."
    return click.option("--cluster", "scheduler", metavar="tcp://HOST:PORT", help=text)(command)


@contextmanager
def executor(scheduler: str | None) -> Iterator[Cluster | None]:
    """The workers behind --cluster; None where it was not given."""
    if scheduler is None:
        yield None
        return
    from provkit.cluster import connected

    with connected(scheduler) as found:
        yield found


@contextmanager
def fetched(place: Path | str) -> Iterator[Path]:
    """A file to read: `place` itself, or for a URL a temporary copy of the same name."""
    if isinstance(place, Path):
        yield place
        return
    from provkit.remote import fetch, shown

    with tempfile.TemporaryDirectory(prefix="provkit-") as folder:
        path = Path(folder, shown(place).rpartition("/")[2] or "file")
        fetch(place, path)
        yield path


@contextmanager
def staged(place: Path | str, last: str) -> Iterator[Path]:
    """A directory to write: `place` itself, or for a URL a temporary one that is put there when the block ends.

    Args:
        place: where it is to stand.
        last: the file that says what the directory holds, which is put last.
    """
    if isinstance(place, Path):
        yield place
        return
    from provkit.remote import put_folder

    with tempfile.TemporaryDirectory(prefix="provkit-") as folder:
        path = Path(folder, place.rstrip("/").rpartition("/")[2] or "out")
        yield path
        put_folder(path, place, last)


@contextmanager
def through(place: Path | str, pool: Cluster | None) -> Iterator[Executor | None]:
    """Workers that need not see the directory that is written, where it is put at a URL: its rows go by the store."""
    if pool is None or isinstance(place, Path):
        yield pool
        return
    from provkit.carrying import carried

    several = max(2 * pool.size, 64)  # more workers may come
    with carried(pool, place.rstrip("/") + ".building", several) as found:
        yield found
