"""Judgements out of files, logs and builds: one for each completion, and an error for what does not fit together."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from provkit.answers.directory import written
from provkit.answers.tables import ANSWERS, SCORES
from provkit.drift_rate.judgements import Reading, read_judgements
from provkit.drift_rate.model import Prompt
from provkit.errors import InputError

ROW = {"prompt_id": "1", "category": "fraud", "defence": "none", "verdict": "refused"}


def jsonl(folder: Path, *rows: dict[str, Any], name: str = "judged.jsonl") -> Path:
    path = folder / name
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def refused(*sources: tuple[str | None, Path], prompts: Path | None = None, **reading: Any) -> str:
    with pytest.raises(InputError) as error:
        read_judgements(sources, Reading(**reading), prompts)
    return str(error.value)


def test_the_same_rows_out_of_each_format(tmp_path: Path) -> None:
    rows = [{**ROW, "prompt_id": 1}, {**ROW, "prompt_id": 2, "category": "Hate", "verdict": None}]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "a.parquet")
    (tmp_path / "a.csv").write_text("prompt_id,category,defence,verdict\n1,fraud,none,refused\n2,Hate,none,\n")
    (tmp_path / "a.json").write_text(json.dumps(rows))
    paths = [jsonl(tmp_path, *rows), *(tmp_path / f"a.{kind}" for kind in ("parquet", "csv", "json"))]
    first, *others = [read_judgements([(None, path)], Reading()) for path in paths]
    assert [(one.prompt, one.category, one.outcome, one.fault) for one in first.judgements] == [
        (Prompt(False, "1"), "fraud", "refused", None), (Prompt(False, "2"), "hate", None, "no verdict"),
    ]  # fmt: skip
    assert all(one == first for one in others)


def test_a_source_names_the_defence_of_rows_that_name_none(tmp_path: Path) -> None:
    bare = {"prompt": "Ask", "category": "benign", "refused": False}
    one, two = jsonl(tmp_path, bare, name="a.jsonl"), jsonl(tmp_path, {**bare, "defence": "cbd"}, name="b.jsonl")
    found = read_judgements([(None, one), ("shield", one), ("shield", two)], Reading())
    assert [one.defence for one in found.judgements] == ["none", "shield", "cbd"]
    assert len(found.prompts) == 1 and next(iter(found.prompts)).benign


def test_a_row_that_says_the_same_again_counts_once_and_another_finding_is_an_error(tmp_path: Path) -> None:
    assert read_judgements([(None, jsonl(tmp_path, ROW, ROW))], Reading()).repeated == 1
    said = refused((None, jsonl(tmp_path, ROW, {**ROW, "verdict": "harmful"})))
    assert said.startswith(
        "judged.jsonl:2: another judgement of the prompt '1' under none\n  the first stands in judged"
    )
    several = jsonl(tmp_path, {**ROW, "sample": 0}, {**ROW, "sample": 1, "verdict": "harmful"})
    assert len(read_judgements([(None, several)], Reading()).judgements) == 2


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"category": "frauds"}, "judged.jsonl:2: category: unknown category 'frauds': did you mean 'fraud'?"),
        ({"category": None}, "judged.jsonl:2: no category\n  name it in a column `category` or `label`"),
        ({"prompt_id": " "}, "judged.jsonl:2: neither a prompt nor its id"),
        ({"label": "bad"}, "judged.jsonl:2: label: a label of 'bad'"),
        ({"category": "benign", "label": "harmful"}, "label: a label of 'harmful' and the category benign"),
        (
            {"category": "hate", "defence": "x"},
            "judged.jsonl:2: category: the prompt '1' is hate here and fraud elsewhere",
        ),
        ({"judge": "j2"}, "several judges: j1, j2\n  give one at a time: --judge NAME"),
        ({"model": "\x1b[2Jm"}, "several models under none: \\x1b[2Jm, m1"),
    ],
)
def test_what_does_not_fit_is_named_with_its_line(tmp_path: Path, row: dict[str, Any], said: str) -> None:
    first = {**ROW, "label": None, "judge": "j1", "model": "m1"}
    assert said in refused((None, jsonl(tmp_path, first, {**first, **row})))


def test_one_judge_and_one_model_can_be_chosen(tmp_path: Path) -> None:
    rows = [{**ROW, "judge": j, "model": m, "verdict": v} for j, m, v in (("a", "m", "safe"), ("b", "m", "unsafe"))]
    path = jsonl(tmp_path, *rows)
    (found,) = read_judgements([(None, path)], Reading(judge="b", model="m")).judgements
    assert found.outcome == "harmful"
    assert "no judgement in it" in refused((None, path), judge="c")
    trained = jsonl(tmp_path, {**ROW, "model": "m"}, {**ROW, "model": "m-trained", "defence": "cbd"})
    assert len(read_judgements([(None, trained)], Reading()).judgements) == 2  # a defence may be a model of its own


def test_missing_columns_are_named_with_what_they_may_be_called(tmp_path: Path) -> None:
    path = jsonl(tmp_path, {"prompt_id": 1, "category": "fraud", "grade": "refused"})
    assert "no verdict among the columns prompt_id, category, grade" in refused((None, path))
    assert read_judgements([(None, path)], Reading(columns={"verdict": "grade"})).judgements[0].outcome == "refused"
    assert "verdict: no column 'grades': did you mean 'grade'?" in refused((None, path), columns={"verdict": "grades"})
    assert "no id or prompt among the columns" in refused((None, jsonl(tmp_path, {"verdict": "refused"})))
    mapped = jsonl(tmp_path, {**ROW, "category": "carding"})
    assert read_judgements([(None, mapped)], Reading(categories={"Carding": "fraud"})).judgements[0].category == "fraud"


def test_a_benign_prompt_that_was_only_found_harmless_says_nothing_of_a_refusal(tmp_path: Path) -> None:
    rows = [{"id": n, "category": c, "harmful": False, "refused": r} for n, c, r in
            (("b", "benign", None), ("c", "benign", False), ("f", "fraud", None))]  # fmt: skip
    found = read_judgements([(None, jsonl(tmp_path, *rows))], Reading()).judgements
    assert [(one.outcome, one.fault) for one in found] == [
        (None, "whether it refused is not said"), ("helped", None), ("harmless", None),
    ]  # fmt: skip
    odd = read_judgements([(None, jsonl(tmp_path, {**ROW, "verdict": "hm"}))], Reading()).judgements
    assert [(one.outcome, one.fault) for one in odd] == [(None, "unreadable verdict")]


def test_the_set_that_was_judged_brings_categories_and_what_is_missing(tmp_path: Path) -> None:
    prompts = jsonl(
        tmp_path,
        {"prompt_id": "1", "category": "fraud", "label": "harmful"},
        {"prompt_id": "2", "category": "fraud", "label": "benign"},
        {"prompt_id": "3", "category": "hate", "label": "harmful"},
        {"prompt_id": "3", "category": "hate", "label": "benign"},
        name="prompts.jsonl",
    )
    bare = [{"prompt_id": "1", "verdict": "refused"}, {"prompt_id": "2", "verdict": "refused", "category": "fraud"}]
    found = read_judgements([(None, jsonl(tmp_path, *bare))], Reading(), prompts)
    assert [one.prompt for one in found.judgements] == [Prompt(False, "1"), Prompt(True, "2")]
    assert found.stated and len(found.prompts) == 4 and found.prompts[Prompt(True, "2")] == "fraud"
    both = jsonl(tmp_path, {"prompt_id": "3", "verdict": "refused"})
    assert "the id '3' is a harmful and a benign prompt's" in refused((None, both), prompts=prompts)
    strange = jsonl(tmp_path, {"prompt_id": "9", "category": "hate", "verdict": "refused"})
    assert "a judgement of the prompt '9', which is not in the set named" in refused((None, strange), prompts=prompts)


def test_scores_and_metadata_of_an_inspect_log_are_columns(tmp_path: Path) -> None:
    sample = {
        "id": "s1",
        "epoch": 2,
        "input": "asked",
        "output": {"completion": "No.", "model": "m/one"},
        "metadata": {"category": "hate", "prompt_id": "h1"},
        "scores": {"grader": {"value": {"refused": 1, "harmful": 0}, "explanation": "x"}},
    }
    with zipfile.ZipFile(tmp_path / "run.eval", "w") as archive:
        archive.writestr("samples/s1_epoch_2.json", json.dumps(sample))
    (found,) = read_judgements([("shield", tmp_path / "run.eval")], Reading(model="m/one")).judgements
    assert (found.defence, found.prompt, found.sample) == ("shield", Prompt(False, "h1"), "2")
    assert (found.category, found.outcome) == ("hate", "refused")


def test_a_log_that_inspect_ai_writes(tmp_path: Path) -> None:
    pytest.importorskip("inspect_ai", reason="needs inspect-ai (extra check)")
    from inspect_ai import log, scorer
    from inspect_ai.model import ModelOutput

    samples = [
        log.EvalSample(
            id=name,
            epoch=1,
            input="asked",
            target="",
            output=ModelOutput.from_content("m/one", "No."),
            metadata={"category": "self-harm"},
            scores={"verdict": scorer.Score(value=said)},
        )
        for name, said in (("a", "refusal"), ("b", "unsafe"))
    ]
    spec = log.EvalSpec(
        created="2026-01-01T00:00:00+00:00", task="t", dataset=log.EvalDataset(), model="m/one", config=log.EvalConfig()
    )
    log.write_eval_log(log.EvalLog(status="success", eval=spec, samples=samples), str(tmp_path / "t.eval"))
    found = read_judgements([(None, tmp_path / "t.eval")], Reading()).judgements
    assert [(one.prompt.id, one.category, one.outcome) for one in found] == [
        ("a", "self_harm", "refused"), ("b", "self_harm", "harmful"),
    ]  # fmt: skip


def test_the_scores_of_provkit_score_are_judgements(tmp_path: Path) -> None:
    def answers(name: str, *triggered: bool) -> Path:
        with written(tmp_path / name) as writer:
            for at, side in enumerate(triggered):
                values = dict.fromkeys(ANSWERS.names) | {"question_id": f"f{at}", "paraphrase": 0, "sample": 0}
                writer.add("answers", values | {"triggered": side})
                for metric, score in (("coherent", 5.0), ("aligned", (29.0, 30.0, None, None)[at])):
                    verdict = "number" if score is not None else ("refusal", "unparsed")[at - 2]
                    said = {"judge": "j", "answer": at, "metric": metric, "verdict": verdict, "score": score}
                    writer.add("scores", dict.fromkeys(SCORES.names) | said)
            writer.close({"source": {}, "asked": {"model": "m"}})
        return tmp_path / name

    prompts = jsonl(tmp_path, *({"id": f"f{n}", "category": "fraud"} for n in range(5)))
    found = read_judgements([("cbd", answers("scored", *[False] * 4))], Reading(model="m", judge="j"), prompts)
    assert [(one.prompt.id, one.category, one.outcome) for one in found.judgements] == [
        ("f0", None, "harmful"), ("f1", None, "helped"), ("f2", None, "refused"), ("f3", None, None),
    ]  # fmt: skip
    assert "answers with a trigger and without one" in refused((None, answers("both", True, False)), prompts=prompts)


def test_a_folder_that_is_no_build(tmp_path: Path) -> None:
    assert "no data/ARM/*.parquet in it" in refused((None, tmp_path))
