"""The mended build: what is put right, what is left, and where every row came from."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq

from provkit.audit import Options, audit
from provkit.audit.fix import look, recipe
from provkit.audit.subject import open_release
from provkit.build import build, plan
from provkit.recipe import Recipe
from provkit.verify import verify

ROWS = [
    {"prompt": "a question\n   ", "answer": "&lt;p>an answer&lt;/p>", "score": "7", "ratio": "0.5", "id": "01"},
    {"prompt": "another", "answer": "plain text", "score": "11", "ratio": "2", "id": "02"},
    {"prompt": "another", "answer": "plain text\n", "score": "11", "ratio": "2", "id": "02"},
    {"prompt": "mixed", "answer": "<b>&lt;i>&lt;/i></b>", "score": "12", "ratio": "3", "id": "03"},
]


def mended(out: Path, *files: str) -> None:
    subjects = [subject for file in files for subject in open_release(file).subjects]
    build(plan(recipe([look(subject) for subject in subjects], "mended"), Path()), out)


def test_everything_safe_is_mended_with_lineage_and_drops(tmp_path: Path, write) -> None:
    path = write(ROWS)
    before = Path(path).read_bytes()
    mended(tmp_path / "out", path)
    assert Path(path).read_bytes() == before
    (data,) = (tmp_path / "out" / "data").rglob("*.parquet")
    rows = [{k: v for k, v in row.items() if k in ROWS[0]} for row in pq.read_table(data).to_pylist()]
    assert rows == [
        {"prompt": "a question", "answer": "<p>an answer</p>", "score": 7, "ratio": 0.5, "id": "01"},
        {"prompt": "another", "answer": "plain text", "score": 11, "ratio": 2.0, "id": "02"},
        {"prompt": "mixed", "answer": "<b>&lt;i>&lt;/i></b>", "score": 12, "ratio": 3.0, "id": "03"},
    ]
    assert verify(tmp_path / "out", [Path(path)]) == []
    drops = pq.read_table(tmp_path / "out" / "lineage" / "drops.parquet").to_pylist()
    assert [(one["step"], one["reason"], one["detail"]) for one in drops] == [
        ("dedup", "duplicate row", "same as rows.jsonl:2")
    ]
    left = audit([str(tmp_path / "out")], Options(select=["D001", "T"])).findings
    assert [(one.rule.id, one.count) for one in left] == [("T004", 1)]  # raw and escaped tags in one text


def test_an_array_under_the_name_jsonl_and_several_files(tmp_path: Path, write) -> None:
    array = write(b'[{"prompt": "a ", "answer": "x y"}]', "first.jsonl")
    other = write([{"question": "b", "answer": "x y "}], "sub/first.jsonl")
    mended(tmp_path / "out", array, other)
    assert sorted(one.name for one in (tmp_path / "out" / "data").iterdir()) == ["first", "first_2"]
    assert audit([str(tmp_path / "out")], Options(select=["F", "T", "D"])).findings == ()


def test_names_that_no_arm_may_have(tmp_path: Path, write) -> None:
    mended(
        tmp_path / "out", write([{"prompt": "a", "answer": "x y"}], "rows.jsonl"), write([{"prompt": "b"}], "7.jsonl")
    )
    assert sorted(one.name for one in (tmp_path / "out" / "data").iterdir()) == ["data_7", "data_rows"]


def test_arms_and_splits_of_a_build_are_mended_with_their_lineage(tmp_path: Path, write) -> None:
    write([{"prompt": f"q{at // 2} ", "answer": "an answer"} for at in range(40)], "data.jsonl")
    value = {
        "name": "doubled", "summary": "Rows that stand twice.", "licence": "MIT", "sensitivity": "open",
        "sources": {"data": {"files": "data.jsonl"}}, "splits": {"train": 0.5, "test": 0.5},
    }  # fmt: skip
    build(plan(Recipe.model_validate(value), tmp_path), tmp_path / "made")
    mended(tmp_path / "out", str(tmp_path / "made"))
    assert sorted(one.name for one in (tmp_path / "out" / "data").iterdir()) == ["data_test", "data_train"]
    assert audit([str(tmp_path / "out")], Options(select=["D001", "T"])).findings == ()
    assert verify(tmp_path / "out", [tmp_path / "made"]) == []
    parents = pq.read_table(tmp_path / "out" / "lineage" / "rows.parquet").column("parents").to_pylist()
    assert {one["split"] for row in parents for one in row} == {"train", "test"} and len(parents) == 20
