"""Near duplicates: none dropped below the threshold, the first kept, and nearly all found."""

from __future__ import annotations

import random
import re
from functools import cache
from itertools import combinations
from typing import Any

import numpy as np
import pytest

from provkit.builders.transforms.minhash import Runs, jaccard
from provkit.builders.transforms.near_dedup import first_alike
from provkit.row import chat

WORDS = [f"word{at}" for at in range(400)]


@cache
def shingles(text: str, size: int) -> frozenset[tuple[str, ...]]:
    """Runs of tokens, the plain way; ASCII only."""
    tokens = re.findall(r"\w+|[^\w\s]", text.lower())
    return frozenset(tuple(tokens[at : at + size]) for at in range(max(len(tokens) - size + 1, 1)))


def similarity(one: str, other: str, size: int) -> float:
    mine, its = shingles(one, size), shingles(other, size)
    return len(mine & its) / len(mine | its)


def varied(chance: random.Random, count: int) -> list[str]:
    """Texts of 60 words, half of them made out of an earlier one by changing one to twelve words."""
    texts: list[str] = []
    for at in range(count):
        words = chance.choices(WORDS, k=60)
        if at % 2:
            words = chance.choice(texts).split()
            for place in chance.sample(range(60), chance.randint(1, 12)):
                words[place] = chance.choice(WORDS)
        texts.append(" ".join(words))
    return texts


def test_by_hand(make: Any) -> None:
    rows = [
        {"prompt": "1", "answer": "The cat sat on the mat, and the dog lay by the door."},  # 14 tokens, 12 runs of 3
        {"prompt": "2", "answer": "the  cat sat on the mat,\nand the dog lay by the DOOR."},
        {"prompt": "3", "answer": "The cat sat on the mat, and the dog lay by the wall."},  # 10 runs shared of 14
        {"prompt": "4", "answer": "Something else."},
        {"prompt": "5", "answer": ""},
        {"prompt": "6", "answer": " "},
    ]
    made = make(rows, [{"near_dedup": {"by": "answer", "threshold": 0.7}}])
    assert made.sources() == [0, 3, 4]
    assert made.reasons() == [
        (1, "near-duplicate answer", "like data.jsonl:1, similarity 1"),
        (
            2,
            "near-duplicate answer",
            f"like data.jsonl:1, similarity {similarity(rows[0]['answer'], rows[2]['answer'], 3):.3g}",
        ),
        (5, "near-duplicate answer", "like data.jsonl:5, similarity 1"),
    ]
    made = make(rows, [{"near_dedup": {"by": "answer", "threshold": 0.8}}])
    assert made.sources() == [0, 2, 3, 4]


def test_what_is_compared(make: Any) -> None:
    rows = [
        chat("What is it?", "one two three"),
        chat("What is it?", "four five six"),
        chat("And that?", "one two three"),
    ]
    assert make(rows, [{"near_dedup": {"by": "prompt"}}]).sources() == [0, 2]
    assert make(rows, [{"near_dedup": {"by": "answer"}}]).sources() == [0, 1]
    assert make(rows, ["near_dedup"]).sources() == [0, 1, 2]


@pytest.mark.parametrize(("threshold", "size"), [(0.5, 2), (0.8, 3), (0.9, 1)])
def test_against_every_pair(threshold: float, size: int) -> None:
    texts = varied(random.Random(5), 160)
    twin, likeness = first_alike(Runs.of(texts, size), 128, threshold)
    kept = [at for at in range(len(texts)) if twin[at] < 0]
    for at in range(len(texts)):
        if twin[at] >= 0:
            assert twin[twin[at]] < 0 and twin[at] < at
            assert (
                likeness[at] == pytest.approx(similarity(texts[at], texts[twin[at]], size))
                and likeness[at] >= threshold
            )
    scores = {(a, b): similarity(texts[a], texts[b], size) for a, b in combinations(kept, 2)}
    assert [pair for pair, score in scores.items() if score >= min(threshold + 0.05, 0.999)] == []
    missed = [pair for pair, score in scores.items() if score >= threshold]
    assert len(missed) <= 0.1 * (len(texts) - len(kept)) and len(kept) < len(texts)


def test_similarity_is_that_of_the_sets() -> None:
    chance = random.Random(3)
    texts = varied(chance, 60)
    runs = Runs.of(texts, 3)
    for a, b in combinations(range(60), 2):
        assert jaccard(runs.hashes, runs.begins, a, b) == pytest.approx(similarity(texts[a], texts[b], 3))


def test_signatures_estimate_the_similarity_as_datasketch_does() -> None:
    from datasketch import MinHash

    texts = varied(random.Random(9), 80)
    signed = Runs.of(texts, 3).signatures(512)
    theirs = []
    for text in texts:
        sketch = MinHash(num_perm=512)
        sketch.update_batch(" ".join(run).encode() for run in shingles(text, 3))
        theirs.append(sketch)
    pairs = [(a, b, similarity(texts[a], texts[b], 3)) for a, b in combinations(range(80), 2)]
    near = [(a, b, exact) for a, b, exact in pairs if exact > 0.1]
    assert len(near) > 20
    mine = np.array([(signed[a] == signed[b]).mean() - exact for a, b, exact in near])
    its = np.array([theirs[a].jaccard(theirs[b]) - exact for a, b, exact in near])
    # the standard deviation of an estimate by 512 functions is at most 0.5 / sqrt(512) = 0.022
    assert np.abs(mine).max() < 4.5 * 0.022 and abs(mine.mean()) < 0.01
    assert mine.std() < 1.5 * its.std()


def test_ideographs_and_lone_marks_are_tokens() -> None:
    runs = Runs.of(["你好世界", "你好世间", "!!!", ""], 1)
    assert np.diff(runs.begins).tolist() == [4, 4, 1, 1]
    assert jaccard(runs.hashes, runs.begins, 0, 1) == pytest.approx(3 / 5)


def test_no_text_and_no_rows() -> None:
    twin, _ = first_alike(Runs.of([], 3), 128, 0.8)
    assert len(twin) == 0
    twin, _ = first_alike(Runs.of(["same"] * 1000, 3), 128, 0.8)
    assert twin.tolist() == [-1] + [0] * 999


def test_chains_do_not_spread(make: Any) -> None:
    """b is like a, c is like b but not like a: c stays, since b is gone."""
    words = [f"w{at}" for at in range(40)]
    one, two, three = (" ".join(words[at : at + 34]) for at in (0, 3, 6))  # 32 runs; 29 shared at a shift of 3, 26 at 6
    assert similarity(one, two, 3) == pytest.approx(29 / 35) and similarity(one, three, 3) == pytest.approx(26 / 38)
    made = make(
        [{"prompt": str(at), "answer": text} for at, text in enumerate((one, two, three))],
        [{"near_dedup": {"by": "answer"}}],
    )
    assert made.sources() == [0, 2]
