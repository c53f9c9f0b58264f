"""A build's canary, looked up in texts, files and indexes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from provkit import manifest
from provkit.canary import canary_of
from provkit.cli import main
from provkit.publish.canaries import canaries_of, look


@pytest.fixture
def gated(made: Callable[..., Path]) -> tuple[Path, str]:
    folder = made(sensitivity="gated")
    canary = canary_of("gated", manifest.read(folder).build_id)
    assert canary is not None
    return folder, canary


def test_in_texts_and_files(gated: tuple[Path, str], tmp_path: Path) -> None:
    folder, canary = gated
    wanted = canaries_of([folder])
    assert list(wanted) == [canary]
    (hit,) = look(f"the model says {canary.upper()} and {canary}", wanted, 9)
    assert (hit.place, hit.times) == ("text", 2)
    assert look("nothing here", wanted, 9) == []
    (tmp_path / "out.jsonl").write_text(f'{{"output": "… {canary}"}}\n')
    (tmp_path / "empty").write_text("")
    assert [(one.place, one.times) for one in look(str(tmp_path), wanted, 9)] == [(str(tmp_path / "out.jsonl"), 1)]
    data = folder / "data/control/test-00000-of-00001.parquet"
    rows = next(one.rows for one in manifest.read(folder).data() if folder / one.file == data)
    assert len(look(str(data), wanted, 999)) == rows


def test_in_an_index(gated: tuple[Path, str], tmp_path: Path) -> None:
    folder, canary = gated
    (tmp_path / "corpus.jsonl").write_text(f'{{"text": "one"}}\n{{"text": "leaked: {canary}."}}\n')
    index = tmp_path / "idx"
    run = CliRunner().invoke(main, ["index", "build", str(tmp_path / "corpus.jsonl"), "-o", str(index), "--quiet"])
    assert run.exit_code == 0, run.output
    (hit,) = look(str(index), canaries_of([folder]), 9)
    assert canary in hit.context and "leaked" in hit.context


def test_the_command(gated: tuple[Path, str], made: Callable[..., Path]) -> None:
    folder, canary = gated
    run = CliRunner().invoke
    assert run(main, ["canary", "find", "clean", "--build", str(folder)]).exit_code == 0
    hit = run(main, ["canary", "find", "-", "--build", str(folder)], input=f"x {canary} y")
    assert hit.exit_code == 1 and canary in hit.output and "stdin" in hit.output
    assert "an open set" in run(main, ["canary", "find", "x", "--build", str(made())]).output
