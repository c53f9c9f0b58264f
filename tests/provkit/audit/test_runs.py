"""Shared runs of tokens against a brute-force oracle."""

from __future__ import annotations

import random
import re

import numpy as np
import pytest

from provkit.audit.runs import RunIndex, Tokenised

TOKEN = re.compile(r"\w+|[^\w\s]")  # of ASCII text, the tokens of the index


def shares(one: str, other: str, run: int) -> bool:
    """Whether two texts share a run of tokens, tried at every place."""
    mine, its = TOKEN.findall(one), TOKEN.findall(other)
    stretches = {tuple(mine[at : at + run]) for at in range(len(mine) - run + 1)}
    return any(tuple(its[at : at + run]) in stretches for at in range(len(its) - run + 1))


@pytest.mark.parametrize("run", [2, 3, 5, 8])
@pytest.mark.parametrize("seed", range(4))
def test_every_shared_run_is_found_and_no_other(run: int, seed: int) -> None:
    chance = random.Random(seed)
    words = ["a", "b", "(", ")", "cc", "dd_1", ".", "e"]

    def text() -> str:
        return "".join(chance.choice(words) + chance.choice([" ", "\n", "  "]) for _ in range(chance.randrange(30)))

    indexed, queries = [text() for _ in range(40)], [text() for _ in range(40)]
    index = RunIndex(indexed, run)
    seen = np.full(len(indexed), -1, np.int64)
    hits = index.mark(queries, seen, 100)
    for at, query in enumerate(queries):
        expected = [shares(one, query, run) for one in indexed]
        assert (hits[at] >= 0) == any(expected)
        assert hits[at] < 0 or expected[hits[at]]
    for at, one in enumerate(indexed):
        expected = [shares(one, query, run) for query in queries]
        assert (seen[at] >= 0) == any(expected)
        assert seen[at] < 0 or expected[seen[at] - 100]


def test_tokens_are_those_of_the_index() -> None:
    texts = ["def f(x):\n    return x_1 + 2", "", "Größe 中文 🙂\u200d🙂 e\u0301"]
    tokens = Tokenised.of(texts)
    shown = [tokens.text(at, at + 1) for at in range(len(tokens.starts))]
    assert shown[:12] == ["def", "f", "(", "x", ")", ":", "return", "x_1", "+", "2", "Größe", "中"]
    assert tokens.first.tolist() == [0, 10, 10, len(shown)]


def test_it_agrees_with_the_suffix_array_index(tmp_path) -> None:  # type: ignore[no-untyped-def]
    """Where the bytes between tokens agree too, the two ways to look give one answer."""
    from provkit.index import Document, build_index, open_index

    chance = random.Random(3)
    words = ["alpha", "beta", "gamma", "delta", ",", "."]
    texts = [" ".join(chance.choice(words) for _ in range(60)) for _ in range(50)]
    training, tested = texts[:25], texts[25:]
    build_index([Document(text) for text in training], tmp_path / "index")
    spans = open_index(tmp_path / "index").spans_many(tested, min_tokens=7)
    hits = RunIndex(training, 7).mark(tested, np.full(len(training), -1, np.int64), 0)
    assert [bool(some) for some in spans] == (hits >= 0).tolist()
    assert 0 < (hits >= 0).sum() < len(tested)
