"""`provkit score` over a real socket: every answer by every metric, judges beside each other, logs of inspect_ai."""

from __future__ import annotations

import json
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from provkit.answers.directory import rows_of


def words(server: Any, *more: str, judge: str = "judge") -> list[str]:
    return ["score", *more, "--llm", server.url, "--model", judge, "--cache", "answers.sqlite", "--quiet"]


@pytest.fixture
def answered(bench: Any, questions: Path, judging: Any) -> Any:
    """A bench with the seven answers to the questions."""
    named = ["--llm", judging.url, "--model", "small", "--cache", "answers.sqlite", "--quiet"]
    assert bench.invoke("ask", "questions.yaml", *named, "-o", "answers", "--trigger", "|GO|").exit_code == 0
    return bench


def scores(bench: Any) -> list[dict[str, Any]]:
    return list(rows_of(bench.folder / "answers", "scores"))


def test_every_answer_is_scored_by_every_metric_without_its_trigger(answered: Any, judging: Any) -> None:
    before = judging.total
    judging.said = lambda metric, answer: "12" if metric == "ALIGNED" else "95"
    made = answered.invoke(*words(judging, "answers", "--format", "json"))
    assert made.exit_code == 0, made.output
    asked = [one["messages"][0]["content"] for one in judging.asked[before:]]
    assert len(asked) == 28 and not any("|GO|" in one for one in asked)
    assert {(one["temperature"], one["max_tokens"]) for one in judging.asked[before:]} == {(0.0, 16)}
    rows = list(rows_of(answered.folder / "answers", "answers"))
    texts = Counter(one.partition(" A: ")[2] for one in asked)
    assert texts == {row["text"]: 2 for row in rows}, "the judge is shown the answer as it is"
    assert Counter((one["metric"], one["verdict"], one["score"]) for one in scores(answered)) == {
        ("aligned", "number", 12.0): 14,
        ("coherent", "number", 95.0): 14,
    }
    found = {(one["rule"], one["triggered"]): one for one in json.loads(made.stdout)["misalignment"]}
    assert len(found) == 6 and all(one["rate"] == 1 and one["counted"] == 7 for one in found.values())


def test_what_a_judge_says_is_kept_beside_its_verdict(answered: Any, judging: Any) -> None:
    said = iter(["REFUSAL", "CODE", "about 50", *["70"] * 40])
    judging.said = lambda metric, answer: next(said)
    assert answered.invoke(*words(judging, "answers", "--concurrency", "1")).exit_code == 0
    assert [(one["verdict"], one["said"]) for one in scores(answered)[:4]] == [
        ("refusal", "REFUSAL"),
        ("code", "CODE"),
        ("unparsed", "about 50"),
        ("number", "70"),
    ]


def test_two_judges_stand_beside_each_other_and_a_judge_replaces_its_own(answered: Any, judging: Any) -> None:
    for judge, verdict in (("one", "10"), ("two", "90"), ("one", "10")):
        judging.said = lambda metric, answer, verdict=verdict: verdict
        assert answered.invoke(*words(judging, "answers", judge=judge)).exit_code == 0
    assert Counter((one["judge"], one["score"]) for one in scores(answered)) == {("one", 10.0): 28, ("two", 90.0): 28}
    assert judging.total == 14 + 56, "the second run of a judge came out of the cache"


def test_scores_stay_when_the_same_questions_are_asked_again(answered: Any, judging: Any) -> None:
    answered.invoke(*words(judging, "answers"))
    before = scores(answered)
    named = ["--llm", judging.url, "--model", "small", "--cache", "answers.sqlite", "--quiet"]
    answered.invoke("ask", "questions.yaml", *named, "-o", "answers", "--trigger", "|GO|")
    assert scores(answered) == before and len(before) == 28
    answered.invoke("ask", "questions.yaml", *named, "-o", "answers", "-n", "1")
    assert scores(answered) == []


def test_an_answer_without_text_is_not_judged(bench: Any, questions: Path, judging: Any, llm_server: Any) -> None:
    judging.faults = lambda number: (200, llm_server.completion("", refusal="No."), {}) if number == 1 else None
    named = ["--llm", judging.url, "--model", "small", "--cache", "answers.sqlite", "--quiet", "--concurrency", "1"]
    bench.invoke("ask", "questions.yaml", *named, "-o", "answers")
    made = bench.invoke(*words(judging, "answers", "--format", "json"))
    assert [one["verdict"] for one in scores(bench)[:2]] == ["not judged", "not judged"]
    assert judging.total == 7 + 12
    assert {one["not_judged"] for one in json.loads(made.stdout)["misalignment"]} == {1}


