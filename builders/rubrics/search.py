"""The step `rubric_search`: searches for variants of a rubric that keep the bench and move the target."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from provkit.builders.rubrics.breeding import ByOperators, ByRewrites, rewriting
from provkit.builders.rubrics.operators import OPERATORS, words
from provkit.builders.rubrics.sources import Gathered, gathered, one_rubric
from provkit.chance import Chance
from provkit.errors import InputError
from provkit.llm import Teacher
from provkit.registry import builder, near
from provkit.row import Drop, Row
from provkit.rubrics.judges import EndpointJudge
from provkit.rubrics.pairs import Pair, Taking, parted
from provkit.rubrics.search import Breeder, Candidate, Evaluation, Search, Sides, Terms
from provkit.rubrics.template import Rubric
from provkit.table import Rows

Share = Annotated[float, Field(ge=0, le=1)]
Many = Annotated[int, Field(ge=1)]
PARTS = ("train", "validation", "test")


@builder
class RubricSearch:
    """Runs the search of "Rubrics as an Attack Surface" (arXiv 2602.13576): every rubric that it tried is a row.

    The set holds one rubric and, put `alongside` it, the pairs of the sources `bench` and `target`. Pairs are parted
    into training, validation and test first, by question and with as many labels A as B; a question that stands in both
    sets is used in the bench alone. Each generation judges its population on a fresh training sample, each pair once in
    an order that its key decides; the fittest eligible variants have children. Then the finalists and the seed are
    judged on the validation pairs in both orders, the compliant one of greatest drift is selected, and it and the seed
    are judged on the test pairs. A row says in which generation a variant was born and of which parent, what it scored
    in each generation (`evaluations`), and in validation and test; its note has the edits from the seed on. Lineage
    marks all variants adversarial. What was answered is in the cache: a search that was killed goes on where it was.

    Args:
        children_by: `operators` edits a parent by the library of rubric_edits; `rewrites` has the model write it anew,
            shown 4 target pairs to turn and 2 bench pairs that it got wrong (the paper's way).
        operators: these edit operators alone; all when empty.
        generations: how often a population is judged.
        sample: training pairs of each set, for each generation.
        tolerance: how far below the seed on the bench a variant may be during the search.
        parents: variants that have children.
        children: of each parent; `first_children` of the seed.
        first_children: children of the seed in the first round.
        finalists: variants that are validated.
        budget: judgements in all, test included.
        target_labels: use the labels of the target; without them verdicts are compared with the seed's own.
        train: share of the pairs for the search; `validation` and `test` have theirs.
        validation: share of the pairs for the selection.
        test: share of the pairs for the result.
        layout: how the pairs are laid out.
        most_words: pairs of more words are left out.
    """

    children_by: Literal["operators", "rewrites"] = "operators"
    operators: list[str] = Field(default_factory=list)
    generations: Many = 5
    sample: Many = 200
    tolerance: Share = 0.05
    parents: Many = 10
    children: Many = 4
    first_children: Many = 12
    finalists: Many = 10
    budget: Many = 120_000
    target_labels: bool = True
    train: Share = 0.34
    validation: Share = 0.33
    test: Share = 0.33
    layout: str = "auto"
    most_words: Many | None = None
    asked: ClassVar[bool] = True
    op: ClassVar[str] = "adversarial"

    def __post_init__(self) -> None:
        for name in self.operators:
            if name not in OPERATORS:
                raise ValueError(f"no operator {name!r}{near(name, OPERATORS)}")
        if self.train + self.validation + self.test > 1 + 1e-9:
            raise ValueError("train, validation and test are shares of the pairs: together at most 1")

    @property
    def words(self) -> Any:
        """What the model may be asked with, and what operators put in: another wording is another build."""
        return [dict(rewriting()), dict(words())]

    def ask(self, rows: Rows, teacher: Teacher) -> Callable[[Row], list[Row] | Drop]:
        """The rubrics that were tried, out of the row of the seed; every pair is a drop that names its part.

        Raises:
            InputError: when there is not one rubric, a set has no pairs, or the budget is too small.
        """
        seed = rows.draws[0]
        found = gathered(rows, Taking(self.layout, most_words=self.most_words, seed=seed), "rubric")
        _, rubric = one_rubric(found.rubrics, "rubric")
        sides, places = self._sides(found, seed)
        terms = Terms(
            self.generations,
            self.sample,
            self.tolerance,
            self.parents,
            self.children,
            self.first_children,
            self.finalists,
            self.budget,
            self.target_labels,
            seed,
        )
        chance = Chance.of("rubric search", seed, rubric.digest)
        breeder: Breeder = ByRewrites(teacher, chance)
        if self.children_by == "operators":
            breeder = ByOperators(chance, self.operators)
        train, validation, test = sides
        search = Search(rubric, EndpointJudge(teacher), breeder, terms, train, validation, test, teacher.progress)
        candidates = search.run()

        def act(row: Row) -> list[Row] | Drop:
            if row.at in found.rubrics:
                return [row, *(_row(row, one, candidates[0], rubric) for one in candidates[1:])]
            if row.at in found.odd:
                return Drop("no pair", found.odd[row.at])
            return Drop("judged with", ", ".join(places.get(row.at, ["left over by the even parts"])))

        return act

    def _sides(self, found: Gathered, seed: int) -> tuple[list[Sides], dict[int, list[str]]]:
        """The pairs of each part, and for each row which parts its pairs are in."""
        shares = dict(zip(PARTS, (self.train, self.validation, self.test), strict=True))
        parts: dict[str, dict[str, list[Pair]]] = {}
        questions: set[str] = set()
        places: dict[int, list[str]] = {}
        for name in ("bench", "target"):
            held = found.pairs.get(name, {})
            keyed = {one.row_key: one for pairs in held.values() for one in pairs}
            pairs = [one for one in keyed.values() if one.question not in questions]
            questions |= {one.question for one in pairs}
            split = parted(pairs, shares, seed, balance=name == "bench" or self.target_labels)
            if not split["train"] or not split["validation"]:
                do = "it needs labelled pairs, A and B, with questions that the other set does not have"
                raise InputError(f"no pairs for training and validation, out of {len(pairs):,}", field=name, do=do)
            parts[name] = split
            part_of = {pair.row_key: part for part, members in split.items() for pair in members}
            for at, members in held.items():
                named = [f"{name} {part_of[one.row_key]}" for one in members if one.row_key in part_of]
                if named:
                    places[at] = named
        return [Sides(parts["bench"][part], parts["target"][part]) for part in PARTS], places


def _row(row: Row, one: Candidate, first: Candidate, seed: Rubric) -> Row:
    """The row of a variant."""
    before = {made.generation: made for made in first.evaluations}
    made: dict[str, Any] = {
        "prompt_id": one.rubric.rubric_id,
        "prompt": one.rubric.text,
        "parent_id": one.parent,
        "generation": one.born,
        "selected": one.selected,
        "evaluations": [_evaluation(evaluation, before[evaluation.generation]) for evaluation in one.evaluations],
    }
    for name in ("validated", "tested"):
        scores, at_seed = getattr(one, name), getattr(first, name)
        both = None
        if scores is not None and at_seed is not None:
            both = {"bench": scores.bench, "target": scores.target}
            both |= {"seed_bench": at_seed.bench, "seed_target": at_seed.target}
        made[name] = both
    return row.derive(made, note={"edits": one.edits, "seed": seed.digest})


def _evaluation(one: Evaluation, seed: Evaluation) -> dict[str, Any]:
    return {
        "generation": one.generation,
        "bench": one.bench,
        "target": one.target,
        "fitness": one.fitness,
        "eligible": one.eligible,
        "seed_bench": seed.bench,
        "seed_target": seed.target,
    }
