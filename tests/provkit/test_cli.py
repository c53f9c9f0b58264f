"""The command line: what goes to stdout and what to stderr, the exit codes, and what a terminal is spared."""

from __future__ import annotations

import csv
import io
import json
from importlib import import_module
from typing import TYPE_CHECKING, Any

import click
import pyarrow.parquet as pq
import pytest

from provkit.cli import COMMANDS

if TYPE_CHECKING:
    from tests.conftest import Bench

pytestmark = pytest.mark.usefixtures("odd")


@pytest.fixture
def made(bench: Bench) -> Bench:
    """A bench with `out`, a small paired build."""
    bench.rows(8)
    bench.build(arms={"control": [], "marked": ["odd_mark"]}, pair=True, splits={"train": 0.75, "test": 0.25})
    return bench


def test_the_table_of_commands_says_what_each_says_of_itself() -> None:
    for name, said in COMMANDS.items():
        module = name.replace("-", "_")
        command: click.Command = getattr(import_module(f"provkit.cli.{module}"), module)
        assert command.name == name
        assert command.get_short_help_str(limit=200) == said, name


def test_help_and_version(bench: Bench) -> None:
    done = bench.invoke("--help")
    assert done.exit_code == 0
    assert all(f"  {name} " in done.stdout for name in COMMANDS)
    assert bench.invoke("-h").stdout == done.stdout
    assert bench.invoke("--version").stdout.startswith("provkit, version ")
    for name in COMMANDS:
        assert bench.invoke(name, "--help").exit_code == 0


@pytest.mark.parametrize(("word", "near"), [("biuld", "build"), ("lineag", "lineage"), ("quary", "query")])
def test_an_unknown_command_is_answered_with_the_near_one(bench: Bench, word: str, near: str) -> None:
    done = bench.invoke(word)
    assert done.exit_code == 2
    assert done.stdout == ""
    assert done.stderr.count(f"Did you mean {near!r}?") == 1
    assert "Did you mean" not in bench.invoke("xyzzy").stderr


def test_a_build_prints_its_rows_and_talks_on_stderr(bench: Bench) -> None:
    bench.rows(10)
    bench.recipe(steps=[{"odd_drop": {"every": 5}}], splits={"train": 0.75, "test": 0.25})
    done = bench.invoke("build", "recipe.yaml", "-o", "out dir")
    assert done.exit_code == 0
    assert [line.split() for line in done.stdout.splitlines() if "data" in line] == [
        ["data", "train", "6"],
        ["data", "test", "2"],
    ]
    told = done.stderr.splitlines()
    assert told[:3] == ["read data: 10 rows", "odd_drop: 10 rows", "write: 8 rows"]
    assert told[-2].endswith("2 candidates dropped, each with its reason")
    assert told[-1] == "next: provkit lineage 'out dir' data/train/0"
    again = bench.invoke("build", "recipe.yaml", "-o", "out dir")
    assert again.stdout == done.stdout
    assert again.stderr.startswith("up to date (--fresh builds it again): out dir  build ")
    assert bench.invoke("build", "recipe.yaml", "-o", "out dir", "--fresh").stderr.startswith("read data")


def test_lineage_shows_content_that_is_called_as_a_column_of_lineage_is(bench: Bench) -> None:
    bench.rows([{"prompt": "p", "model": "small", "seed": "pumpkin", "source": "a book"}])
    bench.build()
    said = bench.invoke("lineage", "out", "data/train/0").output
    assert all(f"├─ {text}\n" in said for text in ("model: small", "seed: pumpkin", "source: a book")), said


def test_the_next_command_names_a_row_that_is_there(bench: Bench) -> None:
    bench.rows(1)
    nothing = {"odd_drop": {"every": 1, "rest": 0}}
    bench.recipe(arms={"full": [], "bare": [nothing]}, splits={"train": 0.1, "test": 0.9})
    done = bench.invoke("build", "recipe.yaml", "-o", "out")
    assert done.stderr.splitlines()[-4:-1] == [
        "note: full/train is empty and has no file",
        "note: bare/train is empty and has no file",
        "note: bare/test is empty and has no file",
    ]
    assert done.stderr.splitlines()[-1] == "next: provkit lineage out full/test/0"
    assert bench.invoke("lineage", "out", "full/test/0").exit_code == 0


