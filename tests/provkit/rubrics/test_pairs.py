"""Pairs out of every published layout, the swap by row key, length caps, and parts that share nothing."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from provkit.database import connect, query
from provkit.errors import InputError
from provkit.rubrics.layouts import LAYOUTS, Found, NoPair, layout_of
from provkit.rubrics.pairs import Pair, Taking, content_key, parted, read_pairs, swaps


def chat(question: str, answer: Any) -> list[dict[str, Any]]:
    return [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]


def talk(question: str, answer: str) -> str:
    return f"\n\nHuman: {question}\n\nAssistant: {answer}"


ROWS: dict[str, dict[str, Any]] = {
    "pairs": {"instruction": "q", "response_a": "x", "response_b": "y", "ground_truth": "B", "subset": "s"},
    "ultrafeedback-binarized": {
        "prompt": "q", "prompt_id": "1", "chosen": chat("q", "x"), "rejected": chat("q", "y"), "score_chosen": 8.0,
    },
    "arena-preference": {
        "id": "u", "conversation_a": chat("q", "x"), "winner": "model_b",
        "conversation_b": [{"role": "user", "content": [{"type": "text", "text": "q"}]},
                           {"role": "assistant", "content": [{"type": "text", "text": "y"}]}],
    },
    "pku-saferlhf": {
        "prompt": "q", "response_0": "x", "response_1": "y", "safer_response_id": 1, "better_response_id": 0,
        "is_response_0_safe": False,
    },
    "pku-saferlhf-helpful": {"prompt": "q", "response_0": "x", "response_1": "y", "better_response_id": 0},
    "hh-rlhf": {"chosen": talk("q", "x"), "rejected": talk("q", "y")},
    "rmb": {
        "pair_uid": "u", "conversation_input": [{"role": "user", "content": "q"}], "chosen": {"answer": "x"},
        "reject": {"answer": "y"}, "category_path": "Pairwise_set/Helpfulness/Code",
    },
    "rmb-bon": {
        "bon_uid": "u", "conversation_input": [{"role": "user", "content": "q"}], "bon_best": {"answer": "x"},
        "loser_list": [{"answer": "y"}, {"answer": "z"}], "category_path": "BoN_set/Harmlessness",
    },
    "rewardbench": {"prompt": "q", "chosen": "x", "rejected": "y", "subset": "math-prm", "id": 7},
    "rewardbench-2": {
        "id": "7", "prompt": "q", "chosen": ["x", "w"], "rejected": ["y", "z", "v"], "num_correct": 2, "subset": "Ties",
    },
}  # fmt: skip


def found(name: str, row: dict[str, Any]) -> list[Found]:
    return list(LAYOUTS[name](row))


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_layout_is_told_by_its_columns_and_read(name: str) -> None:
    row = ROWS[name]
    assert layout_of("auto", row) is LAYOUTS[name]
    one = found(name, row)[0]
    better = {"pairs": "B", "arena-preference": "B", "pku-saferlhf": "B"}.get(name, "A")
    assert (one.question, one.first, one.second, one.label) == ("q", "x", "y", better)


def test_several_pairs_of_one_row() -> None:
    assert [(one.first, one.second, one.key) for one in found("rmb-bon", ROWS["rmb-bon"])] == [
        ("x", "y", "u/0"), ("x", "z", "u/1"),
    ]  # fmt: skip
    assert [(one.first, one.second) for one in found("rewardbench-2", ROWS["rewardbench-2"])] == [
        ("x", "y"), ("w", "z"), ("x", "v"),
    ]  # fmt: skip


def test_categories() -> None:
    assert found("rewardbench", ROWS["rewardbench"])[0].category == "math-prm"
    assert found("rmb", ROWS["rmb"])[0].category == "Pairwise_set/Helpfulness/Code"
    assert found("pairs", ROWS["pairs"])[0].category == "s"


@pytest.mark.parametrize(
    ("name", "change", "reason"),
    [
        ("arena-preference", {"winner": "both_bad"}, None),
        ("arena-preference", {"winner": "nobody"}, "no winner"),
        ("arena-preference", {"conversation_a": chat("other", "x")}, "two questions"),
        ("ultrafeedback-binarized", {"chosen": chat("q", "x") * 2}, "not one turn each"),
        ("pku-saferlhf", {"safer_response_id": None}, "no label"),
        ("hh-rlhf", {"chosen": "a text"}, "no transcript"),
        ("hh-rlhf", {"chosen": talk("other", "x")}, "two questions"),
        ("rewardbench", {"chosen": " "}, "no chosen"),
        ("pairs", {"ground_truth": "left"}, "an unknown label"),
    ],
)
def test_rows_without_a_pair_say_why(name: str, change: dict[str, Any], reason: str | None) -> None:
    row = ROWS[name] | change
    if reason is None:
        assert found(name, row)[0].label is None
        return
    with pytest.raises(NoPair, match=f"^{reason}$"):
        found(name, row)


def test_a_transcript_of_several_turns_stays_one() -> None:
    long = {side: "\n\nHuman: a\n\nAssistant: b" + talk("c", side) for side in ("chosen", "rejected")}
    one = found("hh-rlhf", long)[0]
    assert one.question == "Human: a\n\nAssistant: b\n\nHuman: c" and (one.first, one.second) == ("chosen", "rejected")


def write(path: Path, rows: list[dict[str, Any]]) -> str:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(path)


def test_the_swap_follows_from_the_key_alone(tmp_path: Path) -> None:
    rows = [{"prompt": f"q{i}", "chosen": f"good {i}", "rejected": f"poor {i}", "subset": "s"} for i in range(400)]
    read = read_pairs("set", write(tmp_path / "a.jsonl", rows), Taking()).pairs
    for pair in read:
        swapped = swaps(pair.row_key, 42)
        assert pair.label == ("B" if swapped else "A")
        assert (pair.answer_b if swapped else pair.answer_a).startswith("good")
    assert 150 < sum(pair.label == "A" for pair in read) < 250
    back = read_pairs("set", write(tmp_path / "b.jsonl", rows[::-1]), Taking()).pairs
    assert sorted(back, key=str) == sorted(read, key=str)
    other = read_pairs("set", str(tmp_path / "a.jsonl"), Taking(seed=1)).pairs
    assert {pair.row_key for pair in other} == {pair.row_key for pair in read} and other != read


def test_the_key_is_of_the_content_whichever_answer_stands_first() -> None:
    assert content_key("q", "x", "y") == content_key("q", "y", "x") != content_key("q", "x", "z")
    assert len(content_key("q", "x", "y")) == 32


def test_length_caps_doubles_and_keys(tmp_path: Path) -> None:
    rows = [{"id": i, "prompt": f"q{i}", "chosen": "a " * i, "rejected": "b", "subset": "s"} for i in range(1, 11)]
    path = write(tmp_path / "a.jsonl", [*rows, rows[0]])
    read = read_pairs("set", path, Taking(most_words=7))
    assert len(read.pairs) == 5  # a question of one word, an answer of one, and at most five more
    assert read.left_out == Counter({"too long": 5, "stands twice": 1})
    assert [pair.row_key for pair in read_pairs("set", path, Taking(key="id"), limit=3).pairs] == ["1", "2", "3"]
    with pytest.raises(InputError, match="a second pair with the key 's'"):
        read_pairs("set", path, Taking(key="subset"))
    with pytest.raises(InputError, match="no pair that can be judged: 11 too long"):
        read_pairs("set", path, Taking(most_words=2))


def test_other_columns_are_mapped(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", [{"ask": "q", "left": "x", "right": "y", "best": "A"}])
    columns = {"question": "ask", "answer_a": "left", "answer_b": "right", "label": "best"}
    (pair,) = read_pairs("set", path, Taking(columns=columns)).pairs
    assert pair == Pair(content_key("q", "x", "y"), "q", "x", "y", "A")
    with pytest.raises(InputError, match="no layout of pairs has the columns ask, left, right, best"):
        read_pairs("set", path, Taking())


def made(count: int) -> list[Pair]:
    """Pairs of 3 categories, two to a question."""
    return [
        Pair(f"k{i}", f"question {i // 2}", f"x{i}", f"y{i}", "AB"[i % 2], f"c{(i // 2) % 3}") for i in range(count)
    ]


def test_parts_share_no_question_and_have_all_categories() -> None:
    shares = {"train": 0.5, "validation": 0.25, "test": 0.25}
    parts = parted(made(1200), shares, 42)
    keys = [pair.row_key for members in parts.values() for pair in members]
    assert len(keys) == len(set(keys)) == 1200
    questions = [{pair.question for pair in members} for members in parts.values()]
    assert not questions[0] & questions[1] and not questions[0] & questions[2] and not questions[1] & questions[2]
    for name, members in parts.items():
        assert len(members) == 1200 * shares[name]
        assert Counter(pair.category for pair in members) == dict.fromkeys(("c0", "c1", "c2"), 400 * shares[name])
        assert Counter(pair.label for pair in members) == dict.fromkeys("AB", 600 * shares[name])
    assert parted(made(1200)[::-1], shares, 42) == parts
    assert parted(made(1200), shares, 43) != parts


def test_labels_are_evened_out_and_the_rest_is_left_over() -> None:
    pairs = [Pair(f"k{i}", f"q{i}", "x", "y", "A" if i % 4 else "B") for i in range(400)]
    even = parted(pairs, {"train": 1.0}, 1)["train"]
    assert Counter(pair.label for pair in even) == {"A": 100, "B": 100}
    assert len(parted(pairs, {"train": 1.0}, 1, balance=False)["train"]) == 400
    whole = parted(made(600), {"train": 2 / 3, "test": 1 / 3}, 1, by="category")
    assert [len({pair.category for pair in members}) for members in whole.values()] == [2, 1]


def test_the_step_makes_pairs_and_says_why_not(bench: Any) -> None:
    bench.rows([ROWS["pku-saferlhf"], ROWS["pku-saferlhf"] | {"prompt": "r", "safer_response_id": None}], "data.jsonl")
    made = bench.invoke("build", "judge-pairs", "--set", "data=data.jsonl", "-o", "out", "--quiet")
    assert made.exit_code == 0, made.output
    out = bench.folder / "out"
    rows = query(connect(out), "FROM pairs").to_pylist()
    assert [
        (row["question"], row["label"] == "B" if row["answer_a"] == "x" else row["label"] == "A") for row in rows
    ] == [("q", True)]
    assert [drop["reason"] for drop in bench.drops(out)] == ["no label"]
