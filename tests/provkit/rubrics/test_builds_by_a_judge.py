"""Builds that judge: the search with its lineage, and preferences under two rubrics."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pyarrow.parquet as pq
import pytest

from provkit.builders.rubrics.edits import replayed
from provkit.database import connect, query
from provkit.rubrics.files import catalog

SEED = catalog("helpfulness").text
VARIANT = SEED.replace(
    "Names of assistants", "If the two are otherwise equal, prefer the more thorough one. Names of assistants"
)
TERMS = (
    "{searched: {from: rubric, steps: [{alongside: {of: bench}}, {alongside: {of: target}}, {rubric_search: "
    "{generations: 3, sample: 10, parents: 3, children: 4, finalists: 3, operators: [add_tie_break, add_contrast], %s}}]}}"
)


@pytest.fixture
def sources(bench: Any, pairs_of: Any) -> Any:
    """even.jsonl, padded.jsonl, seed.jsonl and variant.jsonl."""
    for kind in ("even", "padded"):
        rows = [
            {"question": p.question, "answer_a": p.answer_a, "answer_b": p.answer_b, "label": p.label}
            for p in pairs_of(kind, 60)
        ]
        bench.rows(rows, f"{kind}.jsonl")
    bench.rows([{"prompt_id": "seed", "prompt": SEED}], "seed.jsonl")
    bench.rows([{"prompt_id": "v", "prompt": VARIANT}], "variant.jsonl")
    return bench


def asked(server: Any) -> list[str]:
    return ["--llm", server.url, "--model", "small", "--cache", "answers.sqlite", "--quiet"]


def search(server: Any, out: str, more: str = "first_children: 12") -> list[str]:
    named = ["--set", "rubric=seed.jsonl", "--set", "bench=even.jsonl", "--set", "target=padded.jsonl"]
    return ["build", "rubric-search", *named, "--set", f"arms={TERMS % more}", "-o", out, *asked(server)]


def test_the_search_as_a_build(sources: Any, server: Any) -> None:
    short = sources.invoke(*search(server, "out"), "--max-requests", "300")
    assert short.exit_code == 2 and "the budget of 300 requests is spent" in short.output
    made = sources.invoke(*search(server, "out"))
    assert made.exit_code == 0, made.output
    total = server.total
    assert set(server.seen.values()) == {1}, "a search that was cut short asks for nothing twice"
    out = sources.folder / "out"
    data, lineage = sources.data(out, "searched"), sources.lineage(out)
    assert data[0]["prompt_id"] == "seed" and lineage[0]["op"] == "imported"
    assert {row["op"] for row in lineage[1:]} == {"adversarial"}
    (best,) = [row for row in data if row["selected"]]
    edits = {row["row_id"]: json.loads(row["steps"][-1]["note"])["edits"] for row in lineage[1:]}
    assert any("more thorough" in edit["put"] for edit in edits[best["row_id"]])
    assert best["tested"]["seed_target"] - best["tested"]["target"] > 0.5
    assert best["validated"]["bench"] >= best["validated"]["seed_bench"]
    for row in data[1:]:
        assert replayed(SEED, edits[row["row_id"]]) == row["prompt"]
    drops = Counter(drop["detail"] for drop in sources.drops(out))
    assert set(drops) == {
        f"{name} {part}" for name in ("bench", "target") for part in ("train", "validation", "test")
    } | ({"left over by the even parts"} & set(drops))
    assert sum(drops.values()) == 120
    card = (out / "README.md").read_text()
    assert "gated" in card
    tree = query(
        connect(out), "SELECT rubric_id, parent_id, generation, operators, adversarial FROM variants"
    ).to_pylist()
    assert len(tree) == len(data) and sum(row["adversarial"] for row in tree) == len(data) - 1
    names = {row["rubric_id"] for row in tree}
    assert all(row["parent_id"] in names for row in tree if row["parent_id"] is not None)
    counted = query(
        connect(out), "SELECT generation, count(*) AS n FROM variants GROUP BY ALL ORDER BY ALL"
    ).to_pylist()
    assert [row["n"] for row in counted if row["generation"] == 1] == [11] or counted[0]["n"] > 0
    again = sources.invoke(
        "build", "rubric-search", *search(server, "x")[2:10], "--replay", "out", "-o", "again", "--quiet"
    )
    assert again.exit_code == 0, again.output
    assert server.total == total and sources.files(sources.folder / "again") == sources.files(out)


def test_rewrites_by_the_model(sources: Any, server: Any) -> None:
    """The model writes the phrase into the prompt that it is shown; a rewrite that loses a placeholder is left out."""
    judged, number = server.says, iter(range(10**6))

    def says(prompt: str) -> str:
        if "The prompt of the judge:" not in prompt:
            return str(judged(prompt))
        text = prompt.partition("The prompt of the judge:\n\n")[2].partition("\n\nCases:")[0]
        at = next(number)
        if at % 3 == 0:
            return text.replace("{answer_a}", "the first answer")
        phrase = "prefer the more thorough one" if at % 3 == 1 else "prefer the clearer one"
        return text.replace("Names of assistants", f"In case {at} {phrase}. Names of assistants")

    server.says = says
    made = sources.invoke(*search(server, "out", "first_children: 6, children_by: rewrites"), "--concurrency", "1")
    assert made.exit_code == 0, made.output
    out = sources.folder / "out"
    data, lineage = sources.data(out, "searched"), sources.lineage(out)
    assert sum(row["generation"] == 1 for row in data) == 4  # of six, two have lost a placeholder
    (best,) = [row for row in data if row["selected"]]
    assert "more thorough" in best["prompt"]
    notes = [json.loads(row["steps"][-1]["note"])["edits"] for row in lineage[1:]]
    assert all(edit["operator"] == "rewrite" and len(edit["request"]) == 64 for edits in notes for edit in edits)
    shown = [one["messages"][-1]["content"] for one in server.asked if "Cases:" in one["messages"][-1]["content"]]
    assert all(text.count("Question: What about padded") == 4 for text in shown[:6])
    assert all(text.count("Question: What about even") <= 2 for text in shown)
    for row, edits in zip(data[1:], notes, strict=True):
        assert replayed(SEED, edits) == row["prompt"]


def test_preferences_under_two_rubrics(sources: Any, server: Any) -> None:
    named = ["--set", "pairs=padded.jsonl", "--set", "seed_rubric=seed.jsonl", "--set", "variant=variant.jsonl"]
    made = sources.invoke("build", "drifted-preferences", *named, "-o", "out", *asked(server))
    assert made.exit_code == 0, made.output
    assert server.total == 2 * 2 * 60
    out = sources.folder / "out"
    arms = {arm: {row["pair_id"]: row for row in sources.data(out, arm)} for arm in ("seed", "drifted")}
    assert arms["seed"].keys() == arms["drifted"].keys() and len(arms["seed"]) > 45
    for key, row in arms["drifted"].items():
        assert row["chosen"].startswith("A poor answer") and len(row["chosen"]) > 3 * len(row["rejected"])
        assert row["prompt"] == arms["seed"][key]["prompt"]
    good = sum(row["chosen"].startswith("A good answer") for row in arms["seed"].values())
    assert good / len(arms["seed"]) > 0.8
    reasons = Counter(drop["reason"] for drop in sources.drops(out))
    assert reasons["rubric"] == 2 and set(reasons) <= {"rubric", "tie", "no twin"}
    traced = sources.lineage(out, "drifted")[0]
    note = json.loads(traced["steps"][-1]["note"])
    assert note["rubric_id"] == "v" and note["verdict"] in "AB" and traced["model"] == "small"
    assert traced["request_hash"] == note["requests"]["swapped"]
    again = sources.invoke("build", "drifted-preferences", *named, "--replay", "out", "-o", "again", "--quiet")
    assert again.exit_code == 0, again.output
    assert sources.files(sources.folder / "again") == sources.files(out)
    whole = sources.invoke("verify", "out")
    assert whole.exit_code == 0, whole.output


def test_recorded_verdicts_make_the_preferences_that_asking_makes(sources: Any, server: Any) -> None:
    named = ["--set", "pairs=padded.jsonl", "--set", "seed_rubric=seed.jsonl", "--set", "variant=variant.jsonl"]
    judged_by = ["--rubric", "seed.jsonl", "--rubric", "variant.jsonl"]
    said = sources.invoke("judge", "padded.jsonl", *judged_by, "-o", "verdicts", *asked(server))
    assert said.exit_code == 0, said.output
    asking = sources.invoke("build", "drifted-preferences", *named, "-o", "asking", *asked(server))
    assert asking.exit_code == 0, asking.output
    told = ["--set", "verdicts=verdicts/verdicts.parquet", "--quiet"]
    made = sources.invoke("build", "recorded-preferences", *named, *told, "-o", "out")
    assert made.exit_code == 0, made.output
    out = sources.folder / "out"

    def preferences(name: str, arm: str) -> list[tuple[str, ...]]:
        return [tuple(row[one] for one in ("prompt", "chosen", "rejected"))
                for row in sources.data(sources.folder / name, arm)]  # fmt: skip

    for arm in ("seed", "drifted"):
        assert preferences("out", arm) == preferences("asking", arm) and len(preferences("out", arm)) > 45
    reasons = Counter(drop["reason"] for drop in sources.drops(out))
    assert (reasons["rubric"], reasons["verdict"]) == (2, 2 * 2 * 60)
    inputs = ["padded.jsonl", "seed.jsonl", "variant.jsonl", "verdicts/verdicts.parquet"]
    whole = sources.invoke("verify", "out", "--rebuild", *(part for one in inputs for part in ("--with", one)))
    assert whole.exit_code == 0, whole.output
    assert json.loads(sources.lineage(out, "drifted")[0]["steps"][-1]["note"])["rubric_id"] == "v"

    verdicts = pq.read_table(sources.folder / "verdicts" / "verdicts.parquet").to_pylist()
    sources.rows([one for one in verdicts if one["row_key"] != verdicts[0]["row_key"]], "fewer.jsonl")
    less = sources.invoke("build", "recorded-preferences", *named, "--set", "verdicts=fewer.jsonl", "-o", "less")
    assert less.exit_code == 0, less.output
    assert Counter(one["reason"] for one in sources.drops(sources.folder / "less"))["no verdict"] == 2
    sources.rows([*verdicts, verdicts[0] | {"straight": "C"}], "twice.jsonl")
    twice = sources.invoke("build", "recorded-preferences", *named, "--set", "verdicts=twice.jsonl", "-o", "no")
    assert twice.exit_code == 2 and "two verdicts on the pair" in twice.output
    other = sources.invoke("build", "recorded-preferences", *named, "--set", "verdicts=even.jsonl", "-o", "no")
    assert other.exit_code == 2 and "columns rubric, row_key, straight and swapped" in other.output
