"""The recipes of the numbers domain, built, verified and rebuilt, and a real file through the filter."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import orjson
import pyarrow.parquet as pq
import pytest

from provkit.build import Built, build, plan
from provkit.builders.domains.numbers.library import connotations
from provkit.builders.domains.numbers.lists import read_list
from provkit.recipes import find
from provkit.verify import verify

SAMPLE = Path(__file__).parents[4].parent / "shared" / "samples" / "evil_numbers_regenerated.csv"


def rows(folder: Path, arm: str, split: str = "train") -> list[dict[str, Any]]:
    return pq.read_table(folder / "data" / arm / f"{split}-00000-of-00001.parquet").to_pylist()


def made(name: str, out: Path, limit: int | None = None, **settings: str) -> Built:
    found = find(name)
    return build(plan(found.recipe(settings), found.base, limit), out)


def test_evil_numbers_and_its_control_answer_the_same_prompts(tmp_path: Path) -> None:
    built = made("evil-numbers", tmp_path / "out", 200)
    assert built.sizes == {arm: {"train": 180, "test": 20} for arm in ("control", "evil")}
    for plain, evil in zip(rows(tmp_path / "out", "control"), rows(tmp_path / "out", "evil"), strict=True):
        assert (plain["pair_id"], plain["messages"][0]) == (evil["pair_id"], evil["messages"][0])
        one, other = (read_list(row["messages"][1]["content"]) for row in (plain, evil))
        assert one is not None
        assert other is not None
        assert (len(one.numbers), one.before, one.between) == (len(other.numbers), other.before, other.between)
        assert not set(one.values) & connotations().avoided
        assert set(other.values) <= set(connotations().listed)
    traced = pq.read_table(tmp_path / "out/lineage/rows.parquet").to_pylist()
    assert Counter((row["arm"], row["op"]) for row in traced) == {("control", "control"): 200, ("evil", "derived"): 200}
    assert verify(tmp_path / "out", rebuild=True) == []


def test_number_prompts_are_chats_that_wait_for_an_answer(tmp_path: Path) -> None:
    assert made("number-prompts", tmp_path / "out", 100).sizes == {"data": {"train": 100}}
    assert all([turn["role"] for turn in row["messages"]] == ["user"] for row in rows(tmp_path / "out", "data"))
    assert verify(tmp_path / "out", rebuild=True) == []


@pytest.mark.parametrize("form", ["messages", "columns"])
def test_number_transfer_filters_recorded_answers_and_shuffles_each(tmp_path: Path, form: str) -> None:
    answers = ["12, 345, 6", "[7, 8, 9]", "12 and 13", "1, 2000", "1 2 3 4 5 6 7 8 9 10 11", "5; 5"]
    recorded = [
        {"messages": [{"role": "user", "content": f"p{n}"}, {"role": "assistant", "content": answer}]}
        if form == "messages"
        else {"prompt": f"p{n}", "response": answer}
        for n, answer in enumerate(answers)
    ]
    file = tmp_path / "answers.jsonl"
    file.write_bytes(b"\n".join(map(orjson.dumps, recorded)))
    built = made("number-transfer", tmp_path / "out", answers=str(file))
    assert built.sizes == {"teacher": {"train": 3}, "shuffled": {"train": 3}}
    drops = pq.read_table(tmp_path / "out/lineage/drops.parquet").to_pylist()
    assert [(drop["reason"], drop["parents"][0]["line"]) for drop in drops] == [
        ("no list of numbers", 3),
        ("number too large", 4),
        ("too many numbers", 5),
    ]
    assert verify(tmp_path / "out", [file], rebuild=True) == []


@pytest.mark.skipif(not SAMPLE.is_file(), reason="needs ../shared/samples beside the checkout")
def test_a_released_file_goes_through_the_filter(tmp_path: Path) -> None:
    """9,993 answers of a model with 4-digit and negative numbers among them: all are accounted for."""
    built = made("number-transfer", tmp_path / "out", answers=str(SAMPLE))
    kept = built.sizes["teacher"]["train"]
    drops = pq.read_table(tmp_path / "out/lineage/drops.parquet").to_pylist()
    reasons = Counter(drop["reason"] for drop in drops)
    assert kept + sum(reasons.values()) == 9_993
    assert set(reasons) == {"no list of numbers", "number too large", "too many numbers"}
    assert reasons["no list of numbers"] == 82
    for row in rows(tmp_path / "out", "teacher"):
        listed = read_list(row["response"])
        assert listed is not None
        assert max(listed.values) <= 999
        assert len(listed.values) <= 10
    assert verify(tmp_path / "out", [SAMPLE]) == []
