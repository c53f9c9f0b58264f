"""A cluster of two workers does what one machine does, byte for byte, and a loss of workers or scheduler is said."""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest

from provkit import chain, cluster
from provkit.attribution import trace
from provkit.audit import code
from provkit.errors import InputError
from provkit.index import Document, build_index, open_index, verify
from provkit.row import chat

if TYPE_CHECKING:
    from tests.conftest import Bench

fsspec = pytest.importorskip("fsspec")
distributed = pytest.importorskip("distributed", reason="needs the extra `cluster`")

pytestmark = pytest.mark.xdist_group("cluster")  # one cluster, whatever the processes that tests run in
SHARD = 6_000  # bytes
WORDS = "alpha beta gamma delta epsilon zeta eta theta".split()


@pytest.fixture(scope="module")
def running(s3: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Two workers, each a process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PROVKIT_CACHE", str(tmp_path_factory.mktemp("cache")))
        settings = {"dashboard_address": ":0", "host": "127.0.0.1", "silence_logs": logging.CRITICAL}
        with distributed.LocalCluster(n_workers=2, threads_per_worker=1, processes=True, **settings) as found:
            yield found


@pytest.fixture
def address(running: Any) -> str:
    """Where its scheduler listens."""
    return str(running.scheduler_address)


def documents(number: int = 100) -> list[Document]:
    return [
        Document(" ".join(WORDS[(at * 7 + n * n) % len(WORDS)] for n in range(40)), {"doc_id": f"d{at}"})
        for at in range(number)
    ]


def files(path: Path) -> dict[str, bytes]:
    return {str(file.relative_to(path)): file.read_bytes() for file in sorted(path.rglob("*")) if file.is_file()}


class Through(Executor):
    """An executor that has a cluster do `first(shard)` in the worker before each unit."""

    def __init__(self, inner: Executor, first: Callable[[str], None]) -> None:
        self._inner, self._first = inner, first

    def submit(self, function: Callable[..., Any], /, *args: Any, **options: Any) -> Future[Any]:
        first = self._first

        def unit(*again: Any) -> Any:  # travels by value: this module is not there in a worker
            first(again[1].name)
            return function(*again)

        return self._inner.submit(unit, *args, **options)


def test_an_index_is_the_same_bytes(bench: Bench, address: str) -> None:
    bench.rows([{"text": one.text} for one in documents(300)])
    words = ("index", "build", "data.jsonl", "--shard-size", "16KB")
    assert bench.invoke(*words, "-o", "here").exit_code == 0
    done = bench.invoke(*words, "-o", "there", "--cluster", address)
    assert done.exit_code == 0, done.output
    assert files(bench.folder / "there") == files(bench.folder / "here")
    assert len(verify(bench.folder / "there").shards) == 5


def test_a_trace_is_the_same_bytes(bench: Bench, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trace, "BATCH", 2)
    bench.rows([{"text": one.text} for one in documents()])
    assert bench.invoke("index", "build", "data.jsonl", "-o", "idx", "--shard-size", "6KB").exit_code == 0
    bench.rows([{"output": one.text[20:160]} for one in documents(7)], "outputs.jsonl")
    words = ("trace", "idx", "outputs.jsonl", "--no-embed", "--quiet")
    assert bench.invoke(*words, "-o", "here").exit_code == 0
    done = bench.invoke(*words, "-o", "there", "--cluster", address)
    assert done.exit_code == 0, done.output
    assert files(bench.folder / "there") == files(bench.folder / "here")
    assert open_index(bench.folder / "idx").spans(documents(7)[0].text[20:160], 6)  # there was something to find


def test_an_index_that_was_built_again_is_not_taken_for_the_old_one(
    bench: Bench, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = trace.Batch(str(bench.folder / "idx"), "0" * 64, "0", (), trace.Options())
    build_index(documents(), bench.folder / "idx")
    with cluster.connected(address) as workers, pytest.raises(InputError, match="a worker sees another index there"):
        workers.submit(trace.trace_batch, batch).result()


def test_a_build_is_the_same_bytes(bench: Bench, s3: str, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chain, "POOL_FROM", 0)
    monkeypatch.setattr(chain, "SLICE", 60)
    bench.rows([chat(f"question  {at % 90}", f"answer\t{at}") for at in range(300)])
    bench.recipe(steps=["import_messages", {"dedup": {"by": "prompt"}}, "whitespace", "shuffle"])
    assert bench.invoke("build", "recipe.yaml", "-o", "here", "--workers", "1").exit_code == 0
    done = bench.invoke("build", "recipe.yaml", "-o", "there", "--cluster", address)
    assert done.exit_code == 0, done.output
    assert files(bench.folder / "there") == files(bench.folder / "here")
    assert len(bench.data(bench.folder / "there")) == 90
    far = bench.invoke("build", "recipe.yaml", "-o", f"{s3}/out/far", "--cluster", address)  # and no folder is shared
    assert far.exit_code == 0, far.output
    store = fsspec.filesystem("s3")
    found = {name.partition("/far/")[2]: store.cat_file(name) for name in store.find(f"{s3}/out")}
    assert found == files(bench.folder / "here")


def test_an_audit_finds_the_same(bench: Bench, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(code, "MANY", 10)
    monkeypatch.setattr(code, "CHUNK", 5)
    bench.rows([chat(f"q{at}", "x = 1" if at % 7 else "def f(:") for at in range(60)])
    words = ("audit", "data.jsonl", "--code", "python", "--format", "json")
    here, there = bench.invoke(*words, "--workers", "1"), bench.invoke(*words, "--cluster", address)
    assert (there.exit_code, json.loads(there.stdout)) == (1, json.loads(here.stdout))
    assert {one["rule"]: one["count"] for one in json.loads(there.stdout)["findings"]}["C001"] == 9


def test_from_s3_to_s3_and_back(bench: Bench, s3: str, address: str) -> None:
    """Sources, shards, outputs, and a trace whose workers open the index at its URL."""
    store = fsspec.filesystem("s3")
    for part in range(2):
        rows = [{"text": one.text} for one in documents(150)[part::2]]
        store.pipe_file(f"{s3}/in/{part}.jsonl", "".join(json.dumps(row) + "\n" for row in rows).encode())
    words = ("index", "build", f"{s3}/in/*.jsonl", "--shard-size", "8KB")
    assert bench.invoke(*words, "-o", "here").exit_code == 0
    done = bench.invoke(*words, "-o", f"{s3}/idx", "--cluster", address)
    assert done.exit_code == 0, done.output
    found = {name.partition("/idx/")[2]: store.cat_file(name) for name in store.find(f"{s3}/idx")}
    assert found == files(bench.folder / "here")
    bench.rows([{"output": one.text[20:160]} for one in documents(3)], "outputs.jsonl")
    store.put_file(str(bench.folder / "outputs.jsonl"), f"{s3}/outputs.jsonl")
    words = ("trace", f"{s3}/idx", f"{s3}/outputs.jsonl", "-o", f"{s3}/trace", "--no-embed", "--cluster", address)
    traced = bench.invoke(*words)
    assert traced.exit_code == 0, traced.output
    assert bench.invoke("trace", "here", "outputs.jsonl", "-o", "trace", "--no-embed").exit_code == 0
    for name in ("outputs", "spans", "matches"):
        assert store.cat_file(f"{s3}/trace/{name}.parquet") == (bench.folder / f"trace/{name}.parquet").read_bytes()


def test_what_is_not_there_is_said(bench: Bench, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "ANSWER", 1)
    bench.rows(3)
    done = bench.invoke("index", "build", "data.jsonl", "-o", "idx", "--cluster", "tcp://127.0.0.1:1")
    assert done.exit_code == 2
    assert "tcp://127.0.0.1:1: no Dask scheduler answers there" in done.stderr
    assert not (bench.folder / "idx").exists()
    with cluster.connected(address) as workers:
        with pytest.raises(InputError, match="/nowhere: a worker does not see this file\n  workers and this machine"):
            workers.submit(os.stat, "/nowhere").result()
        with pytest.raises(ZeroDivisionError):
            workers.submit(divmod, 1, 0).result()


def test_another_version_on_a_worker_is_refused() -> None:
    assert cluster.run(cluster.provkit.__version__, divmod, 7, 3) == (2, 1)
    with pytest.raises(InputError, match="and this is 0.0.9\n  install the same version on all machines"):
        cluster.run("0.0.9", divmod, 7, 3)


def test_without_dask_the_extra_is_named(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    bench.rows(3)
    done = bench.invoke("index", "build", "data.jsonl", "-o", "idx", "--cluster", "tcp://127.0.0.1:1")
    assert (done.exit_code, "pip install 'provkit[cluster]'" in done.stderr) == (2, True)


def test_a_worker_that_is_killed_in_the_middle_of_a_shard(tmp_path: Path, address: str) -> None:
    whole = build_index(documents(), tmp_path / "whole", shard_bytes=SHARD)
    killed = tmp_path / "killed"

    def die_once(shard: str) -> None:
        """Between the tokens, which are written, and the sort."""
        from provkit.index import shard as module

        def die(_: object) -> None:
            if not killed.exists():
                killed.touch()
                os.kill(os.getpid(), signal.SIGKILL)

        sort = module.sort
        if shard == "00001" and not killed.exists():
            module.sort = lambda text: (die(text), sort(text))[1]

    with cluster.connected(address) as workers:
        build_index(documents(), tmp_path / "idx", shard_bytes=SHARD, executor=Through(workers, die_once))
    assert killed.exists() and len(whole.shards) == 4
    assert files(tmp_path / "idx") == files(tmp_path / "whole")


def test_a_shard_that_every_worker_dies_of_is_named(
    tmp_path: Path, running: Any, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running.scheduler, "allowed_failures", 0)

    def die(shard: str) -> None:
        if shard == "00001":
            os.kill(os.getpid(), signal.SIGKILL)

    # the scheduler blames all that the worker held when it died: a shard that waited behind that one may be named
    with (
        cluster.connected(address) as workers,
        pytest.raises(InputError, match=r"a worker died of shard 0000[1-3]\n  give workers more memory"),
    ):
        build_index(documents(), tmp_path / "idx", shard_bytes=SHARD, executor=Through(workers, die))
    whole = build_index(documents(), tmp_path / "whole", shard_bytes=SHARD)
    assert build_index(documents(), tmp_path / "idx", shard_bytes=SHARD) == whole
    assert files(tmp_path / "idx") == files(tmp_path / "whole")


@contextmanager
def standing(folder: Path) -> Iterator[tuple[str, int]]:
    """A scheduler in a process of its own with one worker that nobody starts again: its address and process id."""
    at = folder / "scheduler.json"
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    words = ("--scheduler-file", at, "--no-dashboard")
    scheduler = subprocess.Popen([*dask("scheduler"), "--host", "127.0.0.1", "--port", "0", *words], **quiet)
    worker = subprocess.Popen([*dask("worker"), "--nthreads", "1", "--no-nanny", *words], **quiet)
    try:
        yield where(at, scheduler), scheduler.pid
    finally:
        for process in (worker, scheduler):
            process.kill()
            process.wait()


def dask(what: str) -> Sequence[str]:
    return sys.executable, "-m", f"distributed.cli.dask_{what}"


def where(file: Path, process: subprocess.Popen[Any]) -> str:
    """The address in the file that a scheduler writes when it listens."""
    while process.poll() is None:
        try:
            return str(json.loads(file.read_bytes())["address"])
        except (OSError, json.JSONDecodeError):
            threading.Event().wait(0.05)
    raise AssertionError("the scheduler ended")


def test_a_scheduler_that_is_lost(tmp_path: Path) -> None:
    """Its process is killed by the unit of the second shard: the first one is kept, and gone on with."""
    with standing(tmp_path) as (address, number):

        def kill_it(shard: str) -> None:
            if shard == "00001":
                os.kill(number, signal.SIGKILL)
                threading.Event().wait()

        with (
            cluster.connected(address) as workers,
            pytest.raises(InputError, match="the scheduler was lost\n  start it and the same command again"),
        ):
            build_index(documents(), tmp_path / "idx", shard_bytes=SHARD, executor=Through(workers, kill_it))
    kept = (tmp_path / "idx" / "shards" / "00000" / "suffixes.bin").stat()
    build_index(documents(), tmp_path / "idx", shard_bytes=SHARD)
    again = (tmp_path / "idx" / "shards" / "00000" / "suffixes.bin").stat()
    assert (again.st_ino, again.st_mtime_ns) == (kept.st_ino, kept.st_mtime_ns)
    build_index(documents(), tmp_path / "whole", shard_bytes=SHARD)
    assert files(tmp_path / "idx") == files(tmp_path / "whole")


def test_a_module_that_is_missing_there_and_the_last_worker_that_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "LOOK", 0.1)
    monkeypatch.setattr(cluster, "ALONE", 0)
    told = "no worker is left\n  start workers and the same command again"
    ours = ModuleType("ours_alone")
    exec("def work(): pass", vars(ours))
    monkeypatch.setitem(sys.modules, "ours_alone", ours)
    with standing(tmp_path) as (address, _), cluster.connected(address) as workers:
        with pytest.raises(InputError, match="scheduler or worker has no module 'ours_alone'\n  install provkit"):
            workers.submit(ours.work).result()
        left = workers.submit(os._exit, 1)
        with pytest.raises(InputError, match=told):
            left.result()
