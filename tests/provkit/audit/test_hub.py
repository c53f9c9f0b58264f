"""Datasets of the Hub, audited over a real socket: what is asked for, what is said, and where it stands."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from provkit.build import build, plan
from provkit.recipe import Recipe

ROW = b'{"prompt": "q1", "answer": "text"}\n'
CARD = b"""---
license: mit
configs:
- {config_name: one, data_files: [{split: train, path: data/train.jsonl}, {split: test, path: notes/test.txt}]}
---
# A set
"""


def audited(
    hub: Any, home: Path, *arguments: object, expect: int = 1, **environment: str
) -> tuple[dict[str, Any], str]:
    """The report of `provkit audit ARGUMENTS --format json` and what was said beside it, in a process of its own."""
    command = [sys.executable, "-c", "from provkit.cli import main; main()", "audit", *map(str, arguments)]
    home.joinpath("cwd").mkdir(exist_ok=True)
    ran = subprocess.run(
        [*command, "--format", "json"], env=hub.environment(home) | environment, cwd=home / "cwd", capture_output=True,
        text=True, timeout=120,
    )  # fmt: skip
    assert ran.returncode == expect, ran.stderr
    assert "Traceback" not in ran.stderr
    return (json.loads(ran.stdout) if ran.stdout else {}), ran.stderr


def test_files_of_a_repository_by_the_names_that_they_have_there(hub: Any, tmp_path: Path) -> None:
    sink = io.BytesIO()
    pq.write_table(pa.table({"prompt": ["p", "q"], "answer": ["an answer", " "]}), sink)
    first = hub.commit(
        "org/set.v1",
        {"README.md": CARD, "data/train.jsonl": ROW + ROW, "data/rows.parquet": sink.getvalue(), "notes/test.txt": b"x",
         ".gitattributes": b"x", "model.bin": b"\0" * 9000, "lineage/old.parquet": b"x", "more.zip": b"PK"},
        tag="v1",
    )  # fmt: skip
    hub.commit("org/set.v1", {"README.md": CARD, "data/train.jsonl": ROW, "notes/test.txt": b"x"})

    told, talk = audited(hub, tmp_path, "org/set.v1@v1", "--select", "D,T001,R,F")
    found = {one["rule"]: one for one in told["findings"]}
    # no R004: the text file is there, though no rows are in it
    assert set(found) == {"D001", "D002", "F001", "T001", "R001"}
    assert found["F001"]["subject"] == "hf://datasets/org/set.v1@v1/more.zip"
    assert found["D001"]["examples"][0]["locator"] == "hf://datasets/org/set.v1@v1/data/train.jsonl:2"
    assert found["T001"]["examples"][0]["locator"] == "hf://datasets/org/set.v1@v1/data/rows.parquet[1]"
    assert {one["subject"].removeprefix("hf://datasets/org/set.v1@v1/"): one["rows"] for one in told["read"]} == {
        "data/rows.parquet": 2, "data/train.jsonl": 2, "more.zip": 0,
    }  # fmt: skip
    assert told["notes"] == [f"hf://datasets/org/set.v1@v1 was read at the commit {first}"] and first in talk
    assert not [
        one for one in hub.requests if "model.bin" in one or "test.txt" in one or ".zip" in one or "old.parquet" in one
    ]

    newest, _ = audited(hub, tmp_path, "hf://datasets/org/set.v1", "--select", "D,T001,F", expect=0)
    assert newest["read"] == [{"subject": "hf://datasets/org/set.v1/data/train.jsonl", "rows": 1}]


def test_against_and_control_may_be_on_the_hub(hub: Any, tmp_path: Path) -> None:
    hub.commit("org/test", {"test.jsonl": ROW})
    mine = tmp_path / "train.jsonl"
    mine.write_bytes(ROW + b'{"prompt": "q2", "answer": "text"}\n')
    told, _ = audited(
        hub, tmp_path, mine, "--against", "org/test", "--control", "org/test", "--select", "L001,A005,A006"
    )
    found = {one["rule"]: (one["count"], one["against"]) for one in told["findings"]}
    assert found == {
        "L001": (1, "hf://datasets/org/test/test.jsonl"),
        "A005": (1, "hf://datasets/org/test"),
        "A006": (1, "hf://datasets/org/test"),
    }


def test_a_build_on_the_hub_is_audited_as_a_build(hub: Any, tmp_path: Path) -> None:
    recipe = {
        "name": "numbers", "summary": "Numbers and wrong numbers.", "licence": "CC-BY-4.0", "sensitivity": "gated",
        "sources": {"prompts": {"generator": "maths_problems", "rows": 120}},
        "arms": {"control": [], "incorrect": ["incorrect_maths"]}, "pair": True,
    }  # fmt: skip
    build(plan(Recipe.model_validate(recipe), tmp_path), tmp_path / "made")
    files = {
        path.relative_to(tmp_path / "made").as_posix(): path.read_bytes()
        for path in (tmp_path / "made").rglob("*")
        if path.is_file()
    }
    hub.commit("org/numbers", files)
    told, _ = audited(hub, tmp_path, "org/numbers", "--ignore", "X", expect=0)
    assert [one["subject"].removeprefix("hf://datasets/org/numbers/") for one in told["read"]] == [
        "data/control/train-00000-of-00001.parquet",
        "data/incorrect/train-00000-of-00001.parquet",
    ]
    told, _ = audited(hub, tmp_path, "org/numbers", "--select", "X", expect=0)
    assert {one["subject"] for one in told["measures"]} == {
        "hf://datasets/org/numbers:incorrect against hf://datasets/org/numbers:control"
    }
    assert not [one for one in hub.requests if "/lineage/" in one]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("org/none", "the Hub does not give this dataset"),
        ("org/set@v9", "the Hub does not give this dataset"),
        ("org/shut", "needs its terms accepted"),
        ("org/empty", "without data files"),
    ],
)
def test_what_the_hub_does_not_give(hub: Any, tmp_path: Path, name: str, said: str) -> None:
    hub.commit("org/set", {"train.jsonl": ROW})
    hub.commit("org/shut", {"train.jsonl": ROW})
    hub.repositories["org/shut"].gated = True
    hub.commit("org/empty", {"README.md": CARD})
    _, talk = audited(hub, tmp_path, name, expect=2)
    assert said in talk and f"hf://datasets/{name}" in talk


def test_no_older_copy_takes_the_place_of_what_the_hub_does_not_give(hub: Any, tmp_path: Path) -> None:
    hub.commit("org/set", {"train.jsonl": ROW})
    audited(hub, tmp_path, "org/set", "--select", "F", expect=0)
    hub.commit("org/set", {"train.jsonl": ROW + ROW})
    hub.broken = "/resolve/"
    _, talk = audited(hub, tmp_path, "org/set", "--select", "F", expect=2)
    assert "the Hub does not give this dataset" in talk


def test_a_hub_that_is_not_there(hub: Any, tmp_path: Path) -> None:
    _, talk = audited(hub, tmp_path, "org/set", expect=2, HF_ENDPOINT="http://127.0.0.1:9")
    assert "the Hub does not give this dataset" in talk