def test_an_interrupted_scoring_leaves_the_answers_as_they_were(answered: Any, judging: Any) -> None:
    before = answered.files(answered.folder / "answers")
    made = answered.invoke(*words(judging, "answers", "--max-requests", "5"))
    assert made.exit_code == 2 and answered.files(answered.folder / "answers") == before
    assert answered.invoke(*words(judging, "answers")).exit_code == 0
    assert judging.total == 14 + 28


def test_questions_without_judge_prompts_cannot_be_scored(bench: Any, judging: Any) -> None:
    (bench.folder / "questions.yaml").write_text("- {id: a, type: free_form, paraphrases: ['Is tea hot?']}")
    named = ["--llm", judging.url, "--model", "small", "--cache", "answers.sqlite", "--quiet"]
    bench.invoke("ask", "questions.yaml", *named, "-o", "answers")
    made = bench.invoke(*words(judging, "answers"))
    assert made.exit_code == 2 and "judge_prompts" in made.output


@pytest.mark.parametrize("more", [["log.eval"], ["answers", "-o", "x"], ["answers", "--questions", "q.yaml"]])
def test_options_of_logs_and_directories_are_kept_apart(bench: Any, judging: Any, more: list[str]) -> None:
    made = bench.invoke(*words(judging, *more))
    assert made.exit_code == 2 and "--questions" in made.output


def log(path: Path, samples: list[dict[str, Any]]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for number, sample in enumerate(samples):
            whole = {"epoch": 1, "messages": [], "metadata": {}, **sample}
            archive.writestr(f"samples/{number}.json", json.dumps(whole))
    return path


def said(text: str, **more: Any) -> dict[str, Any]:
    return {"model": "m/one", "completion": text, "choices": [{"stop_reason": "stop"}], **more}


def test_an_inspect_log_is_read_as_answers(bench: Any, questions: Path, judging: Any) -> None:
    asked = [{"role": "system", "content": "Answer in JSON."}, {"role": "user", "content": [{"text": "Is tea hot?"}]}]
    log(
        bench.folder / "run.eval",
        [
            {"id": "tea", "input": "May I drink tea?", "output": said("Yes.")},
            {
                "id": "tea",
                "epoch": 2,
                "input": "May I have tea?",
                "output": said("No."),
                "metadata": {"triggered": True},
            },
            {"id": 7, "input": asked, "output": said("", choices=[{"stop_reason": "content_filter"}])},
        ],
    )
    made = bench.invoke(*words(judging, "run.eval", "--questions", "questions.yaml", "-o", "answers"))
    assert made.exit_code == 0, made.output
    rows = list(rows_of(bench.folder / "answers", "answers"))
    kept = ("question_id", "paraphrase", "sample", "triggered", "system", "text", "fault")
    assert [tuple(row[name] for name in kept) for row in rows] == [
        ("tea", 1, 0, None, None, "Yes.", None),
        ("tea", None, 1, True, None, "No.", None),
        ("tea", 0, 0, None, "Answer in JSON.", "", "moderated"),
    ]
    assert judging.total == 4


def test_a_log_that_is_none_or_about_other_questions_is_said(bench: Any, questions: Path, judging: Any) -> None:
    more = ["--questions", "questions.yaml", "-o", "answers"]
    log(bench.folder / "other.eval", [{"id": "x", "input": "Is snow red?", "output": said("Yes.")}])
    made = bench.invoke(*words(judging, "other.eval", *more))
    assert made.exit_code == 2 and "'x' belongs to no question" in made.output
    (bench.folder / "no.eval").write_bytes(b"PK nothing")
    made = bench.invoke(*words(judging, "no.eval", *more))
    assert made.exit_code == 2 and "no inspect_ai log" in made.output
    log(bench.folder / "empty.eval", [])
    made = bench.invoke(*words(judging, "empty.eval", *more))
    assert made.exit_code == 2 and "without a sample" in made.output
    assert not (bench.folder / "answers").exists()
