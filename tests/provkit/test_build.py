"""A build as a whole: what stands in its directory, byte for byte, whoever makes it, wherever and however often."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq
import pytest

from provkit import card, chain, manifest
from provkit.errors import InputError, ProvkitError
from provkit.verify import verify

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Bench

pytestmark = pytest.mark.usefixtures("odd")
ARMS: dict[str, Any] = {"control": [], "marked": [{"odd_mark": {"every": 2}}, "odd_column"]}
FULL: dict[str, Any] = {
    "steps": [{"odd_drop": {"every": 5}}, {"dedup": {"by": "prompt"}}, "shuffle"],
    "arms": ARMS,
    "pair": True,
    "splits": {"train": 0.8, "test": 0.2},
    "sensitivity": "gated",
}


def test_a_build_directory_holds_these_files_and_columns(bench: Bench) -> None:
    bench.rows(20)
    out = bench.build(**FULL)
    assert list(bench.files(out)) == [
        "README.md",
        "data/control/test-00000-of-00001.parquet",
        "data/control/train-00000-of-00001.parquet",
        "data/marked/test-00000-of-00001.parquet",
        "data/marked/train-00000-of-00001.parquet",
        "lineage/drops.parquet",
        "lineage/rows.parquet",
        "provenance.json",
    ]
    own = ["row_id", "pair_id", "canary"]
    assert list(bench.data(out, "control")[0]) == ["prompt", "answer", "n", *own]
    assert list(bench.data(out, "marked")[0]) == ["prompt", "answer", "n", "draw", *own]
    rows, twins = bench.data(out, "control"), bench.data(out, "marked")
    assert [row["pair_id"] for row in rows] == [row["pair_id"] for row in twins]
    assert [row["n"] for row in rows] == [row["n"] for row in twins]
    assert [row["answer"] for row in twins] == [f"a{row['n']}" + "!" * (row["n"] % 2 == 0) for row in rows]


def test_an_open_unpaired_set_has_nothing_but_row_ids_beside_its_content(bench: Bench) -> None:
    bench.rows(3)
    assert list(bench.data(bench.build())[0]) == ["prompt", "answer", "n", "row_id"]


def test_the_same_bytes_in_another_folder_at_another_time(bench: Bench, session_bench: Callable[[], Bench]) -> None:
    other = session_bench()
    for one in (bench, other):
        one.rows(50)
    first, second = bench.build("out", **FULL), other.build("elsewhere/deep", **FULL)
    assert bench.files(first) == bench.files(second)
    for name, content in bench.files(first).items():
        for trace in (socket.gethostname(), str(bench.folder), os.path.expanduser("~") + "/"):
            assert trace.encode() not in content, name
    told = json.dumps([bench.lineage(first), bench.drops(first)])
    assert str(bench.folder) not in told


def test_the_same_bytes_from_one_process_and_from_two(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """More rows than POOL_FROM, of three units of work, through per-row steps on both sides of a whole-set step."""
    monkeypatch.setattr(chain, "SLICE", 8192)
    bench.rows(20_500)
    steps = [{"odd_drop": {"every": 80, "rest": 7}}, {"odd_twice": {"every": 30}}, "shuffle", "odd_column"]
    alone = bench.build("alone", workers=1, steps=steps)
    together = bench.build("together", workers=2, steps=steps)
    assert bench.files(alone) == bench.files(together)


def test_what_was_done_to_a_row(bench: Bench) -> None:
    bench.rows(4)
    out = bench.build(
        arms={
            "control": [],
            "marked": [{"odd_mark": {"every": 2}}],
            "drawn": ["odd_column"],
            "kept": [{"odd_drop": {"every": 9}}],
        }
    )
    ops = {arm: [row["op"] for row in bench.lineage(out, arm)] for arm in ("control", "marked", "drawn", "kept")}
    assert ops == {
        "control": ["control"] * 4,
        "marked": ["adversarial", "imported"] * 2,
        "drawn": ["derived"] * 4,
        "kept": ["imported"] * 3,
    }
    notes = [[(step["step"], step["note"]) for step in row["steps"]] for row in bench.lineage(out, "marked")]
    assert notes == [[("odd_mark", '{"n":0}')], [], [("odd_mark", '{"n":2}')], []]
    assert [row["steps"][0]["note"] for row in bench.lineage(out, "drawn")] == [None] * 4


def test_two_arms_as_they_are_have_no_control(bench: Bench) -> None:
    bench.rows(2, "one.jsonl")
    bench.rows(3, "two.jsonl")
    sources = {"one": {"files": "one.jsonl"}, "two": {"files": "two.jsonl"}}
    out = bench.build(sources=sources, arms={"left": {"from": "one"}, "right": {"from": "two"}})
    assert {row["op"] for row in bench.lineage(out)} == {"imported"}
    assert "**not matched**" in (out / "README.md").read_text()


def test_a_generated_row_has_its_generator_as_parent(bench: Bench) -> None:
    out = bench.build(sources={"made": {"generator": "odd_numbers", "rows": 3}}, licence="CC-BY-4.0")
    rows = bench.lineage(out)
    assert [(row["op"], row["licence"]) for row in rows] == [("generated", "CC-BY-4.0")] * 3
    assert [(row["parents"][0]["source"], row["parents"][0]["file"], row["parents"][0]["index"]) for row in rows] == [
        ("made", None, 0),
        ("made", None, 1),
        ("made", None, 2),
    ]
    assert verify(out, rebuild=True) == []


def test_limit_takes_the_first_rows_and_is_part_of_the_identity(bench: Bench) -> None:
    bench.rows(10)
    whole, part = bench.built("whole"), bench.built("part", limit=4)
    assert [row["n"] for row in bench.data(part.path)] == [0, 1, 2, 3]
    assert whole.build_id != part.build_id
    assert manifest.read(part.path).inputs[0].rows == 4
    assert verify(part.path, [bench.folder / "data.jsonl"], rebuild=True) == []


def test_a_build_that_stands_is_left_and_a_damaged_one_is_made_again(bench: Bench) -> None:
    bench.rows(10)
    first = bench.built(**FULL)
    before = bench.files(first.path)
    assert first.fresh
    again = bench.built(**FULL)
    assert not again.fresh
    assert again.sizes == {"control": {"test": 2, "train": 6}, "marked": {"test": 2, "train": 6}}
    assert again.counts == first.counts
    for name in ("data/control/train-00000-of-00001.parquet", "lineage/rows.parquet", "provenance.json", "README.md"):
        with (first.path / name).open("r+b") as file:
            file.seek(200)
            file.write(b"X")
        assert bench.built(**FULL).fresh, name
        rebuilt = bench.files(first.path)
        assert rebuilt.keys() == before.keys()
        assert all(rebuilt[one] == before[one] for one in before if one != "provenance.json")


def test_manifests_form_a_chain(bench: Bench) -> None:
    digests: list[str] = []
    for seed in (1, 2, 3):
        bench.rows(5)
        found = manifest.read(bench.build(seed=seed))
        assert found.facts.get("prov:wasRevisionOf") == (digests[-1] if digests else None)
        digests.append(found.digest)


def test_what_a_person_wrote_into_the_card_stays(bench: Bench) -> None:
    bench.rows(5)
    out = bench.build(seed=1)
    text = (out / "README.md").read_text()
    text = text.replace("# provkit:end\n---\n", "# provkit:end\nlanguage: [en]\n---\n\nRead this first.\n\n")
    text += "\n## Notes\n\nWritten by hand: ünïcode <b>too</b>.\n"
    (out / "README.md").write_text(text)
    assert verify(out) == []
    bench.build(seed=2)
    kept = card.read(out)
    assert (kept.own_yaml, kept.before) == ("language: [en]\n", "\nRead this first.\n\n")
    assert kept.after == "\n## Notes\n\nWritten by hand: ünïcode <b>too</b>.\n"
    assert "seed 2" in kept.body
    assert verify(out) == []


def test_a_card_whose_markers_are_gone_is_not_overwritten(bench: Bench) -> None:
    bench.rows(5)
    out = bench.build(seed=1)
    (out / "README.md").write_text("# My own words\n")
    before = bench.files(out)
    with pytest.raises(InputError, match="the markers of the computed parts are damaged"):
        bench.build(seed=2)
    assert bench.files(out) == before


def test_a_source_that_is_not_there_leaves_nothing_behind(bench: Bench) -> None:
    with pytest.raises(InputError, match="no such file"):
        bench.build()
    (bench.folder / "data.jsonl").write_text('{"a": 1}\n{"b": 2}\n')
    with pytest.raises(InputError, match="another schema"):
        bench.build()
    assert sorted(path.name for path in bench.folder.iterdir()) == ["data.jsonl", "recipe.yaml"]


def test_what_provkit_did_not_make_is_not_replaced(bench: Bench) -> None:
    bench.rows(4)
    out = bench.build(seed=1)
    (out / "notes.txt").write_text("mine")
    with pytest.raises(ProvkitError, match=r"holds what provkit did not make: notes\.txt"):
        bench.build(seed=2)
    (out / "notes.txt").unlink()
    (out / "provenance.json").unlink()
    with pytest.raises(ProvkitError, match=r"holds what provkit did not make: README\.md"):
        bench.build(seed=2)
    (bench.folder / "release").mkdir()
    (bench.folder / "release/provenance.json").write_text('{"predicateType": "https://slsa.dev/provenance/v1"}')
    with pytest.raises(ProvkitError, match=r"holds what provkit did not make: provenance\.json"):
        bench.build("release")


def test_a_set_from_which_everything_went_is_still_whole(bench: Bench) -> None:
    bench.rows(4)
    out = bench.build(steps=[{"odd_drop": {"every": 1, "rest": 0}}], splits={"train": 0.5, "test": 0.5})
    assert not (out / "data").exists()
    assert len(bench.drops(out)) == 4
    assert verify(out, [bench.folder / "data.jsonl"], rebuild=True) == []


def test_row_groups_bound_what_a_look_up_reads(bench: Bench) -> None:
    bench.rows([{"prompt": f"{at}", "answer": "x" * 100_000} for at in range(200)])
    out = bench.build()
    found = pq.ParquetFile(out / "data/data/train-00000-of-00001.parquet").metadata
    sizes = [found.row_group(at).num_rows for at in range(found.num_row_groups)]
    assert sum(sizes) == 200
    assert max(sizes) * 100_000 <= 4 << 20


def test_datasets_loads_every_arm(bench: Bench, tmp_path: Path) -> None:
    bench.rows(20)
    out = bench.build(**FULL)
    code = """
