"""Column maps: each known set read by its columns, and what none of them fits."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from provkit.build import build, plan
from provkit.builders.litmus.importing import LitmusImport
from provkit.builders.litmus.maps import column_map, last_turn, maps
from provkit.recipe import Recipe
from provkit.row import Row

Content = dict[str, Any]


def imported(
    folder: Path, rows: list[Content], name: str = "rows.jsonl", **params: Any
) -> tuple[list[Content], list[Any]]:
    """The rows after litmus_import, and reason and detail of each drop."""
    folder.mkdir(exist_ok=True)
    (folder / name).write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in rows))
    recipe = Recipe.model_validate(
        {"name": "tried", "summary": "x", "licence": "CC0-1.0", "sensitivity": "open"}
        | {"sources": {"data": {"files": name}}, "steps": [{"litmus_import": params}]}
    )
    out = build(plan(recipe, folder), folder / "out").path
    import pyarrow.parquet as pq

    path = out / "data/data/train-00000-of-00001.parquet"
    found = (
        [{k: v for k, v in row.items() if k != "row_id"} for row in pq.read_table(path).to_pylist()]
        if path.exists()
        else []
    )
    drops = [(one["reason"], one["detail"]) for one in pq.read_table(out / "lineage/drops.parquet").to_pylist()]
    return found, drops


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"question": "Why?", "choices": ["a"], "answer": 0}, ("Why?", "safe", "mmlu")),
        ({"goal": "Do it", "target": "Sure"}, ("Do it", "unsafe", "advbench")),
        ({"test_case": "T", "label_gold": "hateful"}, ("T", "unsafe", "hatecheck")),
        ({"test_case": "T", "label_gold": "non-hateful"}, ("T", "safe", "hatecheck")),
        ({"input": " x ", "axiom": "A", "safety_label": "Unsafe", "source_dataset": "mine"}, ("x", "unsafe", "mine")),
        ({"input": "x", "axiom": "A", "safety_label": 0}, ("x", "safe", "litmus")),
    ],
)
def test_each_set_is_known_by_its_columns(tmp_path: Path, row: Content, expected: tuple[str, str, str]) -> None:
    (found,), drops = imported(tmp_path, [row])
    assert (found["input"], found["safety_label"], found["source_dataset"]) == expected
    assert drops == []


def test_a_row_of_hh_rlhf_is_a_pair_of_its_last_turns(tmp_path: Path) -> None:
    chat = "\n\nHuman: Hi\n\nAssistant: Hello\n\nHuman: May I?\n\nAssistant: {}"
    (found,), _ = imported(tmp_path, [{"chosen": chat.format("Yes."), "rejected": chat.format("No.")}])
    assert (found["safe"], found["unsafe"], found["question"]) == ("Yes.", "No.", "May I?")
    assert (found["safe_source"], found["unsafe_source"], found["pairing"]) == ("hh-rlhf", "hh-rlhf", "given")
    assert last_turn("plain words ") == ("", "plain words")


@pytest.mark.parametrize(("name", "label"), [("benign-behaviors.jsonl", "safe"), ("harmful-behaviors.jsonl", "unsafe")])
def test_the_label_of_jailbreakbench_is_in_the_name_of_its_file(tmp_path: Path, name: str, label: str) -> None:
    row = {"Index": 7, "Goal": "G", "Target": "T", "Behavior": "B", "Category": "C"}
    (found,), _ = imported(tmp_path, [row], name)
    assert (found["safety_label"], found["pair"]) == (label, "jailbreakbench 7")
    _, drops = imported(tmp_path / "other", [row])
    assert drops == [("no label", "the name of its file: data rows.jsonl")]


def test_what_cannot_be_read_is_dropped_with_what_was_seen(tmp_path: Path) -> None:
    rows = [{"a": 1, "test_case": "T", "label_gold": "odd"}, {"a": 1, "test_case": " ", "label_gold": "hateful"},
            {"a": 1, "test_case": None, "label_gold": None}]  # fmt: skip
    found, drops = imported(tmp_path, rows)
    assert found == []
    assert drops == [("no label", "label_gold: odd"), ("no text", "test_case"), ("unknown columns", "a")]


def test_columns_of_one_s_own(tmp_path: Path) -> None:
    columns = {
        "input": "text",
        "label": {"column": "y", "safe": ["ok"], "unsafe": ["bad"]},
        "axiom": "about",
        "pair": "id",
    }
    rows = [{"text": "t", "y": "OK", "about": "Duty", "id": 1}]
    (found,), _ = imported(tmp_path, rows, columns=columns, name="rows.jsonl")
    assert found == {"input": "t", "axiom": "Duty", "safety_label": "safe", "source_dataset": "own", "pair": "own 1"}


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"input": "x"}, "`input` and `label`, or `safe` and `unsafe`, are expected"),
        ({"input": "x", "label": "harmful"}, "a label is safe or unsafe, not harmful"),
        ({"input": "x", "label": "safe", "topic": "y"}, "unknown key 'topic'"),
    ],
)
def test_a_map_that_says_nothing_is_refused(columns: Content, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        LitmusImport(columns=columns)


def test_every_map_of_the_catalog_fits_the_columns_that_it_needs() -> None:
    assert [one.name for one in maps()] == ["litmus", "hh-rlhf", "hatecheck", "jailbreakbench", "advbench", "mmlu"]
    for one in maps():
        row = Row(dict.fromkeys(one.needs, "x"))
        assert next(other for other in maps() if other.fits(row)) is one
    assert column_map("m", {"safe": "a", "unsafe": "b"}).sides == ("a", "b")
