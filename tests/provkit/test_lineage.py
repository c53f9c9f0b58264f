"""Lineage as it is written: every column of small sets by hand, and the way back through a build of a build."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq
import pytest

from provkit import lineage, manifest
from provkit.canonical import digest
from provkit.verify import verify

if TYPE_CHECKING:
    from tests.conftest import Bench

pytestmark = pytest.mark.usefixtures("odd")


def row_id(content: dict[str, Any]) -> str:
    spelled = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(spelled.encode()).hexdigest()[:32]


def test_every_column_of_a_row(bench: Bench) -> None:
    source = bench.rows(2)
    licensed = {"data": {"files": "data.jsonl", "licence": "CC0-1.0"}}
    arms = {"control": [], "marked": ["odd_mark"]}
    out = bench.build(sources=licensed, arms=arms, pair=True, seed=9)
    sha256 = hashlib.sha256(source.read_bytes()).hexdigest()
    rows = bench.lineage(out)
    assert [(row["arm"], row["split"], row["index"]) for row in rows] == [
        ("control", "train", 0),
        ("control", "train", 1),
        ("marked", "train", 0),
        ("marked", "train", 1),
    ]
    last = rows[3]
    assert last == {
        "arm": "marked",
        "split": "train",
        "index": 1,
        "row_id": row_id({"prompt": "p1", "answer": "a1!", "n": 1}),
        "pair_id": rows[1]["pair_id"],
        "op": "adversarial",
        "parents": [
            {
                "source": "data", "revision": None, "sha256": sha256, "file": "data.jsonl", "index": 1, "line": 2,
                "build_id": None, "arm": None, "split": None, "row_id": None,
            }
        ],
        "steps": [{"step": "odd_mark", "params_digest": digest({}), "note": '{"n":1}'}],
        "seed": 9,
        "request_hash": None,
        "model": None,
        "licence": "CC0-1.0",
    }  # fmt: skip
    assert rows[1]["op"] == "control"
    assert rows[1]["steps"] == []
    assert len({row["pair_id"] for row in rows}) == 2


def test_the_files_have_the_schemas_that_are_written_down(bench: Bench) -> None:
    bench.rows(3)
    out = bench.build(steps=["dedup"])
    assert pq.read_schema(out / "lineage/rows.parquet").equals(lineage.ROWS)
    assert pq.read_schema(out / "lineage/drops.parquet").equals(lineage.DROPS)
    stored = pq.ParquetFile(out / "lineage/rows.parquet").metadata.row_group(0)
    assert [stored.column(at).path_in_schema for at in range(stored.num_columns)] == [
        *lineage.LEAVES[:6],
        *(leaf for leaf in lineage.LEAVES if leaf.startswith("parents.")),
        *(leaf for leaf in lineage.LEAVES if leaf.startswith("steps.")),
        *lineage.LEAVES[6:10],
    ]


def test_identical_rows_share_a_row_id_and_keep_their_own_parents(bench: Bench) -> None:
    bench.rows([{"q": "same"}] * 3)
    rows = bench.lineage(bench.build())
    assert len({row["row_id"] for row in rows}) == 1
    assert [row["parents"][0]["line"] for row in rows] == [1, 2, 3]


def test_several_files_of_a_source_are_told_apart(bench: Bench) -> None:
    bench.rows(2, "a.jsonl")
    bench.rows([{"prompt": "x", "answer": "y", "n": 7}], "b.jsonl")
    out = bench.build(sources={"data": {"files": ["a.jsonl", "b.jsonl"]}})
    parents = [row["parents"][0] for row in bench.lineage(out)]
    assert [(parent["file"], parent["index"], parent["line"]) for parent in parents] == [
        ("a.jsonl", 0, 1),
        ("a.jsonl", 1, 2),
        ("b.jsonl", 0, 1),
    ]


def test_a_build_of_a_build_names_the_keys_of_its_rows(bench: Bench) -> None:
    bench.rows(20)
    first = bench.built("first", arms={"control": [], "marked": ["odd_mark"]}, splits={"train": 0.8, "test": 0.2})
    sources = {"data": {"files": "first", "arm": "marked"}}
    second = bench.build("second", sources=sources, steps=["shuffle", "odd_mark"])
    keys = {(row["arm"], row["split"], row["index"]): row["row_id"] for row in bench.lineage(first.path, "marked")}
    content = {row["row_id"]: row for row in bench.data(second)}
    seen = set()
    for row in bench.lineage(second):
        (parent,) = row["parents"]
        assert parent["build_id"] == first.build_id
        key = (parent["arm"], parent["split"], parent["index"])
        assert parent["row_id"] == keys[key]
        source = bench.data(first.path, "marked", parent["split"])[parent["index"]]
        assert content[row["row_id"]]["answer"] == source["answer"] + "!"
        seen.add(key)
    assert seen == keys.keys()
    found = manifest.read(second)
    assert [(one.kind, one.build_id, one.arm, one.split) for one in found.inputs] == [
        ("build", first.build_id, "marked", "train"),
        ("build", first.build_id, "marked", "test"),
    ]
    assert verify(second, [first.path], rebuild=True) == []