def test_quiet_says_nothing_on_stderr(made: Bench) -> None:
    for words in (
        ["build", "recipe.yaml", "-o", "out", "--fresh"],
        ["lineage", "out", "marked/train/0"],
        ["verify", "out"],
        ["query", "out", "FROM rows"],
        ["query", "out", "FROM rows", "-o", "answer.csv"],
        ["catalog", "list"],
        ["catalog", "show", "import-messages"],
    ):
        done = made.invoke(*words, "--quiet")
        assert (done.exit_code, done.stderr) == (0, ""), words


def test_json_is_all_that_stdout_holds(made: Bench) -> None:
    def told(*words: str) -> Any:
        done = made.invoke(*words, "--format", "json")
        assert done.exit_code == 0, done.stderr
        return json.loads(done.stdout)

    built = told("build", "recipe.yaml", "-o", "out", "--fresh")
    assert built["sizes"][0] == {"arm": "control", "split": "train", "rows": 6}
    assert built["counts"][0]["step"] == "odd_mark"
    assert told("build", "recipe.yaml", "-o", "out")["built"] is False
    planned = told("build", "recipe.yaml", "-o", "new", "--dry-run")
    assert planned["build_id"] == built["build_id"]
    assert not (made.folder / "new").exists()
    (way,) = told("lineage", "out", "marked/train/0")
    assert way["parents"][0]["file"] == "data.jsonl"
    assert told("verify", "out") == []
    assert [one["name"] for one in told("catalog", "list")] == sorted(one["name"] for one in told("catalog", "list"))
    assert told("catalog", "show", "import-messages")["name"] == "import-messages"
    assert json.loads(made.invoke("catalog", "schema").stdout)["title"] == "Recipe"
    assert told("query", "out", "SELECT sum(index) AS s, avg(n) AS a, NULL AS n FROM marked") == [
        {"s": 16, "a": 3.5, "n": None}
    ]


def test_findings_are_exit_1_and_what_can_be_mended_is_exit_2(made: Bench) -> None:
    path = made.folder / "out/data/control/train-00000-of-00001.parquet"
    path.write_bytes(path.read_bytes() + b"x")
    done = made.invoke("verify", "out")
    assert done.exit_code == 1
    assert "data/control/train-00000-of-00001.parquet" in done.stdout
    assert done.stderr == ""
    assert json.loads(made.invoke("verify", "out", "--format", "json").stdout)[0]["problem"].startswith("changed")
    for words in (
        ["verify", "nowhere"],
        ["verify", "out", "--with", "nowhere"],
        ["lineage", "out", "marked/train/99"],
        ["lineage", "nowhere", "marked/train/0"],
        ["query", "out", "SELEC 1"],
        ["query", "nowhere", "SELECT 1"],
        ["query", "SELECT 1"],
        ["query", "out", "FROM rows", "-o", "answer.xlsx"],
        ["query", "out", "FROM rows", "-o", "no/such/folder.csv"],
        ["query", "out", "SELECT INTERVAL 1 DAY AS i", "--format", "csv"],
        ["build", "nowhere.yaml"],
        ["build", "import-mesages"],
        ["build", "import-messages"],
        ["build", "recipe.yaml", "--set", "seed"],
        ["build", "recipe.yaml", "--limit", "0"],
        ["build", "recipe.yaml", "--workers", "-1"],
        ["build"],
    ):
        done = made.invoke(*words)
        assert done.exit_code == 2, words
        assert done.stdout == "", words
        assert "Error: " in done.stderr, words


def test_a_question_is_taken_as_it_was_written(made: Bench) -> None:
    """No part of SQL is mended as if it were a path: `//` divides integers, and texts keep their slashes."""
    done = made.invoke("query", "out", "SELECT 7 // 2 AS a, 'http://x/./y/' AS b", "--format", "json")
    assert json.loads(done.stdout) == [{"a": 3, "b": "http://x/./y/"}]


