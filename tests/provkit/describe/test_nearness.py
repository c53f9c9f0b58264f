"""Nearness of training prompts to an evaluation: by hand, against plain sets, and the files that it reads."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provkit.describe import nearness
from provkit.describe.nearness import by_embedding, by_trigrams, read_prompts, summed
from provkit.describe.tokens import Vocabulary
from provkit.errors import InputError


def trigrams(text: str) -> set[tuple[str, ...]]:
    tokens = re.findall(r"\w+|[^\w\s]", text.lower())
    if len(tokens) < 3:
        return {tuple(tokens)} if tokens else set()
    return {tuple(tokens[at : at + 3]) for at in range(len(tokens) - 2)}


def nearest(train: Sequence[str], evaluation: Sequence[str]) -> tuple[list[float], list[int]]:
    words = Vocabulary()
    scores, places = by_trigrams(words.read(train), words.read(evaluation))
    return scores.tolist(), places.tolist()


def test_hand_computed_jaccard() -> None:
    evaluation = ["how do I bake bread", "what is a dog?"]
    train = ["How do I bake cakes", "what is a dog?", "nothing alike here", "dog"]
    # how-do-i, do-i-bake of 3 + 3 - 2 trigrams; the same text; none; one token against whole texts
    assert nearest(train, evaluation) == ([2 / 4, 1.0, 0.0, 0.0], [0, 1, 0, 0])
    assert nearest(["dog", "DOG !"], ["dog", "dog!"]) == ([1.0, 1.0], [0, 1])


@settings(max_examples=100, deadline=None)
@given(st.lists(st.text("ab ", max_size=16), min_size=1, max_size=6), st.lists(st.text("ab ", max_size=16), max_size=5))
def test_jaccard_against_plain_sets(train: list[str], evaluation: list[str]) -> None:
    evaluation = [*evaluation, "a b"]
    expected = []
    for text in train:
        ours = trigrams(text)
        shares = [len(ours & trigrams(one)) / len(ours | trigrams(one)) if ours else 0.0 for one in evaluation]
        expected.append(max(shares))
    assert nearest(train, evaluation)[0] == pytest.approx(expected)


def test_pieces_give_what_the_whole_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    train = [f"w{at % 7} w{at % 5} w{at % 3} end" for at in range(40)]
    evaluation = [f"w{at} w{at} w1 end" for at in range(5)]
    whole = nearest(train, evaluation)
    monkeypatch.setattr(nearness, "CELLS", 12)
    assert nearest(train, evaluation) == whole


def encode(texts: Sequence[str]) -> np.ndarray:
    """Three directions: north, east, and halfway between."""
    known = {"north": (1.0, 0.0), "east": (0.0, 1.0), "north-east": (2**-0.5, 2**-0.5), "south": (-1.0, 0.0)}
    return np.array([known[text] for text in texts], np.float32)


def test_hand_computed_cosines() -> None:
    scores, places = by_embedding(["north", "north-east", "south"], ["east", "north"], encode)
    assert scores == pytest.approx([1.0, 2**-0.5, 0.0], abs=1e-6)
    assert places.tolist() == [1, 0, 0]


def test_a_hand_computed_summary() -> None:
    scores = (np.array([0.0, 0.25, 0.5, 1.0, 1.0]), np.array([0, 0, 1, 2, 0]))
    train = ["a", "b", "Is  it?", "c", "is it?"]
    keys = [f"arm/train/{at}" for at in range(5)]
    found = summed("trigrams", scores, train, keys, ["is it?", "x", "y"])
    assert (found.evaluation, found.mean, found.median, found.most, found.half) == (3, 0.55, 0.5, 1.0, 0.6)
    assert (found.equal, found.pair) == (2, ("arm/train/3", 2))


ROWS = [
    ({"question": "q one"}, ["q one"]),
    ({"messages": [{"role": "user", "content": "u"}, {"role": "assistant", "content": "a"}]}, ["u"]),
    ({"input": "plain", "target": "t"}, ["plain"]),
    ({"input": [{"role": "system", "content": "s"}, {"role": "user", "content": "turn"}], "target": "t"}, ["turn"]),
    ({"id": "x", "paraphrases": ["one way", "another way"], "judge_prompts": {"a": "b"}}, ["one way", "another way"]),
]


@pytest.mark.parametrize(("row", "prompts"), ROWS, ids=[next(iter(row)) for row, _ in ROWS])
def test_evaluation_files_of_several_forms(row: dict[str, object], prompts: list[str], tmp_path: Path) -> None:
    path = tmp_path / "eval.jsonl"
    path.write_text(json.dumps(row) + "\n" + json.dumps(row) + "\n", encoding="utf-8")
    assert read_prompts(path) == prompts


def test_an_evaluation_file_without_prompts_says_which_row(tmp_path: Path) -> None:
    path = tmp_path / "eval.jsonl"
    path.write_text('{"note": "nothing asked"}\n', encoding="utf-8")
    with pytest.raises(InputError, match=r"eval.jsonl: row 0: no prompt among the columns note"):
        read_prompts(path)
    with pytest.raises(InputError, match="there is no such file"):
        read_prompts(tmp_path / "none.jsonl")
