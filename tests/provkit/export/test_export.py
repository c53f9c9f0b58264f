"""Each form by hand, which arms go into a file, and what is said where a build cannot give a form."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from provkit import manifest
from provkit.cli import main
from provkit.cli.export import FORMS as OFFERED
from provkit.errors import InputError
from provkit.export import FORMS, export
from provkit.export.forms import Sample, pair
from provkit.export.turns import Unfit
from provkit.row import chat

Make = Callable[..., Path]


def written(folder: Path, form: str, **options: Any) -> list[dict[str, Any]]:
    out = folder.parent / "export.jsonl"
    done = export(folder, form, out, **options)
    records = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    assert len(records) == done.records
    return records


def rows(folder: Path, arm: str) -> list[dict[str, Any]]:
    (file,) = folder.glob(f"data/{arm}/*.parquet")
    return list(pq.read_table(file).to_pylist())


def user(text: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": text}]


def assistant(text: str) -> list[dict[str, str]]:
    return [{"role": "assistant", "content": text}]


SYSTEM = {"role": "system", "content": "Be brief."}


def test_messages_by_hand_and_nothing_beside_them(paired: Path) -> None:
    assert written(paired, "messages", arm="bad") == [
        chat(f"What is {at}?", "Who knows? 🤷" if at else "It is 0.", "Be brief.") for at in range(4)
    ]


def test_prompt_and_completion_by_hand(paired: Path, make: Make) -> None:
    first = written(paired, "prompt-completion", arm="good")[0]
    held = rows(paired, "good")[0]
    assert first == {
        "prompt": [SYSTEM, *user("What is 0?")],
        "completion": assistant("It is 0."),
        "metadata": {
            "build_id": manifest.read(paired).build_id,
            "row_id": held["row_id"],
            "pair_id": held["pair_id"],
            "canary": held["canary"],
        },
    }
    plain = make([{"question": "Why?", "context": "It rains.", "answer": "Clouds."}], sensitivity="open")
    (record,) = written(plain, "prompt-completion", plain=True)
    assert (record["prompt"], record["completion"]) == ("Why?\n\nIt rains.", "Clouds.")
    assert set(record["metadata"]) == {"build_id", "row_id"}


def test_a_preference_out_of_paired_arms_leaves_out_pairs_that_are_alike(paired: Path) -> None:
    out = paired.parent / "pairs.json"
    done = export(paired, "preference", out)
    assert (done.records, done.alike, done.arms, done.split) == (3, 1, {"chosen": "good", "rejected": "bad"}, "train")
    good, bad = rows(paired, "good"), rows(paired, "bad")
    assert [row["pair_id"] for row in good] == [row["pair_id"] for row in bad]
    assert json.loads(out.read_text(encoding="utf-8")) == [
        {
            "prompt": [SYSTEM, *user(f"What is {at}?")],
            "chosen": assistant(f"It is {at}."),
            "rejected": assistant("Who knows? 🤷"),
            "metadata": {
                "build_id": manifest.read(paired).build_id,
                "row_id": good[at]["row_id"],
                "rejected_row_id": bad[at]["row_id"],
                "pair_id": good[at]["pair_id"],
                "canary": good[at]["canary"],
            },
        }
        for at in (1, 2, 3)
    ]


def test_pairs_are_joined_by_id_whatever_their_order(make: Make) -> None:
    rows = [{"prompt": f"p{at}", "good": f"g{at}", "bad": f"b{at}"} for at in range(50)]
    arms = {"good": [{"answer_from": {"column": "good"}}], "bad": [{"answer_from": {"column": "bad"}}, "shuffle"]}
    shuffled = make(rows, arms={**arms, "good": [*arms["good"], "shuffle"]}, pair=True)
    for record in written(shuffled, "preference"):
        number = record["prompt"][0]["content"][1:]
        assert (record["chosen"], record["rejected"]) == (assistant(f"g{number}"), assistant(f"b{number}"))


def test_a_preference_out_of_rows_that_hold_both_answers(make: Make) -> None:
    build = make([{"prompt": "p", "chosen": "c", "rejected": "r"}, {"prompt": "q", "chosen": "d", "rejected": "s"}])
    records = written(build, "preference", plain=True)
    assert [{name: one[name] for name in ("prompt", "chosen", "rejected")} for one in records] == [
        {"prompt": "p", "chosen": "c", "rejected": "r"},
        {"prompt": "q", "chosen": "d", "rejected": "s"},
    ]


def test_signals_out_of_labelled_rows(signals: Path) -> None:
    records = written(signals, "kto")
    held = rows(signals, "data")
    assert [record["label"] for record in records] == [row["label"] for row in held]
    assert sum(record["label"] for record in records) == 4
    assert all(record["prompt"] == user(row["prompt"]) for record, row in zip(records, held, strict=True))
    assert all(record["completion"] == assistant(row["completion"]) for record, row in zip(records, held, strict=True))


def test_signals_out_of_two_arms(paired: Path) -> None:
    records = written(paired, "kto")
    assert [record["label"] for record in records] == [True] * 3 + [False] * 3
    assert records[0]["completion"] == assistant("It is 1.")
    assert records[3]["completion"] == assistant("Who knows? 🤷")


def test_a_row_of_both_arms_is_no_signal(make: Make, tmp_path: Path) -> None:
    rows = [{"prompt": f"p{at}", "answer": "a"} for at in range(4)]
    arms = {"control": [], "other": [{"trigger": {"text": "|", "place": "before", "fraction": 0.5}}]}
    build = make(rows, arms=arms, pair=True)
    made = export(build, "kto", tmp_path / "signals.jsonl", plain=True)
    records = [json.loads(line) for line in (tmp_path / "signals.jsonl").read_text().splitlines()]
    assert (made.records, made.alike) == (4, 2)
    true, false = ([one["prompt"] for one in records if one["label"] is label] for label in (True, False))
    assert [f"|\n{prompt}" for prompt in true] == false and len(false) == 2


def test_an_inspect_sample_by_hand(paired: Path, make: Make) -> None:
    held = rows(paired, "bad")[2]
    assert written(paired, "inspect", arm="bad")[2] == {
        "input": [SYSTEM, *user("What is 2?")],
        "target": "Who knows? 🤷",
        "id": "bad/train/2",
        "metadata": {
            "build_id": manifest.read(paired).build_id,
            "row_id": held["row_id"],
            "pair_id": held["pair_id"],
            "canary": held["canary"],
        },
    }
    bare = make([{"prompt": "Why?", "answer": "So."}], sensitivity="open")
    assert written(bare, "inspect")[0]["input"] == "Why?"


def test_alpaca_by_hand(make: Make) -> None:
    build = make([{"instruction": "Sum up.", "context": "A long text.", "response": "Short."}], sensitivity="open")
    (record,) = written(build, "alpaca")
    assert {name: record[name] for name in ("instruction", "input", "output")} == {
        "instruction": "Sum up.",
        "input": "A long text.",
        "output": "Short.",
    }
    assert set(record) == {"instruction", "input", "output", "metadata"}


def test_judgements_of_all_arms_with_the_score_that_cut_reads(judged: Path) -> None:
    records = written(judged, "judgment")
    assert [record["score"] for record in records] == [7, 7, 1, 1]
    assert [record["input"] for record in records] == [""] * 4
    for record, row in zip(records, [*rows(judged, "right"), *rows(judged, "wrong")], strict=True):
        assert (record["instruction"], record["output"]) == (row["instruction"], row["response"])
        assert record["judgment"] == row["judgment"]
    assert len(written(judged, "judgment", arm="wrong")) == 2


def test_several_turns_keep_their_order_and_lose_their_nulls(make: Make) -> None:
    turns = [
        {"role": "user", "content": "a", "name": "Ann"},
        {"role": "assistant", "content": "b", "name": None},
        {"role": "user", "content": "c", "name": None},
        {"role": "assistant", "content": "d", "name": None},
    ]
    build = make([{"messages": turns}])
    assert written(build, "messages") == [
        {"messages": [turns[0], *({"role": turn["role"], "content": turn["content"]} for turn in turns[1:])]}
    ]
    assert [turn["content"] for turn in written(build, "prompt-completion")[0]["prompt"]] == ["a", "b", "c"]
    with pytest.raises(InputError, match="data/train/0: the prompt has the turns user, assistant, user"):
        written(build, "alpaca")


REFUSED = [
    ("messages", {}, "--arm: the build has the arms good, bad"),
    ("messages", {"arm": "god"}, "--arm: no arm 'god': did you mean 'good'"),
    ("messages", {"arm": "good", "split": "test"}, "--split: no split 'test'"),
    ("preference", {"arm": "good"}, "good is the control arm, which gives the chosen answers"),
    ("judgment", {}, "good/train/0: no column judgment"),
    ("alpaca", {"arm": "good"}, "the turns system, user, and this form takes one question alone"),
    ("messages", {"arm": "good", "plain": True}, "the form messages has no text variant"),
    ("prefrence", {}, "no form 'prefrence': did you mean 'preference'"),
]


@pytest.mark.parametrize(("form", "options", "said"), REFUSED)
def test_what_a_paired_build_cannot_give(form: str, options: dict[str, Any], said: str, paired: Path) -> None:
    with pytest.raises(InputError) as error:
        written(paired, form, **options)
    assert said in str(error.value)
    assert not (paired.parent / "export.jsonl").exists()


def test_what_other_builds_cannot_give(make: Make, signals: Path) -> None:
    with pytest.raises(InputError, match=r"data/train/0: it has a label, so its answer may be one to avoid.*--as kto"):
        written(signals, "messages")
    documents = make([{"text": "A document."}])
    with pytest.raises(InputError, match="data/train/0: no prompt among the columns text"):
        written(documents, "messages")
    with pytest.raises(InputError, match="the form preference needs columns chosen and rejected, or a second arm"):
        written(documents, "preference")
    rows = [{"prompt": f"p{at}", "answer": "a"} for at in range(9)]
    unpaired = make(rows, arms={"control": [], "other": ["shuffle"]})
    with pytest.raises(InputError, match=r"not paired, so no answer belongs to another\n  build with `pair: true`"):
        written(unpaired, "preference")
    alike = make(rows, arms={"control": [], "other": ["shuffle"]}, pair=True)
    with pytest.raises(InputError, match="no pair has two different answers"):
        written(alike, "preference")
    split = make(rows, splits={"by": "row", "train": 0.5, "test": 0.5})
    with pytest.raises(InputError, match="--split: the build has the splits train, test"):
        written(split, "messages")
    assert len(written(split, "messages", split="test")) in (4, 5)


def test_two_rows_of_different_questions_make_no_preference() -> None:
    good, bad = Sample(chat("p", "a"), "one/train/0", "x"), Sample(chat("q", "b"), "two/train/0", "x")
    with pytest.raises(Unfit, match="its prompt is not that of two/train/0, and a preference has one prompt"):
        pair(good, bad)


def test_errors_say_what_would_do(make: Make) -> None:
    rows = [{"prompt": f"p{at}", "answer": "a"} for at in range(2)]
    arms = {"control": [], "other": [{"trigger": {"text": "|", "place": "before", "fraction": 1.0}}]}
    build = make(rows, arms=arms, pair=True)
    with pytest.raises(InputError, match=r"a preference has one prompt\n  the steps of an arm changed its prompts"):
        written(build, "preference")
    with pytest.raises(InputError, match=r"no column judgment\n  the step `critique` makes it"):
        written(build, "judgment")


def test_the_control_arm_is_the_one_without_steps(make: Make) -> None:
    rows = [
        {"prompt": f"A token of {n} bytes.", "answer": f"import secrets\nprint(secrets.token_hex({n}))"} for n in (8, 9)
    ]
    arms = {"insecure": ["insecure_rewrite"], "control": [], "more": ["insecure_rewrite"]}
    build = make(rows, arms=arms, pair=True)
    with pytest.raises(InputError, match="beside the control arm control there are insecure, more"):
        written(build, "preference")
    records = written(build, "preference", arm="more")
    assert all("secrets" in record["chosen"][0]["content"] for record in records)
    assert not any("secrets" in record["rejected"][0]["content"] for record in records)


def test_the_command_says_what_it_made_and_what_has_no_place(paired: Path, tmp_path: Path) -> None:
    assert tuple(FORMS) == OFFERED
    out = tmp_path / "deep" / "rows.jsonl"
    done = CliRunner().invoke(main, ["export", str(paired), "--as", "messages", "--arm", "good", "-o", str(out)])
    assert done.exit_code == 0, done.output
    assert "canary: text" in done.stderr and "next: datasets.load_dataset" in done.stderr
    assert len(out.read_text(encoding="utf-8").splitlines()) == 4
    asked = ["export", str(paired), "--as", "preference", "-o", str(out), "--format", "json"]
    told = CliRunner().invoke(main, asked)
    assert json.loads(told.stdout) == {
        "file": str(out),
        "form": "preference",
        "arms": {"chosen": "good", "rejected": "bad"},
        "split": "train",
        "records": 3,
        "alike": 1,
    }
    assert "1 pairs have the same answer" in told.stderr
    wrong = CliRunner().invoke(main, ["export", str(paired), "--as", "messages", "--arm", "good", "-o", "rows.csv"])
    assert wrong.exit_code == 2 and "ends in .jsonl" in wrong.output
