"""Judging over a real socket: both orders, what counts as a verdict, the cache, and the same through recorded rows."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from provkit.database import connect, query
from provkit.rubrics import directory
from provkit.rubrics.files import catalog

SEED = catalog("helpfulness").text
VARIANT = SEED.replace(
    "Names of assistants", "If the two are otherwise equal, prefer the more thorough one. Names of assistants"
)


@pytest.fixture
def sets(bench: Any, pairs_of: Any) -> Any:
    """even.jsonl and padded.jsonl with 40 pairs each, and rubrics.jsonl with the seed and the variant."""
    for kind in ("even", "padded"):
        rows = [
            {"uid": p.row_key, "question": p.question, "answer_a": p.answer_a, "answer_b": p.answer_b}
            | {"label": p.label, "category": p.category}
            for p in pairs_of(kind, 40)
        ]
        bench.rows(rows, f"{kind}.jsonl")
    bench.rows([{"prompt_id": "seed", "prompt": SEED}, {"prompt_id": "v", "prompt": VARIANT}], "rubrics.jsonl")
    return bench


def words(server: Any, out: str, *more: str) -> list[str]:
    asked = ["--llm", server.url, "--model", "small", "--cache", "answers.sqlite", "--key", "uid"]
    return ["judge", "even.jsonl", "padded.jsonl", "--rubric", "rubrics.jsonl", *asked, "-o", out, *more]


def test_both_orders_of_every_pair_under_every_rubric(sets: Any, server: Any) -> None:
    made = sets.invoke(*words(server, "verdicts", "--format", "json", "--quiet"))
    assert made.exit_code == 0, made.output
    assert server.total == 2 * 2 * 40 * 2 == sum(one["judgements"] for one in json.loads(made.stdout)["counts"])
    found = directory.read(sets.folder / "verdicts")
    rows = found.rows.to_pylist()
    assert (
        len(rows) == 160
        and len({row["straight_request"] for row in rows} | {row["swapped_request"] for row in rows}) == 320
    )
    assert all(row["straight"] == row["swapped"] for row in rows if row["dataset"] == "even")
    assert found.judge["model"] == "small" and server.url not in json.dumps(found.judge)
    asked = server.asked[0]
    assert asked["temperature"] == 0 and len(asked["messages"]) == 1
    drifted = sets.invoke("drift", "verdicts", "--bench", "even", "--target", "padded", "--max-drift", "0.02")
    assert drifted.exit_code == 1 and "gate: v drifts by" in drifted.stderr


def test_what_was_answered_is_not_asked_again(sets: Any, server: Any) -> None:
    short = sets.invoke(*words(server, "verdicts", "--max-requests", "100", "--quiet"))
    assert short.exit_code == 2 and "the budget of 100 requests is spent" in short.output
    assert not (sets.folder / "verdicts").exists()
    assert sets.invoke(*words(server, "verdicts", "--quiet")).exit_code == 0
    assert server.total == 320 and set(server.seen.values()) == {1}
    assert sets.invoke(*words(server, "again", "--quiet")).exit_code == 0
    assert server.total == 320
    assert sets.files(sets.folder / "again") == sets.files(sets.folder / "verdicts")
    other = ["--model", "large", "--limit", "1", "--quiet"]
    assert sets.invoke(*words(server, "other", *other)).exit_code == 0
    assert server.total == 328, "another judge is asked for itself"


def test_an_answer_without_a_verdict_is_kept_as_such(sets: Any, server: Any) -> None:
    said = iter(range(10**6))
    texts = {0: "It lists its liabilities.", 1: "[[A]] or [[B]]", 2: "[[a]]", 3: "Assistant A, surely."}
    server.says = lambda prompt: texts[next(said) % 4]
    made = sets.invoke(*words(server, "verdicts", "--concurrency", "1", "--format", "json"))
    assert made.exit_code == 0, made.output
    counts = json.loads(made.stdout)["counts"]
    assert [(one["unparsed"], one["judgements"]) for one in counts] == [(60, 80)] * 4
    assert "240 answers without a verdict" in made.stderr
    ends = pq.read_table(sets.folder / "verdicts/unparsed.parquet").to_pylist()
    assert Counter(row["output"] for row in ends) == {texts[0]: 80, texts[2]: 80, texts[3]: 80}
    shown = sets.invoke("drift", "verdicts", "--bench", "even", "--target", "padded", "--format", "json")
    (one,) = json.loads(shown.stdout)["variants"]
    assert one["target"]["unparsed"] == 1.0 and one["target"]["accuracy"] == 0.5  # half of each pair is unparsed


def test_refused_and_moderated_answers_are_unparsed(sets: Any, server: Any) -> None:
    body = json.dumps({"error": {"code": "content_filter", "message": "held back"}}).encode()
    server.faults = lambda number: (400, body, {}) if number == 1 else None
    assert sets.invoke(*words(server, "verdicts", "--concurrency", "1", "--quiet")).exit_code == 0
    (row,) = pq.read_table(sets.folder / "verdicts/unparsed.parquet").to_pylist()
    assert row["output"].startswith("moderated: ") and row["shown"] == "straight" and row["row_key"] == "even-0"


def test_one_order_by_a_coin_of_the_row_key(sets: Any, server: Any) -> None:
    assert sets.invoke(*words(server, "verdicts", "--orders", "seeded", "--quiet")).exit_code == 0
    assert server.total == 160
    rows = directory.read(sets.folder / "verdicts").rows.to_pylist()
    assert all((row["straight"] is None) != (row["swapped"] is None) for row in rows)
    ways: dict[str, set[bool]] = {}
    for row in rows:
        ways.setdefault(row["row_key"], set()).add(row["straight"] is None)
    assert all(len(one) == 1 for one in ways.values()) and 20 < sum(True in one for one in ways.values()) < 60


def test_recorded_rows_make_the_same_directory(sets: Any, server: Any) -> None:
    assert sets.invoke(*words(server, "verdicts", "--quiet")).exit_code == 0
    rows = query(connect(sets.folder / "verdicts"), "FROM verdicts").to_pylist()
    flip = {"A": "B", "B": "A", "C": "C"}
    recorded = [
        {"row_id": row["row_key"], "rubric": row["rubric"], "set": row["dataset"], "swapped": row["swapped"]}
        | {"output": f"So [[{flip[row['verdict']] if row['swapped'] else row['verdict']}]]"}
        for row in reversed(rows)
    ]
    sets.rows(recorded, "run.jsonl")
    named = ["--rubric", "rubrics.jsonl", "--recorded", "run.jsonl", "--key", "uid", "-o", "again", "--quiet"]
    made = sets.invoke("judge", "even.jsonl", "padded.jsonl", *named)
    assert made.exit_code == 0, made.output
    columns = ["rubric", "dataset", "row_key", "straight", "swapped"]
    both = [
        sorted(tuple(row[name] for name in columns) for row in directory.read(sets.folder / name).rows.to_pylist())
        for name in ("verdicts", "again")
    ]
    assert both[0] == both[1]


def test_a_changed_byte_is_found(sets: Any, server: Any) -> None:
    assert sets.invoke(*words(server, "verdicts", "--quiet")).exit_code == 0
    for name in ("judge.json", "verdicts.parquet", "pairs.parquet"):
        path = sets.folder / "verdicts" / name
        raw = path.read_bytes()
        path.write_bytes(raw[:20] + bytes([raw[20] ^ 1]) + raw[21:])
        found = sets.invoke("drift", "verdicts", "--bench", "even", "--target", "padded")
        assert found.exit_code == 2 and name in found.output
        path.write_bytes(raw)


def test_one_judge_is_named(sets: Any) -> None:
    named = ["judge", "even.jsonl", "--rubric", "rubrics.jsonl", "-o", "out"]
    assert "name one judge" in sets.invoke(*named).output
    assert "name one judge" in sets.invoke(*named, "--stand-in", "--recorded", "even.jsonl").output
    strange = sets.folder / "strange"
    strange.mkdir()
    Path(strange, "notes.txt").write_text("mine")
    made = sets.invoke(*named[:-1], "strange", "--llm", "http://127.0.0.1:9/v1", "--model", "x")
    assert made.exit_code == 2 and "notes.txt" in made.output


def test_the_stand_in_says_that_it_is_one(sets: Any) -> None:
    pytest.importorskip("sentence_transformers", reason="needs the extra embed")
    named = ["--rubric", "rubrics.jsonl", "--stand-in", "--limit", "6", "-o", "verdicts"]
    made = sets.invoke("judge", "padded.jsonl", *named)
    assert made.exit_code == 0 and "stand-in" in made.stderr and "not of a language model" in made.stderr
    shown = sets.invoke("drift", "verdicts", "--bench", "padded", "--target", "padded", "--format", "json")
    assert "stands_in" in json.loads(shown.stdout)["judge"] and "not of a language model" in shown.stderr
    rows = directory.read(sets.folder / "verdicts").rows.to_pylist()
    assert all(row["straight"] == row["swapped"] for row in rows)