import sys
from datasets import get_dataset_config_names, load_dataset
print(get_dataset_config_names(sys.argv[1]))
for arm in ("control", "marked"):
    found = load_dataset(sys.argv[1], arm)
    print({split: len(rows) for split, rows in found.items()}, found["train"].column_names, found["train"][0]["answer"])
"""
    offline = {"HF_HOME": str(tmp_path / "home"), "HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1"}
    command = [sys.executable, "-c", code, str(out)]
    done = subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, **offline}, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    first, second = bench.data(out, "control")[0]["answer"], bench.data(out, "marked")[0]["answer"]
    assert done.stdout.splitlines() == [
        "['control', 'marked']",
        f"{{'train': 13, 'test': 3}} ['prompt', 'answer', 'n', 'row_id', 'pair_id', 'canary'] {first}",
        f"{{'train': 13, 'test': 3}} ['prompt', 'answer', 'n', 'draw', 'row_id', 'pair_id', 'canary'] {second}",
    ]


def test_an_unbound_input_is_named(bench: Bench) -> None:
    with pytest.raises(ProvkitError, match="the input 'data' is not bound"):
        bench.build(sources={"data": {"input": "rows of some kind"}})


def test_a_row_without_the_part_that_a_step_reads_is_a_drop(bench: Bench) -> None:
    bench.rows([{"prompt": "p", "answer": "a", "n": 2}, {"prompt": "p", "answer": None, "n": 4}])
    out = bench.build(steps=["odd_mark"])
    assert [row["answer"] for row in bench.data(out)] == ["a!"]
    assert [(drop["step"], drop["reason"], drop["detail"]) for drop in bench.drops(out)] == [
        ("odd_mark", "no answer", "no text in answer: null")
    ]


def test_a_build_that_keeps_no_row_stands_and_is_a_finding(bench: Bench) -> None:
    bench.rows(4)
    path = bench.recipe(steps=[{"odd_drop": {"every": 1, "rest": 0}}])
    done = bench.invoke("build", path.name, "-o", "out")
    assert done.exit_code == 1
    assert "no row came through: odd_drop dropped 4, lineage/drops.parquet says why" in done.stderr
    assert len(bench.drops(bench.folder / "out")) == 4
    assert verify(bench.folder / "out") == []


def test_a_file_that_two_patterns_name_is_refused(bench: Bench) -> None:
    bench.rows(2)
    with pytest.raises(InputError, match=r"data\.jsonl: sources\.data\.files: named twice, by 'data\.jsonl' and by"):
        bench.build(sources={"data": {"files": ["data.jsonl", "*.jsonl"]}})


def test_the_package_of_a_step_within_a_step_takes_part(bench: Bench) -> None:
    bench.rows(3)
    steps = [{"critique": {"by": "odd_mark", "wordings": ["It adds a mark."]}}]
    assert "odd-builders" in {
        name.replace("_", "-") for name in manifest.read(bench.build(steps=steps)).facts["versions"]
    }


def test_the_audit_of_a_build_is_a_file_of_it(bench: Bench) -> None:
    bench.rows([{"prompt": "p", "answer": "a"}] * 2 + [{"prompt": "q", "answer": "b"}])
    path = bench.recipe()
    done = bench.invoke("build", path.name, "-o", "out")
    assert done.exit_code == 0
    assert "audit: D001" in done.stderr
    out = bench.folder / "out"
    (finding,) = json.loads((out / "audit.json").read_bytes())["findings"]
    assert (finding["rule"], finding["count"], finding["total"]) == ("D001", 1, 3)
    assert "D001 duplicate" in card.read(out).body
    assert verify(out, rebuild=True, given=[bench.folder / "data.jsonl"]) == []
    raw = (out / "audit.json").read_bytes()
    (out / "audit.json").write_bytes(raw.replace(b"D001", b"D002"))
    assert [one.file for one in verify(out)] == ["audit.json"]
