"""A Dask cluster in the place of the pool of processes: the one module that knows of Dask."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, InvalidStateError
from contextlib import contextmanager, suppress
from pathlib import PurePath
from time import monotonic
from typing import TYPE_CHECKING, Any, TypeVar

import provkit
from provkit.errors import InputError, ProvkitError, plain

if TYPE_CHECKING:
    from distributed import Client

T = TypeVar("T")
LOOK, ALONE = 5, 300  # seconds between two looks at the workers, and without any after which nothing is waited for
ANSWER = 30  # seconds that a scheduler may take to answer, and that the first worker may take to come
WORDS = {"Unit": "partition", "Shard": "shard", "Batch": "batch of outputs"}


@contextmanager
def connected(address: str) -> Iterator[Cluster]:
    """The cluster whose scheduler listens at an address such as `tcp://host:8786`.

    Raises:
        InputError: when nobody answers there, or the scheduler has no worker.
        ProvkitError: when Dask is not installed.
    """
    try:
        from distributed import Client
    except ImportError:
        raise ProvkitError("--cluster needs Dask\n  pip install 'provkit[cluster]'") from None
    for name in [one for one in logging.root.manager.loggerDict if one.partition(".")[0] in ("distributed", "tornado")]:
        logging.getLogger(name).setLevel(logging.CRITICAL)  # what matters of it becomes an error of ours
    try:
        client = Client(address, timeout=ANSWER, set_as_default=False)
    except (OSError, TimeoutError, ValueError, TypeError) as error:
        do = "start one with `dask scheduler`; it prints its address"
        raise InputError(f"no Dask scheduler answers there: {plain(str(error))}", file=address, do=do) from None
    try:
        try:
            client.wait_for_workers(1, timeout=ANSWER)
        except TimeoutError:
            do = f"start some with `dask worker {address} --nthreads 1`"
            raise InputError("the scheduler has no worker", file=address, do=do) from None
        cluster = Cluster(client, address)
        with cluster:
            yield cluster
    finally:
        with suppress(Exception):  # the scheduler may be gone
            client.close(timeout=5)


class Cluster(Executor):
    """Runs units of work on the workers of a cluster, through `Client.get_executor()`.

    The scheduler gives a unit whose worker has died to another worker. A unit that several workers have died of, and
    all that is under way when the scheduler is lost or no worker is left, end in an InputError. Dask blames all that a
    worker held when it died, what waited there too.
    """

    def __init__(self, client: Client, address: str) -> None:
        self._client, self._address = client, address
        self._executor = client.get_executor(pure=False)  # the same call again is a new piece of work
        self._open: set[Future[Any]] = set()
        self._over = threading.Event()
        threading.Thread(target=self._watch, daemon=True).start()

    @property
    def size(self) -> int:
        """How many units the workers do at a time."""
        return max(1, sum(map(int, self._client.nthreads().values())))

    def submit(self, function: Callable[..., T], /, *args: Any, **options: Any) -> Future[T]:
        """Gives one unit of work to the cluster."""
        told: Future[T] = Future()
        if self._client.status != "running":
            told.set_exception(self._lost())
            return told
        inner = self._executor.submit(run, provkit.__version__, function, *args, **options)
        what = _named(args)

        def over(done: Future[T]) -> None:
            self._open.discard(told)
            with suppress(InvalidStateError):  # it was cancelled, or ended by the watch
                if done.cancelled():
                    told.set_exception(self._lost())
                elif (error := done.exception()) is not None:
                    told.set_exception(self._plain(error, what))
                else:
                    told.set_result(done.result())

        self._open.add(told)
        told.add_done_callback(lambda one: inner.cancel() if one.cancelled() else None)
        inner.add_done_callback(over)
        return told

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Lets go of what is under way; the workers stay."""
        self._over.set()
        for told in [*self._open]:
            told.cancel()

    def _watch(self) -> None:
        """Ends what is under way when nothing can come of it any more.

        The scheduler would wait for ever for a worker, and Dask's executor for a result that it was fetching when the
        scheduler was lost.
        """
        (first, _), since = self._look(), None
        while not self._over.wait(LOOK):
            scheduler, workers = self._look()
            since = None if workers else since or monotonic()
            if scheduler != first:
                self._end(self._lost())
            elif not workers and since is not None and monotonic() - since >= ALONE:
                do = "start workers and the same command again: finished shards of an index are kept"
                self._end(InputError("no worker is left", file=self._address, do=do))

    def _look(self) -> tuple[str | None, int]:
        """Which scheduler answers, for one that was started again is another one; and how many workers it has."""
        try:
            if self._client.status != "running":
                return None, 0
            told = self._client.scheduler_info()
            return str(told["id"]), len(told["workers"])
        except Exception:  # it does not answer
            return None, 0

    def _end(self, error: InputError) -> None:
        for told in [*self._open]:
            with suppress(InvalidStateError):  # it has just ended by itself
                told.set_exception(error)

    def _lost(self) -> InputError:
        do = "start it and the same command again: finished shards of an index are kept, nothing else was changed"
        return InputError("the scheduler was lost", file=self._address, do=do)

    def _plain(self, error: BaseException, what: str) -> BaseException:
        """An error of Dask's, or one that only a worker can have, in plain words; any other as it is."""
        from distributed.client import FutureCancelledError
        from distributed.comm.core import CommClosedError
        from distributed.scheduler import KilledWorker

        if isinstance(error, KilledWorker):
            several = error.allowed_failures + 1
            said = f"{several} workers in turn died of {what}" if several > 1 else f"a worker died of {what}"
            do = "give workers more memory (--memory-limit) or fewer threads (--nthreads 1), or make shards smaller"
            return InputError(said, file=self._address, do=do)
        if isinstance(error, FutureCancelledError | CommClosedError):
            return self._lost()
        missing = error if isinstance(error, ModuleNotFoundError) else error.__cause__
        if isinstance(missing, ModuleNotFoundError):
            do = f"install provkit {provkit.__version__} with the same packages of builders on all machines"
            return InputError(f"scheduler or worker has no module {missing.name!r}", file=self._address, do=do)
        if isinstance(error, FileNotFoundError) and error.filename is not None:
            do = "workers and this machine must see it under one path: name a shared folder, or a URL such as s3://"
            return InputError("a worker does not see this file", file=error.filename, do=do)
        return error


def run(version: str, function: Callable[..., T], *args: Any, **options: Any) -> T:
    """A unit of work, on a worker of the same version.

    Raises:
        InputError: on a worker of another version, whose bytes might be others.
    """
    if version != provkit.__version__:
        said = f"a worker has provkit {provkit.__version__}, and this is {version}"
        raise InputError(said, do="install the same version on all machines")
    return function(*args, **options)


def _named(args: tuple[Any, ...]) -> str:
    """What a unit is called: its shard, its partition."""
    named = next((one for one in args if hasattr(one, "name") and not isinstance(one, PurePath)), None)
    return "a unit of work" if named is None else f"{WORDS.get(type(named).__name__, 'unit')} {named.name}"
