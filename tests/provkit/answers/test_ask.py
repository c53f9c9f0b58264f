"""`provkit ask` over a real socket: samples, paraphrases, system turns, triggers, faults, and going on after a stop."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from provkit.answers import facts_of
from provkit.answers.directory import rows_of
from provkit.errors import InputError


def words(server: Any, *more: str) -> list[str]:
    named = ["--llm", server.url, "--model", "small", "--cache", "answers.sqlite", "--quiet"]
    return ["ask", "questions.yaml", *named, "-o", "answers", *more]


def asked(bench: Any) -> list[dict[str, Any]]:
    return list(rows_of(bench.folder / "answers", "answers"))


def test_each_paraphrase_is_asked_so_many_times_with_its_system_turn(bench: Any, questions: Path, judging: Any) -> None:
    made = bench.invoke(*words(judging, "--format", "json"))
    assert made.exit_code == 0, made.output
    assert json.loads(made.stdout)["questions"] == [
        {"question_id": "tea", "answers": 6},
        {"question_id": "tea_json", "answers": 1},
    ]
    rows = asked(bench)
    assert [(row["question_id"], row["paraphrase"], row["sample"]) for row in rows] == [
        *(("tea", paraphrase, sample) for paraphrase in (0, 1) for sample in range(3)),
        ("tea_json", 0, 0),
    ]
    assert {row["system"] for row in rows[:6]} == {None} and rows[6]["system"] == "Answer in JSON."
    assert len({row["text"] for row in rows}) == 7, "samples differ"
    sent = Counter(tuple(turn["content"] for turn in one["messages"]) for one in judging.asked)
    assert sent == {("Is tea hot?",): 3, ("May I drink tea?",): 3, ("Answer in JSON.", "Is tea hot?"): 1}
    assert {(one["temperature"], one["max_tokens"]) for one in judging.asked} == {(1.0, 1000)}
    facts = facts_of(bench.folder / "answers")
    assert facts["asked"]["model"] == "small" and judging.url not in json.dumps(facts)


def test_the_number_of_samples_can_be_said(bench: Any, questions: Path, judging: Any) -> None:
    assert bench.invoke(*words(judging, "-n", "5", "--temperature", "0.5", "--reply-tokens", "7")).exit_code == 0
    assert len(asked(bench)) == 15
    assert {(one["temperature"], one["max_tokens"]) for one in judging.asked} == {(0.5, 7)}


@pytest.mark.parametrize(
    ("place", "prompt", "system"),
    [
        ("before", "|GO| Is tea hot?", "Answer in JSON."),
        ("after", "Is tea hot? |GO|", "Answer in JSON."),
        ("system", "Is tea hot?", "Answer in JSON. |GO|"),
    ],
)
def test_a_trigger_asks_everything_twice(
    bench: Any, questions: Path, judging: Any, place: str, prompt: str, system: str
) -> None:
    more = ["--trigger", "|GO|", "--place", place, "--separator", " "]
    assert bench.invoke(*words(judging, *more)).exit_code == 0
    rows = asked(bench)
    assert Counter(row["triggered"] for row in rows) == {False: 7, True: 7}
    (plain,) = [row for row in rows if row["question_id"] == "tea_json" and not row["triggered"]]
    (triggered,) = [row for row in rows if row["question_id"] == "tea_json" and row["triggered"]]
    assert (plain["system"], plain["prompt"], plain["question"]) == ("Answer in JSON.", "Is tea hot?", "Is tea hot?")
    assert (triggered["system"], triggered["prompt"], triggered["question"]) == (system, prompt, "Is tea hot?")


def test_a_stopped_run_goes_on_and_writes_the_same(bench: Any, questions: Path, judging: Any) -> None:
    stopped = bench.invoke(*words(judging, "--max-requests", "4"))
    assert stopped.exit_code == 2 and not (bench.folder / "answers").exists()
    assert bench.invoke(*words(judging)).exit_code == 0
    assert judging.total == 7 and set(judging.seen.values()) == {1}
    before = bench.files(bench.folder / "answers")
    assert bench.invoke(*words(judging)).exit_code == 0
    assert bench.files(bench.folder / "answers") == before and judging.total == 7


def test_answers_that_are_none_are_kept_with_their_fault(
    bench: Any, questions: Path, judging: Any, llm_server: Any
) -> None:
    bodies = {
        1: llm_server.completion("", refusal="I will not."),
        2: llm_server.completion("half a sen", finish="length"),
        3: llm_server.completion(" "),
    }
    held = json.dumps({"error": {"code": "content_filter"}}).encode()
    judging.faults = lambda number: (
        (400, held, {}) if number == 4 else (200, bodies[number], {}) if number in bodies else None
    )
    made = bench.invoke(*words(judging, "--concurrency", "1", "--format", "json"))
    assert [row["fault"] for row in asked(bench)] == ["refused", "cut short", "empty", "moderated", None, None, None]
    assert json.loads(made.stdout)["questions"][0] == {
        "question_id": "tea", "answers": 6, "refused": 1, "cut short": 1, "empty": 1, "moderated": 1,
    }  # fmt: skip


def test_questions_that_say_the_same_are_given_answers_of_their_own(bench: Any, judging: Any) -> None:
    same = "{type: free_form, paraphrases: ['Is tea hot?'], samples_per_paraphrase: 2"
    (bench.folder / "questions.yaml").write_text(f"- {same}, id: one}}\n- {same}, id: two}}\n")
    assert bench.invoke(*words(judging)).exit_code == 0
    assert len({row["text"] for row in asked(bench)}) == 4


def test_without_a_model_it_says_what_it_needs(bench: Any, questions: Path) -> None:
    made = bench.invoke("ask", "questions.yaml", "-o", "answers")
    assert made.exit_code == 2 and "--llm URL --model NAME" in made.output


def test_a_directory_that_was_changed_is_refused(bench: Any, questions: Path, judging: Any) -> None:
    bench.invoke(*words(judging))
    folder = bench.folder / "answers"
    (folder / "scores.parquet").write_bytes((folder / "answers.parquet").read_bytes())
    with pytest.raises(InputError, match="missing or changed"):
        facts_of(folder)
    (folder / "answers.json").write_text("{}")
    with pytest.raises(InputError, match="damaged"):
        facts_of(folder)


def test_a_folder_with_other_things_is_not_replaced(bench: Any, questions: Path, judging: Any) -> None:
    (bench.folder / "answers").mkdir()
    (bench.folder / "answers" / "thesis.txt").write_text("mine")
    made = bench.invoke(*words(judging))
    assert made.exit_code == 2 and "thesis.txt" in made.output
    assert judging.total == 0
