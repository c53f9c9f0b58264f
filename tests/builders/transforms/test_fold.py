"""Folds: whole categories are held out, each once over the folds, in both arms alike."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from provkit.builders.transforms.fold import Fold


def rows(categories: str) -> list[dict[str, Any]]:
    return [{"prompt": str(at), "answer": "a", "axiom": name} for at, name in enumerate(categories)]


def test_each_category_is_held_out_once(make: Any) -> None:
    data = rows("abcdefgabcdefgabc")
    held: Counter[str] = Counter()
    for number in (1, 2, 3):
        step = {"column": "axiom", "of": 3, "number": number}
        arms = {"train": [{"fold": {**step, "keep": "rest"}}], "test": [{"fold": {**step, "keep": "fold"}}]}
        made = make(data, arms=arms)
        train, test = ({row["axiom"] for row in made.arms[arm]} for arm in ("train", "test"))
        assert not train & test and train | test == set("abcdefg") and len(test) in (2, 3)
        assert sorted(made.sources("train") + made.sources("test")) == list(range(17))
        assert made.sources("train") == sorted(made.sources("train"))
        held.update(test)
        for _, reason, detail in made.reasons():
            name, _, at = detail.partition(" is in fold ")
            assert reason == "other fold" and name in train | test and at.endswith(" of 3")
    assert held == dict.fromkeys("abcdefg", 1)


def test_the_seed_deals(make: Any) -> None:
    step = {"fold": {"column": "axiom", "of": 2, "number": 1, "keep": "fold"}}
    dealt = {
        seed: {row["axiom"] for row in make(rows("abcdefgh"), [step], seed=seed, check=False).rows} for seed in range(6)
    }
    assert all(len(one) == 4 for one in dealt.values()) and len({frozenset(one) for one in dealt.values()}) > 1


def test_rows_without_a_category_are_dropped(make: Any) -> None:
    data = [*rows("ab"), {"prompt": "2", "answer": "a", "axiom": None}]
    made = make(data, [{"fold": {"column": "axiom", "of": 2, "number": 1, "keep": "rest"}}])
    assert (2, "no category", "") in made.reasons() and len(made.rows) == 1


def test_the_category_of_a_note(make: Any) -> None:
    texts = ["a ", " b", "c", " d ", "e "]
    data = [{"prompt": "p", "answer": text} for text in texts]
    step = {"note": "answer", "of": 2, "number": 1}
    arms = {
        "rest": ["whitespace", {"fold": {**step, "keep": "rest"}}],
        "fold": ["whitespace", {"fold": {**step, "keep": "fold"}}],
    }
    made = make(data, arms=arms)
    kinds = {0: "t", 1: "l", 3: "lt", 4: "t"}  # what whitespace noted: trailing, leading, both, trailing
    sides = {arm: {kinds[at] for at in made.sources(arm)} for arm in arms}
    assert not sides["rest"] & sides["fold"] and sides["rest"] | sides["fold"] == {"t", "l", "lt"}
    assert sum(reason == "no category" for _, reason, _ in made.reasons()) == 2  # row 2, in each arm


def test_fields_that_make_no_fold() -> None:
    with pytest.raises(ValueError, match="either `column` or `note`"):
        Fold(of=2, number=1, keep="rest")
    with pytest.raises(ValueError, match="no fold 3 of 2"):
        Fold(column="axiom", of=2, number=3, keep="rest")
