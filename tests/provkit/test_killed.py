"""Builds that are killed, and builds that have nowhere to go: what stands under the final name, and what comes next.

Run as a script, this file is a process that has provkit loaded and builds in forks of itself; a fork kills itself with
SIGKILL at the n-th file operation in the build's folder, so that every point of a build can be its last.
"""

from __future__ import annotations

import importlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.conftest import Bench

WATCHED = {"open", "os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.listdir", "os.scandir", "shutil.rmtree"}
RECIPE: dict[str, Any] = {
    "steps": ["import_messages", {"dedup": {"by": "prompt"}}, "shuffle"],
    "arms": {"control": [], "other": ["shuffle"]},
    "splits": {"train": 0.8, "test": 0.2},
    "sensitivity": "gated",
    "canary": "text",
}


def chats(size: int) -> list[dict[str, Any]]:
    return [
        {"messages": [{"role": "user", "content": f"q{at % 70}"}, {"role": "assistant", "content": f"a{at}"}]}
        for at in range(size)
    ]


@pytest.mark.parametrize("before", ["nothing", "an older build"])
def test_killed_at_any_point_a_build_is_whole_or_not_there(bench: Bench, before: str) -> None:
    """Ten points, evenly spread over all file operations of a build, twice: twenty in all."""
    bench.rows(chats(100))
    if before != "nothing":
        bench.build(**RECIPE, seed=1)
    undisturbed = bench.files(bench.build("undisturbed", **RECIPE, seed=2))
    old = bench.files(bench.folder / "out") if before != "nothing" else {}
    command = [sys.executable, __file__, str(bench.folder), "10"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    points = json.loads(done.stdout)
    assert len(points) == 10
    assert all(point["signal"] == signal.SIGKILL for point in points)
    assert len({point["operation"] for point in points}) >= 4, points
    for point in points:
        found = {name: bytes.fromhex(content) for name, content in point["final"].items()}
        assert found in ({}, old) or same(found, undisturbed), point["operation"]
        assert same({name: bytes.fromhex(content) for name, content in point["again"].items()}, undisturbed)
        assert point["left"] == ["data.jsonl", "out", "recipe.yaml", "undisturbed"], point["operation"]


def same(found: dict[str, bytes], other: dict[str, bytes]) -> bool:
    """Whether two builds agree in all but the manifest, which names the one that it replaced."""
    return found.keys() == other.keys() and all(
        found[name] == other[name] for name in found if name != "provenance.json"
    )


def test_workers_do_not_outlive_a_killed_build(bench: Bench) -> None:
    bench.rows(1200)
    bench.recipe(steps=[{"odd_slow": {"milliseconds": 5}}])
    code = """
from pathlib import Path
from provkit import chain
from provkit.build import build, plan
from provkit.recipes import find
if __name__ == "__main__":
    chain.POOL_FROM, chain.SLICE = 0, 200
    found = find("recipe.yaml")
    build(plan(found.recipe(), Path()), Path("out"), 2, progress=lambda *now: print(*now, flush=True))
"""
    (bench.folder / "slow.py").write_text(code)
    odd = str(Path(__file__).parents[1] / "odd_builders")
    running = subprocess.Popen(
        [sys.executable, "slow.py"],
        cwd=bench.folder,
        env={**os.environ, "PYTHONPATH": odd},
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert running.stdout is not None
    for line in running.stdout:
        if line.startswith("odd_slow") and line.split()[1] != "0":
            break
    running.kill()
    running.wait()
    until = time.monotonic() + 30
    while (alive := session(running.pid)) and time.monotonic() < until:
        time.sleep(0.05)
    assert not alive
    assert sorted(path.name for path in bench.folder.glob(".out*")) == [".out.building", ".out.lock"]


def session(leader: int) -> list[str]:
    """The processes of a session that still run."""
    alive = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, _, of = stat.read_text().rpartition(")")[2].split()[:4]
        except OSError:
            continue
        if int(of) == leader and state != "Z":
            alive.append(stat.parent.name)
    return alive


def test_a_second_build_into_the_same_directory_refuses(bench: Bench) -> None:
    import fcntl

    bench.rows(chats(10))
    bench.recipe(**RECIPE)
    with (bench.folder / ".out.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        done = bench.invoke("build", "recipe.yaml", "-o", "out")
        assert done.exit_code == 2
        assert "out is being written by another process" in done.stderr
        assert done.stdout == ""
    assert not (bench.folder / "out").exists()
    assert bench.invoke("build", "recipe.yaml", "-o", "out", "--quiet").exit_code == 0
    assert not list(bench.folder.glob(".out*"))


@pytest.mark.parametrize("limit", [1000, 40_000, 200_000])
def test_a_disk_that_fills_changes_nothing(bench: Bench, limit: int) -> None:
    """A file that may not grow past `limit` bytes, as on a full disk, at the recipe's first file or at a later one."""
    import random
    import resource

    chance = random.Random(1)
    bench.rows([{"prompt": str(at), "answer": chance.randbytes(500).hex()} for at in range(300)])
    bench.recipe()
    before = bench.files(bench.build(seed=1, splits={"train": 0.5, "test": 0.5}))
    bench.recipe()

    def narrow() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    done = bench.run("build", "recipe.yaml", "-o", "out", preexec_fn=narrow)
    assert done.returncode == 2, done.stderr
    assert "cannot write out: " in done.stderr
    assert "nothing was changed" in done.stderr
    assert "Traceback" not in done.stderr
    assert bench.files(bench.folder / "out") == before
    assert not list(bench.folder.glob(".out*"))


@pytest.mark.parametrize("out", ["data.jsonl/out", "/proc/out", "/sys/out", "/", ".", "data.jsonl"])
def test_a_place_that_cannot_be_written_is_named(bench: Bench, out: str) -> None:
    bench.rows(3)
    bench.recipe()
    done = bench.invoke("build", "recipe.yaml", "-o", out)
    assert done.exit_code == 2
    assert done.stderr.splitlines()[-2].startswith("Error: ")
    assert done.stdout == ""
    assert sorted(path.name for path in bench.folder.iterdir()) == ["data.jsonl", "recipe.yaml"]


def forked(work: Callable[[], None]) -> tuple[int, str]:
    """Runs `work` in a fork; the signal that ended it, and what it wrote to its pipe."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        os.dup2(writing, 3)
        try:
            work()
        except BaseException as error:
            os.write(2, repr(error).encode())
            os._exit(1)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        said = pipe.read()
    status = os.waitpid(child, 0)[1]
    return os.WTERMSIG(status) if os.WIFSIGNALED(status) else -os.WEXITSTATUS(status), said


def building(folder: Path, last: int | None) -> Callable[[], None]:
    """A build that kills itself at its operation number `last`, or counts them all."""
    seen: list[str] = []

    def watch(event: str, args: tuple[Any, ...]) -> None:
        if event in WATCHED and str(folder) in str(args):
            seen.append(event)
            if len(seen) == last:
                os.write(3, f"{event} {Path(str(args[0])).name}".encode())
                os.kill(os.getpid(), signal.SIGKILL)

    def work() -> None:
        from provkit.build import build, plan
        from provkit.recipes import find

        planned = plan(find(str(folder / "recipe.yaml")).recipe(), folder)
        sys.addaudithook(watch)
        build(planned, folder / "out")
        if last is None:
            os.write(3, str(len(seen)).encode())

    return work


def contents(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes().hex() for path in folder.rglob("*") if path.is_file()
    }


def main(folder: Path, points: int) -> None:
    """Kills a build at so many points, each on a fresh copy of what the folder holds."""
    importlib.import_module("pandas")  # pyarrow would import it in each fork

    from provkit.build import build  # noqa: F401
    from provkit.recipes import find

    find(str(folder / "recipe.yaml")).recipe()
    spare = folder.with_name(folder.name + "-spare")
    shutil.copytree(folder, spare)
    _, total = forked(building(folder, None))
    done = []
    for point in range(points):
        shutil.rmtree(folder)
        shutil.copytree(spare, folder)
        last = 1 + (int(total) - 1) * point // (points - 1)
        ended, operation = forked(building(folder, last))
        final = contents(folder / "out")
        status, _ = forked(building(folder, None))
        assert status == 0
        left = sorted(path.name for path in folder.iterdir())
        again = contents(folder / "out")
        done.append({"signal": ended, "operation": operation, "final": final, "again": again, "left": left})
    print(json.dumps(done))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
