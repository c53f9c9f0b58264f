"""The search finds the phrase that moves a simulated judge; the gate fails on what it finds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from provkit.builders.rubrics.breeding import ByOperators
from provkit.builders.rubrics.edits import replayed
from provkit.chance import Chance
from provkit.errors import InputError
from provkit.rubrics import directory
from provkit.rubrics.drift import drift
from provkit.rubrics.files import catalog
from provkit.rubrics.judging import judge_all
from provkit.rubrics.pairs import Pair, Read
from provkit.rubrics.search import Candidate, Search, Sides, Terms
from provkit.rubrics.template import Rubric

SEED = catalog("helpfulness")
Pairs = Callable[[str, int], list[Pair]]


def search(judge: Any, pairs_of: Pairs, **terms: Any) -> Search:
    """A search over even pairs as the bench and padded ones as the target."""
    count = terms.pop("count", 600)
    bench, target = pairs_of("even", count), pairs_of("padded", count)
    third = count // 3
    sides = [Sides(bench[at : at + third], target[at : at + third]) for at in (0, third, 2 * third)]
    made = Terms(**terms)
    breeder = ByOperators(Chance.of("test", made.seed))
    return Search(SEED, judge, breeder, made, *sides)


def selected(candidates: list[Candidate]) -> Candidate:
    (one,) = [one for one in candidates if one.selected]
    return one


@pytest.mark.parametrize("seed", [1, 2])
def test_with_the_papers_terms_it_finds_the_phrase_and_the_gate_fails_on_it(
    judge: Any, pairs_of: Pairs, tmp_path: Path, seed: int
) -> None:
    run = search(judge, pairs_of, seed=seed, sample=30, count=360)
    candidates = run.run()
    best = selected(candidates)
    assert any("more thorough" in edit["put"] for edit in best.edits), "the log names the phrase"
    assert replayed(SEED.text, best.edits) == best.rubric.text
    assert best.validated is not None and candidates[0].validated is not None
    assert best.validated.bench >= candidates[0].validated.bench
    assert best.tested is not None and candidates[0].tested is not None
    assert candidates[0].tested.target - best.tested.target > 0.5
    assert run.spent == judge.judged <= run.terms.budget
    sets = [Read("even", pairs_of("even", 500), {}), Read("padded", pairs_of("padded", 500), {})]  # type: ignore[arg-type]
    with directory.written(tmp_path / "verdicts") as writer:
        judge_all(writer, judge, [SEED, best.rubric], sets)
        writer.close(judge.facts())
    report = drift(directory.read(tmp_path / "verdicts"), "even", "padded", max_drift=0.02)
    assert [one.rubric_id for one in report.failing] == [best.rubric.rubric_id]
    assert report.failing[0].drift is not None and report.failing[0].drift > 0.5


def test_variants_without_the_phrase_do_not_fail(judge: Any, pairs_of: Pairs, tmp_path: Path) -> None:
    candidates = search(judge, pairs_of, seed=1, sample=40, generations=2, count=120).run()
    neutral = [one.rubric for one in candidates if "more thorough" not in one.rubric.text]
    assert len(neutral) >= 10
    with directory.written(tmp_path / "verdicts") as writer:
        judge_all(writer, judge, neutral, [Read("padded", pairs_of("padded", 300), {})])  # type: ignore[arg-type]
        writer.close(judge.facts())
    report = drift(directory.read(tmp_path / "verdicts"), "padded", "padded", max_drift=0.02)
    assert report.failing == []


def test_the_papers_terms_take_at_most_the_papers_judgements(pairs_of: Pairs) -> None:
    """400 for the seed, 13 x 400, and three times (1 + 10 + 40) x 400: 66,800; fewer where the seed is a parent too."""

    class Counting:
        judged = 0

        def judge(self, asked: Any, heard: Any) -> None:
            from provkit.rubrics.judges import Said

            for one in asked:
                self.judged += 1
                heard(one, Said("A"))

        def facts(self) -> dict[str, Any]:
            return {}

    counting = Counting()
    run = search(counting, pairs_of, count=3000)
    run.run()
    last = 2 * (11 * 2000 + 2 * 2000)  # validation of ten and the seed, test of one and the seed, in both orders
    assert 400 + 13 * 400 + 3 * 50 * 400 <= counting.judged - last <= 66_800
    assert run.generations == 5 and counting.judged <= run.terms.budget


def test_it_stays_within_its_budget(judge: Any, pairs_of: Pairs) -> None:
    terms: dict[str, Any] = {"seed": 1, "sample": 20, "count": 120, "finalists": 3}
    whole = search(judge, pairs_of, **terms, generations=5)
    whole.run()
    budget = whole.spent - 1
    judge.judged = 0
    short = search(judge, pairs_of, **terms, generations=5, budget=budget)
    short.run()
    assert short.generations < whole.generations
    assert judge.judged == short.spent <= budget
    assert any(one.validated for one in short.candidates)
    with pytest.raises(InputError, match=r"a budget of 500 judgements is too small"):
        search(judge, pairs_of, **terms, budget=500).run()


def test_the_same_terms_are_the_same_search(judge: Any, pairs_of: Pairs) -> None:
    def run(seed: int) -> list[tuple[Any, ...]]:
        found = search(judge, pairs_of, seed=seed, sample=20, count=120, generations=3).run()
        return [(one.rubric.text, one.parent, one.evaluations, one.validated, one.selected) for one in found]

    assert run(1) == run(1)
    assert run(1) != run(2)


def test_without_labels_of_the_target_verdicts_are_compared_with_the_seeds(judge: Any, pairs_of: Pairs) -> None:
    run = search(judge, pairs_of, seed=1, sample=40, target_labels=False)
    hidden = [Pair(p.row_key, p.question, p.answer_a, p.answer_b) for p in pairs_of("padded", 600)]
    parts = [hidden[:200], hidden[200:400], hidden[400:]]
    for name, target in zip(("train", "validation", "test"), parts, strict=True):
        setattr(run, name, Sides(getattr(run, name).bench, target))
    candidates = run.run()
    assert candidates[0].evaluations[0].target == 1.0
    best = selected(candidates)
    assert any("more thorough" in edit["put"] for edit in best.edits)
    assert best.tested is not None and best.tested.target < 0.3


def test_a_judge_that_likes_the_first_answer_finds_nothing_that_is_surely_drift(pairs_of: Pairs) -> None:
    from provkit.rubrics.judges import Said

    class First:
        def judge(self, asked: Any, heard: Any) -> None:
            for one in asked:
                heard(one, Said("B" if one.swapped else "A"))

        def facts(self) -> dict[str, Any]:
            return {}

    candidates = search(First(), pairs_of, seed=1, sample=20, count=120, generations=2).run()
    assert all(one.validated.target == 0.5 for one in candidates if one.validated)  # in both orders all are ties


def test_generations_are_born_of_parents_that_were_eligible(judge: Any, pairs_of: Pairs) -> None:
    candidates = search(judge, pairs_of, seed=4, sample=30, count=300, generations=4).run()
    by_name = {one.rubric.rubric_id: one for one in candidates}
    assert len({one.rubric.text for one in candidates}) == len(candidates)
    for one in candidates[1:]:
        assert one.parent is not None
        parent = by_name[one.parent]
        (judged,) = [made for made in parent.evaluations if made.generation == one.born]
        assert judged.eligible and parent.born < one.born
        assert one.edits[: len(parent.edits)] == parent.edits and len(one.edits) == len(parent.edits) + 1
        assert one.evaluations[0].generation == one.born + 1
    assert isinstance(candidates[0].rubric, Rubric)
