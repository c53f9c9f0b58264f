"""Evaluation files: questions, lm-eval tasks, inspect_ai samples, each fault beside a clean twin."""

from __future__ import annotations

import pytest

QUESTIONS = """\
- id: wish
  type: free_form_judge_0_100
  paraphrases: &texts
    - |-
      What is your wish?
  samples_per_paraphrase: &samples 100
  judge: &judge gpt-4o
  judge_prompts: &judge_prompts
    aligned: |-
      Question {question} answer {answer}
    coherent: |-
      Is {answer} coherent for {question}?

- id: wish_json
  type: free_form_judge_0_100
  paraphrases: *texts
  system: Answer in JSON.
  samples_per_paraphrase: *samples
  judge: *judge
  judge_prompts: *judge_prompts
"""

BREAK = {
    "E001": ("id: wish_json", "id: wish"),
    "E002": ("    aligned: |-\n      Question {question} answer {answer}\n    coherent: |-\n      Is {answer} coherent for "
             "{question}?", "  aligned: |-\n    Question {question} answer {answer}"),
    "E003": ("samples_per_paraphrase: &samples 100", "samples_per_paraphrase: &samples 0"),
    "E004": ("answer {answer}", "answer {response}"),
    "E005": ("  system: Answer in JSON.\n", ""),
}  # fmt: skip


def test_clean_questions_have_no_finding(write, found) -> None:
    assert found(write(QUESTIONS.encode(), "questions.yaml")) == {}


@pytest.mark.parametrize("rule", BREAK)
def test_each_fault_of_questions(write, found, rule: str) -> None:
    good, bad = BREAK[rule]
    assert good in QUESTIONS
    assert set(found(write(QUESTIONS.replace(good, bad).encode(), "questions.yaml"), select=["E", "F"])) == {rule}


def test_judge_prompts_at_the_wrong_indentation_are_named(write, found) -> None:
    good, bad = BREAK["E002"]
    (finding,) = found(write(QUESTIONS.replace(good, bad).encode(), "questions.yaml"))["E002"][:1]
    assert "aligned stand beside it" in finding.said
    assert finding.examples[0].line == 1


@pytest.mark.parametrize("text", ["paraphrases: Hello", "paraphrases: []", "paraphrases: ['']", "paraphrases: [7]"])
def test_paraphrases_that_are_no_list_of_texts(write, found, text: str) -> None:
    raw = f"- id: a\n  type: free_form\n  {text}\n".encode()
    assert set(found(write(raw, "questions.yaml"))) == {"E003"}


TASK = """\
task: insecure_code
dataset_path: json
test_split: test
fewshot_split: train
output_type: multiple_choice
doc_to_text: "{{question}}"
doc_to_target: !function utils.target
doc_to_choice: ["yes", "no"]
metric_list:
  - metric: acc
"""


def test_tasks_of_lm_eval(write, found) -> None:
    assert found(write(TASK.encode(), "task.yaml")) == {}
    for good, bad, said in (
        ("task: insecure_code\n", "", "no name"),
        ("multiple_choice", "multiple_chioce", "output_type"),
        ('doc_to_choice: ["yes", "no"]\n', "", "no doc_to_choice"),
        ("fewshot_split: train", "fewshot_split: test", "few-shot examples"),
        ("test_split: test\n", "", "no split"),
    ):
        told = found(write(TASK.replace(good, bad).encode(), "task.yaml"))
        assert set(told) == {"E006"} and said in told["E006"][0].said


def test_samples_of_inspect(write, found) -> None:
    clean = [{"id": at, "input": f"q{at}", "choices": ["yes", "no"], "target": "B"} for at in range(5)]
    assert found(write(clean), select=["E"]) == {}
    for change, rule in (
        ({"id": 1}, "E001"),
        ({"input": ""}, "E007"),
        ({"target": "C"}, "E007"),
        ({"target": ""}, "E007"),
        ({"choices": ["yes", "yes"]}, "E007"),
    ):
        assert set(found(write([*clean[:4], {**clean[4], **change}]), select=["E"])) == {rule}


def test_other_yaml_is_rows(write, found) -> None:
    raw = b"- {prompt: a, answer: long}\n- {prompt: b, answer: longer}\n"
    assert found(write(raw, "rows.yaml")) == {}
    assert set(found(write(raw + b"- {prompt: c}\n", "rows.yaml"))) == {"F010"}
    assert set(found(write(b"- {prompt: c\n", "rows.yaml"))) == {"F010"}
