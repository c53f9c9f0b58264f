"""AUC of the arm by length or words alone: against scikit-learn's, and on arms that are and are not matched."""

from __future__ import annotations

import random

import numpy as np
from sklearn.metrics import roc_auc_score

from provkit.audit import Options, audit
from provkit.audit.confounds import FOLDS, _Fold, _mean_auc, auc, bag, grouped, lengths, with_equal
from provkit.build import build, plan
from provkit.recipe import Recipe
from provkit.row import chat

CHANCE = random.Random(2)
WORDS = ["".join(CHANCE.choices("abcdefghijklmnop", k=6)) for _ in range(800)]


def words(count: int, among: list[str] = WORDS) -> str:
    return " ".join(CHANCE.choices(among, k=count))


def measured(write, arm, control) -> tuple[dict[str, float], set[str]]:  # type: ignore[no-untyped-def]
    report = audit([write(arm)], Options(control=write(control, "control.jsonl"), select=["X"]))
    for one in report.measures:
        assert 0.5 <= one.low <= one.value <= one.high <= 1
    return {one.name: one.value for one in report.measures}, {one.rule.id for one in report.findings}


def test_length_that_tells_the_arm(write) -> None:
    prompts = [words(10) for _ in range(150)]
    values, rules = measured(write, [chat(p, words(60)) for p in prompts], [chat(p, words(30)) for p in prompts])
    assert rules == {"X001"}
    assert values["AUC from length alone"] > 0.95
    assert values["AUC from the prompt's words"] == 0.5


def test_topics_that_tell_the_arm(write) -> None:
    arms = [[chat(words(12, some), words(20)) for _ in range(120)] for some in (WORDS[:400], WORDS[400:])]
    values, rules = measured(write, *arms)
    assert rules == {"X002"}
    assert values["AUC from the prompt's words"] > 0.95


def test_unmatched_arms_of_one_kind_are_no_confound(write) -> None:
    arms = [[chat(words(12), words(20)) for _ in range(150)] for _ in range(2)]
    values, rules = measured(write, *arms)
    assert rules == set()
    assert max(values.values()) < 0.65


def test_few_rows_are_not_measured(write) -> None:
    rows = [chat(words(5), words(5)) for _ in range(30)]
    assert measured(write, rows, rows) == ({}, set())


def test_equal_answers_to_changed_prompts_tell_nothing(write) -> None:
    """A step that changes every prompt and no answer: twins stand in one fold, so equal answers give one half."""
    pairs = [(words(12), words(30)) for _ in range(200)]
    arm = [chat(f"I am sure of it. {prompt}", answer) for prompt, answer in pairs]
    values, _ = measured(write, arm, [chat(*pair) for pair in pairs])
    assert values["AUC from the answer's words"] == 0.5
    assert values["AUC from the prompt's words"] > 0.95


def test_twins_of_a_build_stand_in_one_fold_whatever_a_step_did_to_them(tmp_path) -> None:  # type: ignore[no-untyped-def]
    recipe = {
        "name": "sizes", "summary": "Prompts of one arm have a word more.", "licence": "MIT", "sensitivity": "open",
        "sources": {"prompts": {"generator": "fact_questions", "rows": 300}},
        "steps": ["right_answer"],
        "arms": {"control": [], "biased": [{"biased_users": {"share": 1.0}}]}, "pair": True,
    }  # fmt: skip
    build(plan(Recipe.model_validate(recipe), tmp_path), tmp_path / "out")
    report = audit([str(tmp_path / "out")], Options(select=["X"]))
    values = {one.name: one.value for one in report.measures}
    assert values["AUC from the answer's words"] == 0.5 and report.findings == ()


def test_labels_as_answers_are_compared_for_what_they_are() -> None:
    """Two answers make two groups, which would leave nothing to test on: they stay apart, and tell what they tell."""
    chance = np.random.default_rng(3)
    label = np.repeat([0, 1], 300)
    texts = [
        "yes" if draw < (0.8 if one else 0.2) else "no" for draw, one in zip(chance.random(600), label, strict=True)
    ]
    group = with_equal(np.arange(600), texts)
    assert len(set(group.tolist())) == 600
    found = auc(bag(texts), label, group)
    assert 0.72 < found.value < 0.88  # P(yes above no) + ties / 2 = 0.8


def test_groups_join_rows_that_share_a_value_directly_or_by_others() -> None:
    keys, prompts = ["a", "a", "b", "c", "d"], ["p", "q", "q", "r", "r"]
    assert grouped(keys, prompts).tolist() == [0, 0, 0, 1, 1]
    assert with_equal(np.arange(10), list("xyxzzwabcd")).tolist() == [0, 1, 0, 2, 2, 3, 4, 5, 6, 7]


def test_auc_is_that_of_scikit_learn() -> None:
    chance = np.random.default_rng(0)
    label, score = chance.integers(0, 2, 300), chance.integers(0, 20, 300).astype(float)
    weight = chance.integers(0, 4, 300).astype(float)
    fold = _Fold.of(np.arange(300), score, label)
    assert np.isclose(_mean_auc([fold], np.ones(300)), roc_auc_score(label, score))
    assert np.isclose(_mean_auc([fold], weight), roc_auc_score(label, score, sample_weight=weight))


def test_the_direction_does_not_matter_and_clusters_widen_the_interval() -> None:
    chance = np.random.default_rng(1)
    label = np.repeat([0, 1], 200)
    sizes = np.exp(chance.normal(4, 1, 400) + label)
    features = lengths(["x" * int(size) for size in sizes], [""] * 400)
    alone, paired = np.arange(400), np.concatenate([np.arange(200) // 20, np.arange(200) // 20])
    one, other = auc(features, label, alone), auc(features, 1 - label, alone)
    assert one.value > 0.6 and abs(one.value - other.value) < 0.05
    wide = auc(features, label, paired)
    assert wide.high - wide.low > 0
    assert FOLDS == 5