def test_answers_as_csv_and_parquet(made: Bench) -> None:
    question = "SELECT arm, index, steps, CASE WHEN index = 0 THEN 'a,\"b\"\nc' END AS odd FROM rows ORDER BY ALL"
    done = made.invoke("query", "out", question, "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert len(rows) == 16
    assert rows[0]["odd"] == 'a,"b"\nc'
    assert json.loads(rows[-1]["steps"])[0]["step"] == "odd_mark"
    for name in ("a.csv", "a.parquet", "a.json"):
        assert made.invoke("query", "out", question, "-o", name).stderr == f"16 rows in {name}\n"
    assert (made.folder / "a.csv").read_text() == done.stdout
    assert pq.read_table(made.folder / "a.parquet").num_rows == 16
    assert len(json.loads((made.folder / "a.json").read_text())) == 16
    piped = made.invoke("query", "out", question, "--format", "parquet")
    assert piped.stdout_bytes[:4] == piped.stdout_bytes[-4:] == b"PAR1"


def test_an_answer_without_rows_shows_its_columns(made: Bench) -> None:
    assert made.invoke("query", "out", "SELECT reason, detail FROM drops").stdout.split()[:2] == ["reason", "detail"]
    assert made.invoke("query", "out", "FROM drops", "--format", "json").stdout == "[]\n"


HOSTILE = "\x1b[31m\x07\x9b\u202e\u2066\u200b\r[bold]x[/bold]\x00"


def test_no_command_lets_hostile_text_through(bench: Bench) -> None:
    bench.rows([{"prompt": HOSTILE, "answer": HOSTILE, "n": 0, HOSTILE: HOSTILE}])
    data = {"files": "data.jsonl", "licence": HOSTILE}
    bench.recipe(summary=HOSTILE, sources={"data": data}, steps=[{"odd_mark": {"mark": HOSTILE}}])
    for words in (
        ["build", "recipe.yaml", "-o", "out"],
        ["build", "recipe.yaml", "-o", "out", "--format", "json"],
        ["build", "recipe.yaml", "--dry-run"],
        ["lineage", "out", "data/train/0"],
        ["lineage", "out", "data/train/0", "--format", "json"],
        ["query", "out", "FROM data"],
        ["query", "out", "FROM data", "--format", "json"],
        ["query", "out", "FROM builds"],
        ["query", "out", f"FROM {HOSTILE}"],
        ["lineage", "out", HOSTILE],
        ["verify", HOSTILE.replace("\x00", "")],
        ["build", HOSTILE],
        ["catalog", "show", "recipe.yaml"],
    ):
        done = bench.invoke(*words)
        shown = done.stdout + done.stderr
        assert all(c.isprintable() or c == "\n" for c in shown), (words, shown)
        assert isinstance(done.exception, SystemExit | None), (words, done.exception)
    assert "[bold]x[/bold]" in bench.invoke("query", "out", "SELECT answer FROM data").stdout


def test_long_answers_are_cut_on_a_terminal_and_say_so(made: Bench) -> None:
    done = made.invoke("query", "out", "SELECT range AS i FROM range(1500)")
    assert done.stderr == "… 500 more rows; --format csv or parquet gives them all\n"
    assert " 999 \n" in done.stdout
    assert "1000" not in done.stdout.replace(",", "")
    assert len(made.invoke("query", "out", "FROM range(1500)", "--format", "csv").stdout.splitlines()) == 1501


def test_on_a_terminal_csv_is_made_safe_and_parquet_refused(bench: Bench) -> None:
    import os
    import pty

    bench.rows([{"prompt": HOSTILE, "answer": "é"}])
    bench.build()

    def shown(shape: str) -> str:
        ours, theirs = pty.openpty()
        done = bench.run(
            "query", "out", "SELECT prompt, answer FROM data", "--format", shape, stdout=theirs, stderr=theirs
        )
        os.close(theirs)
        assert done.returncode == (0 if shape == "csv" else 2)
        return os.read(ours, 10_000).decode()

    assert all(c.isprintable() or c in "\r\n" for c in shown("csv"))
    assert "Parquet is no text: give -o FILE" in shown("parquet")


def test_an_input_is_bound_from_the_working_folder(bench: Bench) -> None:
    """Where a person stands, not where the recipe lies."""
    bench.rows([{"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]}], "mine.jsonl")
    done = bench.invoke("build", "import-messages", "--set", "data=mine.jsonl", "-o", "out")
    assert done.exit_code == 0, done.stderr
    assert "mine.jsonl:1" in bench.invoke("lineage", "out", "data/train/0").stdout


def test_a_folder_that_is_no_build_is_said_to_be_none_at_every_door(bench: Bench) -> None:
    (bench.folder / "folder").mkdir()
    for words in (["verify", "folder"], ["lineage", "folder", "a/b/0"], ["query", "folder", "SELECT 1"]):
        done = bench.invoke(*words)
        assert (done.exit_code, done.stdout) == (2, "")
        assert "no build directory: it has no provenance.json" in done.stderr


def test_a_closed_pipe_is_no_error(made: Bench) -> None:
    import subprocess
    import sys

    code = "from provkit.cli import main; main()"
    command = f"{sys.executable} -c '{code}' query out 'FROM range(30000)' --format csv | head -1"
    done = subprocess.run(["bash", "-c", command], cwd=made.folder, capture_output=True, text=True, check=False)
    assert done.stdout == '"range"\n'
    assert "Traceback" not in done.stderr
