"""Builds in SQL: every view and macro over builds, on rows that were counted by hand."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from provkit import manifest
from provkit.database import connect, query
from provkit.errors import InputError, ProvkitError

if TYPE_CHECKING:
    from tests.conftest import Bench

pytestmark = pytest.mark.usefixtures("odd")


def ask(question: str, *folders: Path) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in query(connect(*folders), question).to_pylist()]


@pytest.fixture
def out(bench: Bench) -> Path:
    """10 rows; 1 and 6 go; every row has a marked twin; 6 of 8 pairs train."""
    bench.rows(10)
    return bench.build(
        steps=[{"odd_drop": {"every": 5}}],
        arms={"control": [], "marked": [{"odd_mark": {"every": 2}}, "odd_column"]},
        pair=True,
        splits={"train": 0.75, "test": 0.25},
        sources={"data": {"files": "data.jsonl", "licence": "CC0-1.0"}},
    )


def test_rows(out: Path) -> None:
    counted = "SELECT arm, split, op, count(*) FROM rows GROUP BY ALL ORDER BY ALL"
    found = {(arm, split): 0 for arm in ("control", "marked") for split in ("test", "train")}
    for arm, split, op, count in ask(counted, out):
        assert op == "control" if arm == "control" else op == "derived"
        found[arm, split] += count
    assert found == {
        ("control", "test"): 2, ("control", "train"): 6, ("marked", "test"): 2, ("marked", "train"): 6,
    }  # fmt: skip
    assert ask("SELECT count(DISTINCT pair_id), min(index), max(index) FROM rows", out) == [(8, 0, 5)]


def test_parents(out: Path) -> None:
    found = ask("SELECT DISTINCT source, file, source_index, line FROM parents ORDER BY line", out)
    assert found == [("data", "data.jsonl", n, n + 1) for n in (0, 2, 3, 4, 5, 7, 8, 9)]
    assert ask("SELECT count(*), count(parent_build_id) FROM parents", out) == [(16, 0)]


def test_steps(out: Path) -> None:
    found = ask("SELECT step, position, count(*), count(note) FROM steps GROUP BY ALL ORDER BY ALL", out)
    # 0, 2, 4 and 8 are even and stay: odd_mark changed them first, odd_column second
    assert found == [("odd_column", 1, 4, 0), ("odd_column", 2, 4, 0), ("odd_mark", 1, 4, 4)]


def test_drops(out: Path) -> None:
    found = ask("SELECT arm, step, reason, detail, source, file, source_index, line FROM drops ORDER BY line", out)
    assert found == [
        (None, "odd_drop", "unwanted", "n is 1", "data", "data.jsonl", 1, 2),
        (None, "odd_drop", "unwanted", "n is 6", "data", "data.jsonl", 6, 7),
    ]


def test_inputs(out: Path) -> None:
    (one,) = manifest.read(out).inputs
    found = ask("SELECT build_id, source, kind, file, sha256, size, revision, licence, rows FROM inputs", out)
    assert found == [
        (manifest.read(out).build_id, "data", "file", "data.jsonl", one.sha256, one.size, None, "CC0-1.0", 10)
    ]


def test_builds(out: Path) -> None:
    found = manifest.read(out)
    columns = "build_id, name, version, summary, licence, sensitivity, seed, directory, manifest_digest, rows, drops"
    assert ask(f"SELECT {columns} FROM builds", out) == [
        (found.build_id, "small", 1, "A small set.", "MIT", "open", 42, str(out), found.digest, 16, 2)
    ]


def test_a_view_for_each_arm(out: Path, bench: Bench) -> None:
    for arm in ("control", "marked"):
        for split in ("train", "test"):
            rows = ask(
                f"SELECT index, prompt, answer, n, row_id FROM {arm} WHERE split = '{split}' ORDER BY index", out
            )
            assert rows == [
                (at, row["prompt"], row["answer"], row["n"], row["row_id"])
                for at, row in enumerate(bench.data(out, arm, split))
            ]
    joined = """
        SELECT count(*) FROM marked m JOIN rows r USING (build_id, arm, split, index) WHERE m.row_id = r.row_id
    """
    assert ask(joined, out) == [(8,)]


def test_texts(out: Path) -> None:
    found = ask(
        "SELECT arm, field, count(*) FROM texts WHERE field IN ('prompt', 'answer') GROUP BY ALL ORDER BY ALL", out
    )
    assert found == [(arm, field, 8) for arm in ("control", "marked") for field in ("answer", "prompt")]


def test_lineage_leads_through_two_builds_to_the_line(bench: Bench, out: Path) -> None:
    second = bench.build("second", sources={"data": {"files": "out", "arm": "marked"}}, steps=["odd_mark"])
    row = bench.lineage(second)[3]
    n = bench.data(second)[3]["n"]
    columns = "depth, build_id, arm, split, index, op, steps, file, source_index, line"
    question = f"SELECT {columns} FROM lineage('{row['row_id']}')"
    first_id, second_id = manifest.read(out).build_id, manifest.read(second).build_id
    top, middle, bottom = ask(question, second, out)
    assert top[:7] == (0, second_id, "data", row["split"], row["index"], "adversarial", ["odd_mark"])
    parent = row["parents"][0]
    assert middle[:5] == (1, first_id, "marked", parent["split"], parent["index"])
    assert middle[6] == (["odd_mark", "odd_column"] if n % 2 == 0 else ["odd_column"])
    assert bottom[0] == 2
    assert bottom[7:] == ("data.jsonl", n, n + 1)
    alone = ask(question, second)
    assert [one[0] for one in alone] == [0, 1]
    assert alone[1][5:7] == (None, None)


def test_two_builds_with_the_same_arm_are_one_view(bench: Bench, out: Path) -> None:
    """Columns that one of them lacks are null; an integer beside a float is a float."""
    bench.rows([{"prompt": "x", "n": 0.5, "more": [1]}])
    other = bench.build("other", arms={"marked": [], "third": []})
    found = ask("SELECT prompt, n, more, answer FROM marked WHERE n IN (0, 0.5) ORDER BY n", out, other)
    assert found == [("p0", 0.0, None, "a0!"), ("x", 0.5, [1], None)]
    assert ask("SELECT count(*), count(DISTINCT build_id) FROM rows", out, other) == [(18, 2)]
    assert ask("SELECT count(*) FROM third", out, other) == [(1,)]
    with pytest.raises(InputError, match="the same build as"):
        connect(out, out)


def test_arms_and_splits_that_sql_has_words_for(bench: Bench) -> None:
    bench.rows(4)
    arms: dict[str, list[str]] = {name: [] for name in ("order", "select", "a", "a_b", "data_0_0", "lineage_rows_0")}
    out = bench.build(arms=arms, splits={"b_c": 0.5, "c": 0.5})
    counted = " UNION ALL ".join(f'SELECT arm, count(*) FROM "{arm}" GROUP BY arm' for arm in arms)
    assert ask(counted, out) == [(arm, 4) for arm in arms]
    listed = 'SELECT split, list(n ORDER BY index) FROM "{}" GROUP BY split ORDER BY split'
    assert ask(listed.format("a"), out) == ask(listed.format("a_b"), out)
    assert sorted(n for _, several in ask(listed.format("a"), out) for n in several) == [0, 1, 2, 3]


def test_content_columns_with_the_names_of_the_key(bench: Bench) -> None:
    """The key keeps its names; what a row calls the same stays beside it."""
    bench.rows([{"index": 7, "arm": "x", "Split": "y", "a\"b'c": 1, "É": 2}])
    out = bench.build()
    found = query(connect(out), "FROM data").to_pylist()
    assert (found[0]["index"], found[0]["arm"], found[0]["split"]) == (0, "data", "train")
    assert {7, "x", "y", 1, 2} <= set(found[0].values())


def test_the_index_is_the_place_in_the_file_over_many_row_groups(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    from provkit import data

    monkeypatch.setattr(data, "GROUP_BYTES", 2000)
    bench.rows(9000)
    out = bench.build(steps=["shuffle"])
    joined = "SELECT count(*) FROM data d JOIN rows r USING (arm, split, index) WHERE d.row_id = r.row_id"
    assert ask(joined, out) == [(9000,)]


def test_nothing_is_open(bench: Bench) -> None:
    assert ask("SELECT (SELECT count(*) FROM rows), (SELECT count(*) FROM drops), (SELECT count(*) FROM texts)") == [
        (0, 0, 0)
    ]
    bench.rows(2)
    out = bench.build()
    assert query(connect(out), "FROM drops").num_rows == 0
    assert query(connect(out), "FROM steps").num_rows == 0


def test_every_object_is_one_file_that_says_what_it_answers() -> None:
    from provkit.sql import objects

    scripts: list[Any] = objects()
    assert {"rows.sql", "parents.sql", "drops.sql", "builds.sql", "inputs.sql", "steps.sql", "lineage.sql"} <= {
        script.name for script in scripts
    }
    for script in scripts:
        text = script.read_text(encoding="utf-8")
        assert text.startswith("-- "), script.name
        assert text.count("CREATE ") == 1, script.name
        name = script.name.removesuffix(".sql")
        assert f"CREATE VIEW {name} AS" in text or f"CREATE MACRO {name}(" in text, script.name


def test_an_arm_without_rows_can_be_asked(bench: Bench) -> None:
    bench.rows(2)
    out = bench.build(arms={"whole": [], "empty": [{"odd_drop": {"every": 1, "rest": 0}}]})
    assert ask("SELECT (SELECT count(*) FROM empty), (SELECT count(*) FROM whole)", out) == [(0, 2)]


def test_a_file_that_is_gone_or_damaged_is_an_error_in_plain_words(out: Path) -> None:
    path = out / "lineage/drops.parquet"
    raw = path.read_bytes()
    path.write_bytes(raw[: len(raw) // 2])
    with pytest.raises(ProvkitError):
        ask("FROM drops", out)
    path.unlink()
    with pytest.raises(InputError, match=r"drops\.parquet: missing or damaged"):
        connect(out)
    path.write_bytes(raw)
    data = out / "data/control/train-00000-of-00001.parquet"
    data.write_bytes(data.read_bytes()[:50])
    with pytest.raises(InputError, match=r"train-00000-of-00001\.parquet: missing or damaged"):
        connect(out)
