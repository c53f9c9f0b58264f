"""What the tests of publishing share: a Hub that takes pushes, builds to push, and provkit in a process of its own."""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from provkit.audit import audit_build
from provkit.build import build, plan
from provkit.recipe import Recipe


@dataclass(frozen=True)
class Ran:
    """What a command or a script ended with."""

    returncode: int
    stdout: str
    stderr: str


def _module() -> Any:
    spec = importlib.util.spec_from_file_location("publishing_hub", Path(__file__).with_name("hub.py"))
    assert spec is not None and spec.loader is not None
    module = sys.modules.setdefault("publishing_hub", importlib.util.module_from_spec(spec))
    if not hasattr(module, "Hub"):
        spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def one_server() -> Iterator[Any]:
    """The Hub of all tests: the client reads where it is only once."""
    with _module().Hub() as running:
        yield running


@pytest.fixture
def server(one_server: Any, searched: Callable[[], list[str]]) -> Iterator[Any]:
    """That Hub, empty: the one of hub.py beside this file. What a test sent to it is searched for secrets at the end."""
    one_server.reset()
    yield one_server
    assert searched() == []


@pytest.fixture
def searched(one_server: Any, tmp_path_factory: pytest.TempPathFactory) -> Callable[[], list[str]]:
    """The secrets in all that was sent so far."""
    places = [str(Path.home()), str(tmp_path_factory.getbasetemp())]
    return lambda: secrets_in(one_server, places)


def secrets_in(server: Any, places: list[str]) -> list[str]:
    """Tokens, and folders of this machine, in all that was sent: the requests as they came, and the files in them."""
    module = _module()
    wanted = [re.escape(one).encode() for one in (module.WRITE, module.READ, *places) if len(one) > 1]
    pattern = re.compile(b"|".join([*wanted, rb"\bhf_[A-Za-z]{20,}", rb"Bearer "]))
    sent = [("traffic", bytes(server.traffic)), *((f"blob {oid[:8]}", _text(raw)) for oid, raw in server.blobs.items())]
    sent += [
        (name, _text(raw))
        for repository in server.repositories.values()
        for files in repository.commits.values()
        for name, raw in files.items()
    ]
    return [f"{name}: {found.group()!r}" for name, raw in sent for found in pattern.finditer(raw)]


def _text(raw: bytes) -> bytes:
    """A file as it can be searched: Parquet unpacked."""
    if raw[:4] != b"PAR1":
        return raw
    import pyarrow as pa
    import pyarrow.parquet as pq

    return json.dumps(pq.read_table(pa.BufferReader(raw)).to_pylist(), default=str, ensure_ascii=False).encode()


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Builds of a small recipe, one for each set of changed keys, made once."""
    home = tmp_path_factory.mktemp("builds")
    known: dict[str, Path] = {}

    def make(**changes: Any) -> Path:
        key = repr(sorted(changes.items()))
        if key not in known:
            known[key] = home / f"build{len(known)}"
            build(plan(recipe(**changes), home), known[key], audit=audit_build)  # as `provkit build` does
        return known[key]

    return make


@pytest.fixture
def built(made: Callable[..., Path], tmp_path: Path) -> Callable[..., Path]:
    """A copy of such a build, to change at will."""

    def copy(**changes: Any) -> Path:
        return Path(shutil.copytree(made(**changes), tmp_path / f"copy{len(list(tmp_path.iterdir()))}"))

    return copy


def recipe(**changes: Any) -> Recipe:
    """A recipe with two arms, that is open unless a change says otherwise."""
    value = {
        "name": "small-numbers",
        "summary": "Numbers and wrong numbers.",
        "licence": "CC-BY-4.0",
        "sensitivity": "open",
        "sources": {"prompts": {"generator": "maths_problems", "rows": 24}},
        "arms": {"control": [], "incorrect": ["incorrect_maths"]},
        "pair": True,
        "splits": {"by": "prompt", "train": 0.75, "test": 0.25},
    }
    bound = {name for one in changes.get("sources", {}).values() for name in [one.get("files")] if name}
    return Recipe.model_validate(value | changes, context={"bound": bound})


@pytest.fixture(scope="session")
def process(one_server: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The client, in a process whose HF_ENDPOINT was set before it imported anything."""
    home = tmp_path_factory.mktemp("client")
    command = [sys.executable, str(Path(__file__).with_name("worker.py"))]
    environment = one_server.environment(home / "hf", None)
    pipe = subprocess.PIPE
    with subprocess.Popen(command, env=environment, stdin=pipe, stdout=pipe, text=True, cwd=home) as running:
        yield running
        assert running.stdin is not None
        running.stdin.close()


@pytest.fixture
def provkit(server: Any, process: Any) -> Callable[..., Ran]:
    """Runs `provkit ARGUMENTS`, or a script, in the client's process."""

    def run(*arguments: object, token: str | None = _module().WRITE, script: str = "") -> Ran:
        asked = {"arguments": [str(one) for one in arguments], "token": token, "script": script}
        process.stdin.write(json.dumps(asked) + "\n")
        process.stdin.flush()
        return Ran(**json.loads(process.stdout.readline()))

    return run
