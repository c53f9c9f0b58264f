"""Partitions of a build through a store: the workers then need no folder that this machine sees too."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from provkit import remote
from provkit.passes import Done, Unit
from provkit.table import read_parts


@contextmanager
def carried(executor: Executor, url: str, several: int) -> Iterator[Executor]:
    """An executor for units of a pass whose rows travel through a folder at a URL, which is empty again afterwards.

    Args:
        executor: does the work; it need not see the files of the units.
        url: the folder.
        several: how many units are under way at a time, those included that are put or fetched.
    """
    try:
        with ThreadPoolExecutor(several) as threads:
            yield _Carried(executor, url, threads)
    finally:
        remote.remove(url)


class _Carried(Executor):
    """Puts the rows of each unit, has another executor work on them, and fetches what came of them."""

    def __init__(self, inner: Executor, url: str, threads: ThreadPoolExecutor) -> None:
        self._inner, self._url, self._threads = inner, url, threads

    def submit(self, function: Callable[..., Any], /, *args: Any, **options: Any) -> Future[Any]:
        """Gives a unit to the other executor."""
        (unit,) = args
        return self._threads.submit(self._carry, function, unit)

    def _carry(self, function: Callable[[Unit], Done], unit: Unit) -> Done:
        at = remote.join(self._url, unit.name)
        with tempfile.TemporaryDirectory(prefix="provkit-") as folder:
            path = Path(folder, "rows.arrow")
            rows = rows_of(unit)
            with pa.ipc.new_file(pa.OSFile(str(path), "wb"), rows.schema) as writer:
                writer.write_table(rows)
            remote.put(path, remote.join(at, path.name))
        bare = replace(unit, paths=(), order=slice(0, len(rows)))
        del rows  # there may be many that wait
        done: Done = self._inner.submit(work_at, function, bare, at).result()
        paths = [unit.folder / name.name for name in done.paths]
        for path in paths:
            remote.fetch(remote.join(at, path.name), path)
        return replace(done, paths=paths)


def rows_of(unit: Unit) -> pa.Table:
    """The rows that a unit works on, in its order."""
    table = read_parts(unit.paths)
    if isinstance(unit.order, slice):
        return table.slice(unit.order.start, unit.order.stop - unit.order.start)
    return table.take(pa.array(unit.order))


def work_at(function: Callable[[Unit], Done], unit: Unit, url: str) -> Done:
    """Fetches the rows of a unit, works on them in a temporary folder, and puts what came of them. Runs in a worker."""
    with tempfile.TemporaryDirectory(prefix="provkit-") as folder:
        path = Path(folder, "rows.arrow")
        remote.fetch(remote.join(url, path.name), path)
        made = Path(folder, "made")
        made.mkdir()
        done = function(replace(unit, paths=(path,), folder=made))
        for one in done.paths:
            remote.put(one, remote.join(url, one.name))
        return replace(done, paths=[Path(one.name) for one in done.paths])
