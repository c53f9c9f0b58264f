"""provkit audit at the command line: exit codes, shapes, options, the mended build."""

from __future__ import annotations

import json
from pathlib import Path

import orjson
import pytest
from click.testing import CliRunner, Result

from provkit.cli import main

CLEAN = [{"prompt": f"q{at}", "answer": "an answer"} for at in range(3)]


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["audit", *map(str, arguments)])


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in [*CLEAN, CLEAN[0]]))
    return path


@pytest.fixture
def clean(tmp_path: Path) -> Path:
    path = tmp_path / "clean.jsonl"
    path.write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in CLEAN))
    return path


def test_exit_codes(file: Path, clean: Path) -> None:
    assert run(clean).exit_code == 0
    assert run(file).exit_code == 1
    for arguments in ((file.parent / "none.jsonl",), (clean, "--control", "none.jsonl"), (clean, "--select", "Q9")):
        result = run(*arguments)
        assert result.exit_code == 2 and "Traceback" not in result.output
    assert run().exit_code == 2


def test_findings_on_stdout_and_talk_on_stderr(file: Path) -> None:
    result = run(file)
    assert f"{file}:4  same as {file}:1" in result.stdout
    assert "next: provkit audit --explain D001" in result.stderr
    assert run(file, "--quiet").stderr == ""


@pytest.mark.parametrize("shape", ["json", "sarif"])
def test_shapes(file: Path, tmp_path: Path, shape: str) -> None:
    found = json.loads(run(file, "--format", shape).stdout)
    run(file, "--format", shape, "-o", tmp_path / "report")
    assert json.loads((tmp_path / "report").read_bytes()) == found


def test_parquet_goes_to_a_file(file: Path, tmp_path: Path) -> None:
    assert run(file, "--format", "parquet", "-o", tmp_path / "report.parquet").exit_code == 1
    assert (tmp_path / "report.parquet").read_bytes()[:4] == b"PAR1"


def test_select_and_ignore_take_lists(file: Path) -> None:
    ids = {one["rule"] for one in json.loads(run(file, "--format", "json", "--select", "D001,D002").stdout)["findings"]}
    assert ids == {"D001", "D002"}
    assert run(file, "--ignore", "D001,duplicate-prompts").exit_code == 0


def test_explain_and_rules() -> None:
    assert run("--explain", "D002").stdout.startswith("D002 duplicate-prompts (warning")
    listed = json.loads(run("--rules", "--format", "json").stdout)
    assert {"D002", "L004", "X001"} <= {one["id"] for one in listed}
    assert "duplicate-prompts" in run("--rules").stdout
    assert run("--explain", "duplicate-prompt").exit_code == 2


def test_fix_writes_a_build_and_changes_nothing_in_place(file: Path, tmp_path: Path) -> None:
    before = file.read_bytes()
    assert run(file, "--fix").exit_code == 2  # without -o
    result = run(file, "--fix", "-o", tmp_path / "mended")
    assert result.exit_code == 1 and "1 duplicates dropped" in result.stderr
    assert file.read_bytes() == before
    assert run(tmp_path / "mended", "--select", "D,F,T").exit_code == 0


def test_a_file_that_a_build_refuses_is_not_mended(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b'{"prompt": "a", "answer": "x y"}\n{"prompt": "b"}\n')
    result = run(path, "--fix", "-o", tmp_path / "mended")
    assert result.exit_code == 2 and "another schema" in result.output
    assert not (tmp_path / "mended").exists()


def test_against_may_be_given_several_times(file: Path, clean: Path) -> None:
    found = json.loads(run(file, "--against", clean, "--against", file, "--select", "L001", "--format", "json").stdout)
    assert [(one["against"], one["count"]) for one in found["findings"]] == [(str(clean), 3), (str(file), 4)]
