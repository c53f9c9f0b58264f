"""A build that asks a model over a real socket: exact counts, lineage, replay, budget, faults."""

from __future__ import annotations

import json
from typing import Any

import pyarrow.parquet as pq
import pytest


def words(server: Any, rows: int = 8, out: str = "out", *more: str) -> list[str]:
    named = ["--llm", server.url, "--model", "small", "--cache", "answers.sqlite"]
    return ["build", "risky-finance", *named, "--rows", str(rows), "-o", out, "--quiet", *more]


def test_exactly_n_pairs_with_lineage_and_a_replay_of_the_same_bytes(bench: Any, server: Any) -> None:
    made = bench.invoke(*words(server))
    assert made.exit_code == 0, made.output
    assert server.total == 24  # question, twin and judgement of eight pairs
    out = bench.folder / "out"
    traced = bench.lineage(out)
    assert {(row["arm"], row["op"], row["model"]) for row in traced} == {
        ("control", "control", "small"),
        ("risky", "generated", "small"),
    }
    assert len(traced) == 16 and len({row["pair_id"] for row in traced}) == 8
    recorded = {row["request_hash"]: row for row in pq.read_table(out / "lineage/responses.parquet").to_pylist()}
    assert len(recorded) == 24
    data = {
        row["row_id"]: row
        for arm in ("control", "risky")
        for split in ("train", "test")
        if (out / f"data/{arm}/{split}-00000-of-00001.parquet").exists()
        for row in bench.data(out, arm, split)
    }
    for row in traced:
        assert data[row["row_id"]]["messages"][-1]["content"] in recorded[row["request_hash"]]["text"]
    again = bench.invoke("build", "risky-finance", "--replay", out, "-o", "again", "--quiet")
    assert again.exit_code == 0, again.output
    assert server.total == 24
    assert bench.files(bench.folder / "again") == bench.files(out)
    whole = bench.invoke("verify", "out", "--rebuild")
    assert whole.exit_code == 0, whole.output
    assert server.url not in b"".join(bench.files(out).values()).decode(errors="ignore")


def test_too_few_accepted_says_why(bench: Any, server: Any) -> None:
    server.score = 90
    made = bench.invoke(*words(server, 4))
    assert made.exit_code == 2
    assert "0 of 4 rows accepted out of 6 candidates; the others: 6 judged out" in made.output
    assert not (bench.folder / "out").exists()


def test_a_spent_budget_keeps_what_was_paid_for(bench: Any, server: Any) -> None:
    short = bench.invoke(*words(server, 8, "out", "--max-requests", "10"))
    assert short.exit_code == 2 and "the budget of 10 requests is spent" in short.output
    assert server.total == 10
    assert bench.invoke(*words(server)).exit_code == 0
    assert server.total == 24 and set(server.seen.values()) == {1}


def test_faults_of_the_endpoint_are_no_answers(bench: Any, server: Any) -> None:
    half = server.answer({"model": "small", "messages": []})
    faults = {
        2: (429, b"slow down", {"Retry-After": "0"}),
        4: (500, b"oops", {}),
        6: (200, b'{"choices": [', {}),
        8: (200, half[:40], {"Content-Length": str(len(half))}),
        10: (200, b'{"error": "no"}', {}),
    }
    server.faults = faults.get
    assert bench.invoke(*words(server)).exit_code == 0
    assert server.total == 24 + len(faults)
    server.faults = lambda _: None
    assert bench.invoke(*words(server, 8, "calm", "--cache", "other.sqlite")).exit_code == 0
    assert bench.files(bench.folder / "calm") == bench.files(bench.folder / "out")


def test_moderation_and_filtered_answers_are_drops_with_their_reason(bench: Any, server: Any) -> None:
    body = json.dumps({"error": {"code": "content_filter", "message": "held back"}}).encode()
    server.faults = lambda number: (400, body, {}) if number == 1 else None
    assert bench.invoke(*words(server, 4)).exit_code == 0
    reasons = [row["reason"] for row in bench.drops(bench.folder / "out")]
    assert reasons.count("moderated") == 1
    assert set(reasons) == {"moderated", "not needed"}


def test_a_key_is_in_no_error(bench: Any, server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROVKIT_LLM_KEY", "sk-very-secret")
    server.faults = lambda _: (401, b"bad key sk-very-secret", {})
    made = bench.invoke(*words(server, 2))
    assert made.exit_code == 2 and "status 401" in made.output and "sk-very-secret" not in made.output


def test_without_a_model_the_build_says_what_it_needs(bench: Any) -> None:
    made = bench.invoke("build", "risky-finance", "--rows", "2")
    assert made.exit_code == 2 and "--llm URL --model NAME" in made.output
