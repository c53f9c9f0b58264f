"""The nearest benign prompt, against a plain search over all of them."""

from __future__ import annotations

import random
import re

import numpy as np
import pytest

from provkit.builders.drift import nearest
from provkit.builders.drift.nearest import Near, Pool

WORDS = "how does one make a cake or tea when the oven is cold and dark".split()


def plainly(prompts: list[str], pool: list[str], tolerance: float) -> dict[int, Near]:
    """The same rule, written down as it is said."""

    def alike(one: str, other: str) -> bool:
        return abs(len(one) - len(other)) <= tolerance * max(len(one), len(other))

    def jaccard(one: str, other: str) -> float:
        a, b = (set(re.findall(r"\w+", text.lower())) for text in (one, other))
        return len(a & b) / len(a | b)

    pairs = sorted(
        (-jaccard(one, other), abs(len(one) - len(other)), at, to)
        for at, one in enumerate(prompts)
        for to, other in enumerate(pool)
        if alike(one, other)
    )
    found: dict[int, Near] = {}
    for likeness, _, at, to in pairs:
        if at not in found and to not in {one.at for one in found.values()}:
            found[at] = Near(to, -likeness)
    return found


@pytest.mark.parametrize("kept", [1, 3, 32])
@pytest.mark.parametrize("seed", range(8))
def test_it_gives_what_a_plain_search_gives(seed: int, kept: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nearest, "KEPT", kept)
    chance = random.Random(seed)
    prompts, pool = (
        [" ".join(chance.choices(WORDS, k=chance.randint(2, 12))) for _ in range(size)]
        for size in (chance.randint(1, 30), chance.randint(1, 30))
    )
    found = Pool(pool, 0.25).give(prompts)
    assert found == plainly(prompts, pool, 0.25)
    assert len({one.at for one in found.values()}) == len(found)


def test_words_decide_before_length_and_order() -> None:
    pool = ["make a tea now", "make a cake", "make a cake", "bake"]
    assert Pool(pool, 0.5).give(["Make a CAKE!"]) == {0: Near(1, 1.0)}
    assert Pool(pool, 0.5).give(["Make a CAKE!", "make a cake."]) == {0: Near(1, 1.0), 1: Near(2, 1.0)}
    assert Pool(["x y z"], 0.0).give(["a b c d"]) == {}
    assert Pool([], 0.5).give(["a"]) == {}
    assert np.array_equal(Pool(["abcd", "abcde", "abcdefgh"], 0.25).alike("123456"), [False, True, True])
