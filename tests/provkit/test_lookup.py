"""One row's way back: by key, by identity, by its first digits, and through builds made of builds."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from provkit import lineage, lookup
from provkit.errors import InputError
from provkit.lookup import Way, ways

if TYPE_CHECKING:
    from tests.conftest import Bench

pytestmark = pytest.mark.usefixtures("odd")


def lines(bench: Bench, *words: str) -> list[str]:
    done = bench.invoke("lineage", *words)
    assert done.exit_code == 0, done.stderr
    return done.stdout.splitlines()


def test_a_row_by_its_key_its_identity_and_its_first_digits(bench: Bench) -> None:
    bench.rows(20)
    out = bench.build(arms={"control": [], "marked": ["odd_mark"]}, splits={"train": 0.75, "test": 0.25})
    for row in bench.lineage(out):
        key = f"{row['arm']}/{row['split']}/{row['index']}"
        for one in (key, row["row_id"], row["row_id"][:8]):
            found = ways(out, one)
            assert (found.rows, len(found.found)) == (1, 1)
            way = found.found[0]
            assert (way.row["arm"], way.row["split"], way.row["index"]) == (row["arm"], row["split"], row["index"])
            assert way.content == bench.data(out, row["arm"], row["split"])[row["index"]]


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("marked/train/15", "marked/train has 15 rows, 0 to 14"),
        ("marked/dev/0", "no such arm and split; there are control/train, control/test, marked/train, marked/test"),
        ("f" * 32, "no row with this row_id"),
        ("f" * 8, "no row with this row_id"),
        ("abc", "neither a row_id"),
        ("marked/train/-1", "neither a row_id"),
        ("marked/train/" + "9" * 30, "neither a row_id"),
        ("../../etc/0", "neither a row_id"),
        ("\x1b[2J", r"\x1b[2J: neither a row_id"),
        ("A" * 32, "neither a row_id"),
    ],
)
def test_a_key_that_names_nothing(bench: Bench, key: str, said: str) -> None:
    bench.rows(20)
    out = bench.build(arms={"control": [], "marked": ["odd_mark"]}, splits={"train": 0.75, "test": 0.25})
    with pytest.raises(InputError) as error:
        ways(out, key)
    assert said in str(error.value)


def test_equal_rows_are_all_shown_up_to_a_number(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.rows([{"q": "same"}] * 5)
    out = bench.build()
    identity = bench.lineage(out)[0]["row_id"]
    assert [way.row["index"] for way in ways(out, identity).found] == [0, 1, 2, 3, 4]
    monkeypatch.setattr(lookup, "MOST", 2)
    found = ways(out, identity)
    assert ([way.row["index"] for way in found.found], found.rows) == ([0, 1], 5)
    assert "… 3 more rows have this row_id" in bench.invoke("lineage", "out", identity).stderr


def test_the_tree_of_a_row(bench: Bench) -> None:
    bench.rows(4)
    bench.build(
        arms={"control": [], "marked": ["odd_mark"]},
        seed=3,
        sources={"data": {"files": "data.jsonl", "licence": "MIT"}},
    )
    found = lines(bench, "out", "marked/train/2")
    assert found[0].startswith("marked/train/2  row ")
    assert found[1:-1] == [
        "├─ prompt: p2",
        "├─ answer: a2!",
        "├─ n: 2",
        "├─ adversarial, seed 3, licence MIT",
        '├─ step odd_mark  {"n":2}',
    ]
    assert found[-1].startswith("└─ from data.jsonl:3  source data, sha256 ")


def test_the_way_leads_through_builds_that_are_given(bench: Bench) -> None:
    bench.rows(20)
    first = bench.built("first", splits={"train": 0.8, "test": 0.2}, steps=["odd_mark"])
    second = bench.built("second", sources={"data": {"files": "first"}}, steps=["shuffle", "odd_mark"])
    third = bench.built("third", sources={"data": {"files": "second"}}, steps=["odd_mark"])
    alone = ways(third.path, "data/train/7").found[0]
    assert isinstance(alone.parents[0], dict)
    assert alone.parents[0]["build_id"] == second.build_id
    (way,) = ways(third.path, "data/train/7", [first.path, second.path]).found
    seen: list[Any] = [way]
    while isinstance(seen[-1], Way):
        seen += seen[-1].parents
    assert [one.build_id for one in seen[:3]] == [third.build_id, second.build_id, first.build_id]
    assert seen[3]["file"] == "data.jsonl"
    n = way.content["n"]
    assert [one.content["answer"] for one in seen[:3]] == [f"a{n}!!!", f"a{n}!!", f"a{n}!"]
    assert seen[3]["line"] == n + 1
    shown = lines(bench, "third", "data/train/7", "--with", "first", "--with", "second")
    assert shown[-1].strip().startswith(f"└─ from data.jsonl:{n + 1} ")
    told = json.loads("\n".join(lines(bench, "third", "data/train/7", "--with", "second", "--format", "json")))
    assert told[0]["parents"][0]["parents"][0]["build_id"] == first.build_id


def test_a_chain_that_was_forged_to_lead_to_itself_ends(bench: Bench) -> None:
    """A row whose parent is itself; DuckDB's recursion and ours both come to an end."""
    from provkit.database import connect

    bench.rows(2)
    bench.build("first")
    built = bench.built("second", sources={"data": {"files": "first"}})
    rows = bench.lineage(built.path)
    for row in rows:
        row["parents"][0].update(build_id=built.build_id, arm="data", split="train", index=row["index"])
    pq.write_table(pa.Table.from_pylist(rows, schema=lineage.ROWS), built.path / "lineage/rows.parquet")
    way, depth = ways(built.path, "data/train/0").found[0], 0
    while isinstance(way.parents[0], Way):
        way, depth = way.parents[0], depth + 1
    assert depth == lookup.DEEPEST
    found = connect(built.path).sql(f"SELECT max(depth) FROM lineage('{rows[0]['row_id']}')").fetchall()
    assert found == [(64,)]


def test_a_damaged_file_is_named(bench: Bench) -> None:
    bench.rows(5)
    out = bench.build()
    path = out / "data/data/train-00000-of-00001.parquet"
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(InputError, match=r"train-00000-of-00001\.parquet: missing or damaged"):
        ways(out, "data/train/0")
    (out / "lineage/rows.parquet").unlink()
    with pytest.raises(InputError, match=r"rows\.parquet: missing or damaged"):
        ways(out, "data/train/0")


def test_hostile_text_is_shown_and_not_obeyed(bench: Bench) -> None:
    evil = "\x1b]0;owned\x07\u202e\x9b2J\r"
    bench.rows(
        [{"messages": [{"role": f"user{evil}", "content": evil}, {"role": "assistant", "content": "a"}], evil: evil}]
    )
    bench.build(sources={"data": {"files": "data.jsonl", "licence": evil}})
    done = bench.invoke("lineage", "out", "data/train/0")
    assert done.exit_code == 0
    assert all(c.isprintable() or c == "\n" for c in done.stdout + done.stderr)
