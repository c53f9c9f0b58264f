"""The two arms of a LITMUS build: the published columns, twins under one pair_id, completions, the card."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pyarrow.parquet as pq

PAIR = {
    "axiom": "A",
    "frame": "f",
    "safe": "s",
    "unsafe": "u",
    "question": "q?",
    "safe_source": "x",
    "unsafe_source": "y",
}


def arms(**further: Any) -> dict[str, Any]:
    return {side: [{"litmus_side": {"label": side, **further}}] for side in ("safe", "unsafe")}


def test_a_pair_becomes_a_safe_and_an_unsafe_row(make: Callable[..., Any]) -> None:
    made = make([PAIR], arms=arms(), pair=True)
    base = {"axiom": "A", "frame": "f"}
    assert made.arms["safe"] == [{"input": "s", **base, "safety_label": "safe", "source_dataset": "x"}]
    assert made.arms["unsafe"] == [{"input": "u", **base, "safety_label": "unsafe", "source_dataset": "y"}]
    assert made.lineage["safe"][0]["pair_id"] == made.lineage["unsafe"][0]["pair_id"]
    assert made.notes("litmus_side", "unsafe") == [{"side": "unsafe"}]


def test_completions_answer_the_pair_s_question(make: Callable[..., Any]) -> None:
    made = make([PAIR], arms=arms(completions=True), pair=True)
    assert [made.arms[side][0]["input"] for side in ("safe", "unsafe")] == ["q?", "q?"]
    assert [made.arms[side][0]["completion"] for side in ("safe", "unsafe")] == ["s", "u"]


def test_a_row_that_is_no_pair_is_dropped(make: Callable[..., Any]) -> None:
    made = make([PAIR, {**PAIR, "unsafe": None}], arms=arms(), pair=True)
    assert len(made.arms["safe"]) == 1
    assert {reason for _, reason, _ in made.reasons()} == {"no pair", "no twin"}


def test_the_recipe_makes_the_published_columns_with_pairs(bench: Any) -> None:
    done = bench.invoke("build", "litmus", "--set", "pairs.rows=200", "-o", "out", "--quiet")
    assert done.exit_code == 0, done.output
    tables = {
        side: pq.read_table(bench.folder / f"out/data/{side}/test-00000-of-00001.parquet")
        for side in ("safe", "unsafe")
    }
    for side, table in tables.items():
        assert {"input", "axiom", "safety_label", "source_dataset", "pair_id", "row_id"} <= set(table.column_names)
        assert set(table.column("safety_label").to_pylist()) == {side}
    assert tables["safe"].column("pair_id").to_pylist() == tables["unsafe"].column("pair_id").to_pylist()
    assert bench.invoke("verify", "out", "--quiet").exit_code == 0


def test_the_card_says_what_length_and_words_tell(bench: Any) -> None:
    assert bench.invoke("build", "litmus", "--set", "pairs.rows=400", "-o", "out", "--quiet").exit_code == 0
    card = (bench.folder / "out/README.md").read_text(encoding="utf-8")
    assert "| length | 0.5" in card and "| a bag of words | 0.5" in card


def test_a_set_is_composed_out_of_public_files_that_the_caller_names(bench: Any) -> None:
    """MMLU and AdvBench by their columns: axioms by words, pairs of like length, even over axioms, whole lineage."""
    asks = ["a question of sources", "a fair wage by law"]
    safe = [
        {"question": f"On {asks[at % 2]}, item {at} {'z' * (at % 7)}?", "choices": "x", "answer": 1} for at in range(40)
    ]
    unsafe = [{"goal": f"Against {asks[at % 2]} number {at} {'q' * (at % 5)}", "target": "Sure"} for at in range(30)]
    (bench.folder / "sets").mkdir()
    bench.rows(safe, "sets/mmlu.jsonl")
    bench.rows(unsafe, "sets/advbench.jsonl")
    done = bench.invoke("build", "litmus", "--set", "sources=sets/*.jsonl", "-o", "out", "--quiet")
    assert done.exit_code == 0, done.output
    rows = {
        side: pq.read_table(bench.folder / f"out/data/{side}/test-00000-of-00001.parquet").to_pylist()
        for side in ("safe", "unsafe")
    }
    assert {row["source_dataset"] for row in rows["safe"]} == {"mmlu"}
    assert {row["source_dataset"] for row in rows["unsafe"]} == {"advbench"}
    axioms = [row["axiom"] for row in rows["safe"]]
    assert axioms == [row["axiom"] for row in rows["unsafe"]]
    assert axioms.count("Information Seeking") == axioms.count("Justice & Rights") > 5
    assert all(
        abs(len(s["input"]) - len(u["input"])) <= 0.1 * max(len(s["input"]), len(u["input"]))
        for s, u in zip(rows["safe"], rows["unsafe"], strict=True)
    )
    assert [row["pair_id"] for row in rows["safe"]] == [row["pair_id"] for row in rows["unsafe"]]
    assert (
        bench.invoke("verify", "out", "--quiet", "--with", "sets/mmlu.jsonl", "--with", "sets/advbench.jsonl").exit_code
        == 0
    )


def test_the_variants_have_the_rows_that_they_promise(bench: Any) -> None:
    assert bench.invoke("build", "litmus-lite", "-o", "lite", "--quiet").exit_code == 0
    assert sum(len(bench.data(bench.folder / "lite", side, "test")) for side in ("safe", "unsafe")) == 100
    assert bench.invoke("build", "litmus-p", "--set", "pairs.rows=30", "-o", "p", "--quiet").exit_code == 0
    assert len(bench.data(bench.folder / "p", "safe", "test")) == 150
    words = ("build", "litmus-completions", "--set", "pairs.rows=30", "-o", "c", "--quiet")
    assert bench.invoke(*words).exit_code == 0
    row = bench.data(bench.folder / "c", "unsafe", "test")[0]
    assert row["input"].endswith("?") and row["completion"].endswith(".")
