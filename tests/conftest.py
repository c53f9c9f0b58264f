"""What tests of several modules share: a bench for small builds, a package of odd builders, a Hub on loopback."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import yaml
from click.testing import CliRunner, Result

from provkit import manifest, registry
from provkit.build import Built, build, plan
from provkit.cli import main
from provkit.recipes import find

ODD = Path(__file__).with_name("odd_builders")
BARE = {"name": "small", "summary": "A small set.", "licence": "MIT", "sensitivity": "open"}
DATA = {"sources": {"data": {"files": "data.jsonl"}}}


class Bench:
    """A folder in which tests write sources and recipes, build them, and read what came out."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def rows(self, rows: int | Sequence[Mapping[str, Any]], name: str = "data.jsonl") -> Path:
        """A JSONL file of these rows, or of {"prompt": "p<i>", "answer": "a<i>", "n": i}."""
        if isinstance(rows, int):
            rows = [{"prompt": f"p{i}", "answer": f"a{i}", "n": i} for i in range(rows)]
        path = self.folder / name
        path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
        return path

    def recipe(self, **keys: Any) -> Path:
        """recipe.yaml: a small open recipe over data.jsonl, with these keys."""
        path = self.folder / "recipe.yaml"
        path.write_text(yaml.safe_dump({**BARE, **DATA, **keys}, sort_keys=False), encoding="utf-8")
        return path

    def build(
        self, out: str = "out", workers: int = 1, fresh: bool = False, limit: int | None = None, **keys: Any
    ) -> Path:
        """The directory of a build of `recipe(**keys)`."""
        return self.built(out, workers, fresh, limit, **keys).path

    def built(
        self, out: str = "out", workers: int = 1, fresh: bool = False, limit: int | None = None, **keys: Any
    ) -> Built:
        """A build of `recipe(**keys)`."""
        path = self.recipe(**keys)
        planned = plan(find(str(path)).recipe(), self.folder, limit)
        return build(planned, self.folder / out, workers, fresh)

    def run(self, *words: str | Path, **options: Any) -> subprocess.CompletedProcess[str]:
        """`provkit` with these words, in this folder, in a process of its own that knows the odd builders."""
        environment = {**os.environ, "PYTHONPATH": str(ODD), **options.pop("env", {})}
        command = [sys.executable, "-c", "from provkit.cli import main; main(prog_name='provkit')", *map(str, words)]
        settings: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "timeout": 120}
        settings |= {"cwd": self.folder, "env": environment}
        return subprocess.run(command, check=False, **{**settings, **options})

    def invoke(self, *words: str | Path) -> Result:
        """`provkit` with these words, in this folder and this process."""
        before = Path.cwd()
        os.chdir(self.folder)
        try:
            return CliRunner().invoke(main, [str(word) for word in words], prog_name="provkit")
        finally:
            os.chdir(before)

    @staticmethod
    def data(out: Path, arm: str = "data", split: str = "train") -> list[dict[str, Any]]:
        """The rows of one data file."""
        return list(pq.read_table(out / f"data/{arm}/{split}-00000-of-00001.parquet").to_pylist())

    @staticmethod
    def lineage(out: Path, arm: str | None = None) -> list[dict[str, Any]]:
        """The rows of lineage/rows.parquet."""
        rows = pq.read_table(out / "lineage/rows.parquet").to_pylist()
        return [row for row in rows if arm in (None, row["arm"])]

    @staticmethod
    def drops(out: Path) -> list[dict[str, Any]]:
        """The rows of lineage/drops.parquet."""
        return list(pq.read_table(out / "lineage/drops.parquet").to_pylist())

    @staticmethod
    def counts(out: Path) -> list[tuple[str | None, str, int, int, int, int]]:
        """For each step: arm, step, rows in, created, out, dropped."""
        return [
            (one.arm, one.step, one.rows_in, one.created, one.rows_out, one.dropped)
            for one in manifest.read(out).counts
        ]

    @staticmethod
    def files(out: Path) -> dict[str, bytes]:
        """Every file of a directory by its name in it."""
        return {
            path.relative_to(out).as_posix(): path.read_bytes() for path in sorted(out.rglob("*")) if path.is_file()
        }


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """A bench in an empty folder."""
    return Bench(tmp_path)


@pytest.fixture(scope="session")
def session_bench(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Bench]:
    """Benches for what several tests only read."""
    return lambda: Bench(tmp_path_factory.mktemp("bench"))


@pytest.fixture
def odd(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Installs the package `odd-builders` for one test."""
    monkeypatch.syspath_prepend(str(ODD))
    registry.index.cache_clear()
    yield
    registry.index.cache_clear()


@pytest.fixture
def hub() -> Iterator[Any]:
    """A running `Hub` of tests/hub.py."""
    with _beside("hub").Hub() as running:
        yield running


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    """The URL of a bucket on an S3 server on loopback, tests/s3.py."""
    for name in ("s3fs", "moto.server"):
        pytest.importorskip(name, reason="needs the extra `check`")
    with _beside("s3").served() as bucket:
        yield bucket


@pytest.fixture
def llm_server() -> Any:
    """tests/llm_server.py, for its `ModelServer` and `completion`."""
    return _beside("llm_server")


@pytest.fixture
def server(llm_server: Any) -> Iterator[Any]:
    """A running `ModelServer`."""
    with llm_server.ModelServer() as running:
        yield running


def _beside(name: str) -> Any:
    """A module of this folder; it is not imported by name, as tests/ must not be a place to import from."""
    spec = importlib.util.spec_from_file_location(f"loopback_{name}", Path(__file__).with_name(f"{name}.py"))
    assert spec is not None and spec.loader is not None
    module = sys.modules.get(f"loopback_{name}")
    if module is None:
        module = sys.modules[f"loopback_{name}"] = importlib.util.module_from_spec(spec)  # where its dataclasses look
        spec.loader.exec_module(module)
    return module
