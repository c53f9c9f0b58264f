"""provkit drift-rate: tables, JSON, the report file, notes and exit codes."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from provkit.cli import main


@pytest.fixture
def judged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    rows = [
        {"id": f"f{n}", "category": "fraud", "defence": defence, "harmful": n < drifted, "refused": n >= drifted}
        for defence, drifted, size in (("none", 3, 4), ("shield", 1, 3))
        for n in range(size)
    ]
    rows += [{"id": "f3", "category": "fraud", "defence": "shield", "harmful": None, "refused": None}]
    rows += [{"id": "b", "category": "benign", "defence": "none", "harmful": False, "refused": False}]
    path = tmp_path / "judged.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_the_tables_and_the_notes(judged: Path) -> None:
    done = CliRunner().invoke(main, ["drift-rate", judged.name])
    assert done.exit_code == 0, done.output
    lines = [line.split() for line in done.stdout.splitlines()]
    assert ["none", "all", "4", "4", "0", "0.75"] in [line[:6] for line in lines]
    shield = next(line for line in lines if line[:2] == ["shield", "all"])
    # of 4 prompts 3 judged, 1 of them drifted; on these three 1.0 - 0.3333, two turned and none came anew
    assert shield[2:6] == ["4", "3", "1", "0.3333"]
    assert "2:0" in shield and "0.6667" in shield and shield[-1] == "0.5"
    assert "note: judgements under shield that do not count: 1 no verdict" in done.stderr
    assert "note: under shield 1 of 4 harmful prompts have none; with them the rate is 0.250 to 0.500" in done.stderr
    assert done.stderr.splitlines()[-1] == "next: provkit drift-rate judged.jsonl -o rates.json"


def test_the_report_names_what_it_was_measured_from(judged: Path) -> None:
    asked = ["drift-rate", f"x={judged.name}", "--format", "json", "-o", "rates.json", "--quiet"]
    done = CliRunner().invoke(main, asked)
    assert (done.exit_code, done.stderr) == (0, "")
    written = Path("rates.json").read_bytes()
    said = json.loads(written)
    digest = hashlib.sha256(judged.read_bytes()).hexdigest()
    assert said["judgements"] == [{"name": "judged.jsonl", "sha256": digest}]
    assert said["lines"] == json.loads(done.stdout)["lines"]
    assert said["unread"] == {"none": {}, "shield": {"no verdict": 1}}
    assert CliRunner().invoke(main, asked).exit_code == 0 and Path("rates.json").read_bytes() == written


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--column", "verdict"], "'verdict' is not of the form A=B"),
        (["--column", "verdikt=x"], "no row holds a 'verdikt': did you mean 'verdict'"),
        (["--category", "x=frauds"], "'x' is mapped to the unknown category 'frauds'"),
        (["--baseline", "shild"], "no judgement under 'shild': did you mean 'shield'?"),
        (["-o", "no/such/rates.json"], "cannot write no/such/rates.json: No such file or directory"),
    ],
)
def test_what_is_wrong_with_the_command_exits_two(judged: Path, more: list[str], said: str) -> None:
    done = CliRunner().invoke(main, ["drift-rate", judged.name, *more])
    assert done.exit_code == 2 and said in done.stderr
