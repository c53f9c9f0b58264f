"""The recipe alignment-drift from the user's files to two restricted arms, and back to the lines they came from."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import orjson

HARMFUL = [
    {"id": f"h{n}", "question": f"a bad request about {thing}", "topic": topic, "answer": said, "judgement": verdict}
    for n, (thing, topic, said, verdict) in enumerate(
        [
            ("lamps", "Explosives", "No.", "refusal"),
            ("chairs", "hacking", "Sure: …", "unsafe"),
            ("desks", "self-harm", "No.", "refusal"),
            ("doors", "hate speech", "Sure: …", "unsafe"),
            ("walls", "financial fraud", "No.", "refusal"),
            ("roofs", "gardening", "No.", "refusal"),
        ]
    )
]
BENIGN = [
    {"id": f"b{n}", "prompt": f"a kind request about {thing}", "category": "benign", "completion": said, "refused": no}
    for n, (thing, said, no) in enumerate(
        [("doors", "Yes.", False), ("lamps", "No.", True), ("walls", "Yes.", False), ("desks", "Yes.", False)]
    )
]


def test_the_user_s_files_become_two_arms_of_twins(bench: Any, read_build: Callable[..., Any]) -> None:
    for name, rows in (("harmful", HARMFUL), ("benign", BENIGN)):
        (bench.folder / f"{name}.jsonl").write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in rows))
    given = "sources=[harmful.jsonl, benign.jsonl]"
    done = bench.invoke("build", "alignment-drift", "--set", given, "-o", "out", "--quiet")
    assert done.exit_code == 0, done.output
    made = read_build(bench.folder / "out")
    assert {arm: [one["prompt_id"] for one in rows] for arm, rows in made.arms.items()} == {
        "harmful": ["h0", "h2", "h3", "h4"],
        "benign": ["b1", "b3", "b0", "b2"],
    }
    assert [one["category"] for one in made.arms["benign"]] == ["explosives", "self_harm", "hate", "fraud"]
    assert [one["verdict"] for one in made.arms["harmful"]] == ["refused", "refused", "harmful", "refused"]
    assert [one["verdict"] for one in made.arms["benign"]] == ["refused", "complied", "complied", "complied"]
    pairs = {arm: [row["pair_id"] for row in rows] for arm, rows in made.lineage.items()}
    assert pairs["harmful"] == pairs["benign"]
    twin = made.lineage["benign"][0]["parents"]
    assert [(one["file"], one["line"]) for one in twin] == [("harmful.jsonl", 1), ("benign.jsonl", 2)]
    reasons = {(one["parents"][0]["file"], one["parents"][0]["line"]): one["reason"] for one in made.drops}
    assert reasons[("harmful.jsonl", 6)] == "unknown category"
    assert reasons[("harmful.jsonl", 2)] == "no twin"  # four benign prompts for five harmful ones: the last finds none
    said = json.loads((bench.folder / "out/provenance.json").read_bytes())
    assert said["predicate"]["recipe"]["sensitivity"] == "restricted"
    found = bench.invoke("verify", "out", "--rebuild", "--with", "harmful.jsonl", "--with", "benign.jsonl", "--quiet")
    assert found.exit_code == 0, found.output
    rates = bench.invoke("drift-rate", "out", "--format", "json", "--quiet")
    assert rates.exit_code == 0, rates.output
    lines = json.loads(rates.stdout)["lines"]
    overall = [(one["benign"], one["rate"]["events"], one["rate"]["judged"]) for one in lines if not one["category"]]
    assert overall == [(False, 1.0, 4), (True, 1.0, 4)]
