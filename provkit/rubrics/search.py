"""The search for rubric variants that keep the bench and move the target, within a budget of judgements."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from provkit.errors import InputError
from provkit.rubrics.judges import Asked, Judge, Said
from provkit.rubrics.pairs import Pair, swaps
from provkit.rubrics.template import Rubric
from provkit.rubrics.verdict import Verdict

BENCH, TARGET = "bench", "target"


@dataclass(frozen=True, slots=True)
class Terms:
    """The terms of a search; the defaults are those of "Rubrics as an Attack Surface" (arXiv 2602.13576).

    Attributes:
        generations: how often a population is judged; the first one is the seed alone.
        sample: fresh training pairs of the bench, and of the target, for each generation.
        tolerance: how far below the seed on the bench a variant may be during the search, and how far above it counts.
        parents: variants that have children; children: of each; first_children: of the seed.
        finalists: variants that are validated.
        budget: judgements in all; a generation that would leave too few for validation and test is not begun.
        target_labels: whether the labels of the target may be used; without them a variant is fit where its verdicts
            differ from the seed's own.
        seed: of samples, orders and edits.
    """

    generations: int = 5
    sample: int = 200
    tolerance: float = 0.05
    parents: int = 10
    children: int = 4
    first_children: int = 12
    finalists: int = 10
    budget: int = 120_000
    target_labels: bool = True
    seed: int = 42


@dataclass(frozen=True, slots=True)
class Sides:
    """The pairs of bench and target of one split."""

    bench: Sequence[Pair]
    target: Sequence[Pair]

    def __len__(self) -> int:
        return len(self.bench) + len(self.target)


@dataclass(frozen=True, slots=True)
class Scores:
    """A rubric on a sample: accuracy on the bench, and on the target its accuracy or, without labels, its agreement
    with the seed's verdicts."""

    bench: float
    target: float


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A candidate in one generation."""

    generation: int
    bench: float
    target: float
    fitness: float
    eligible: bool


@dataclass(slots=True)
class Candidate:
    """A rubric that the search knows: the seed, or a variant with the edits that lead to it from the seed."""

    rubric: Rubric
    parent: str | None
    born: int  # the generation whose children it is one of; 0 for the seed
    edits: list[dict[str, Any]] = field(default_factory=list)
    evaluations: list[Evaluation] = field(default_factory=list)
    validated: Scores | None = None
    tested: Scores | None = None
    selected: bool = False

    @property
    def last(self) -> Evaluation:
        """Its last evaluation."""
        return self.evaluations[-1]


@dataclass(frozen=True, slots=True)
class Judged:
    """One judgement of the search: the pair, the set it is of, and the verdict."""

    dataset: str
    pair: Pair
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Wanted:
    """A child that is wanted: of which parent, the how-manieth, and what the parent's judgements were."""

    parent: Candidate
    number: int
    generation: int
    judged: Sequence[Judged]


class Breeder(Protocol):
    """Makes children."""

    def breed(self, wanted: Sequence[Wanted], known: set[str]) -> list[tuple[Wanted, str, list[dict[str, Any]]]]:
        """Texts that are in none of `known`, each with the edits that were added; those that failed are left out."""


@dataclass(slots=True)
class Search:
    """A search under way.

    Args:
        seed: the rubric that it starts from.
        judge: who judges.
        breeder: who makes children.
        terms: its terms.
        train, validation, test: pairs, none of which stands in two of them.
        progress: called with judgements done, and the budget.
    """

    seed: Rubric
    judge: Judge
    breeder: Breeder
    terms: Terms
    train: Sides
    validation: Sides
    test: Sides
    progress: Callable[[int, int], None] = lambda *_: None
    candidates: list[Candidate] = field(default_factory=list)
    spent: int = 0
    generations: int = 0
    _verdicts: dict[str, list[Judged]] = field(default_factory=dict)
    _seen: dict[str, list[Judged]] = field(default_factory=dict)  # the seed's own, in validation and in test

    def run(self) -> list[Candidate]:
        """All candidates, the seed first; the selected one, if any was compliant, is marked.

        Raises:
            InputError: when the budget does not do for one generation, validation and test.
        """
        first = Candidate(self.seed, None, 0)
        self.candidates = [first]
        population = [first]
        for generation in range(1, self.terms.generations + 1):
            if self._cost(len(population)) + self._reserve() > self.terms.budget - self.spent:
                break
            self._evaluate(population, generation)
            self.generations = generation
            if generation < self.terms.generations:
                parents = [first] if generation == 1 else self._best(population, self.terms.parents)
                children = self._children(parents, generation)
                population = [first, *(one for one in parents if one is not first), *children]
        if not self.generations or len(self.candidates) == 1:
            least = 2 * self._cost(1) + self._reserve()
            do = f"two generations of the seed alone take {least:,}; allow more, or make the samples smaller"
            raise InputError(f"a budget of {self.terms.budget:,} judgements is too small", field="budget", do=do)
        self._select(first)
        return self.candidates

    def _cost(self, rubrics: int) -> int:
        return rubrics * (
            min(self.terms.sample, len(self.train.bench)) + min(self.terms.sample, len(self.train.target))
        )

    def _reserve(self) -> int:
        """What validation and test take, in both orders: finalists and seed, then the selected one and the seed."""
        return 2 * ((self.terms.finalists + 1) * len(self.validation) + 2 * len(self.test))

    def _evaluate(self, population: Sequence[Candidate], generation: int) -> None:
        """Judges a population on a fresh sample; each pair once, in an order that its key decides."""
        sides = ((BENCH, self.train.bench), (TARGET, self.train.target))
        sample = [(name, pair) for name, pairs in sides for pair in self._sample(pairs, generation, name)]
        asked = [
            Asked(one.rubric, name, pair, swaps(pair.row_key, self.terms.seed, "order"))
            for one in population
            for name, pair in sample
        ]
        self._verdicts = {}
        for wanted, said in self._judged(asked):
            judged = Judged(wanted.dataset, wanted.pair, said.verdict)
            self._verdicts.setdefault(wanted.rubric.digest, []).append(judged)
        seed = self._verdicts[self.seed.digest]
        at_seed = self._scores(seed, seed)
        for one in population:
            scores = self._scores(self._verdicts[one.rubric.digest], seed)
            bench = min(scores.bench, at_seed.bench + self.terms.tolerance)
            eligible = scores.bench >= at_seed.bench - self.terms.tolerance - 1e-12
            made = Evaluation(generation, scores.bench, scores.target, bench - scores.target, eligible)
            one.evaluations.append(made)

    def _sample(self, pairs: Sequence[Pair], generation: int, name: str) -> list[Pair]:
        """The pairs of lowest hash under seed and generation."""

        def place(pair: Pair) -> bytes:
            return hashlib.sha256(f"{name}\0{self.terms.seed}\0{generation}\0{pair.row_key}".encode()).digest()

        return sorted(pairs, key=place)[: self.terms.sample]

    def _judged(self, asked: Sequence[Asked]) -> list[tuple[Asked, Said]]:
        found: list[tuple[Asked, Said]] = []

        def heard(one: Asked, said: Said) -> None:
            found.append((one, said))
            self.spent += 1
            if self.spent % 64 == 0 or len(found) == len(asked):
                self.progress(self.spent, self.terms.budget)

        self.judge.judge(asked, heard)
        return found

    def _scores(self, judged: Sequence[Judged], seed: Sequence[Judged]) -> Scores:
        bench = [score(one.verdict, one.pair.label) for one in judged if one.dataset == BENCH]
        if self.terms.target_labels:
            target = [score(one.verdict, one.pair.label) for one in judged if one.dataset == TARGET]
        else:
            both = zip(judged, seed, strict=True)
            target = [float(one.verdict == other.verdict) for one, other in both if one.dataset == TARGET]
        return Scores(mean(bench), mean(target))

    def _best(self, population: Sequence[Candidate], most: int) -> list[Candidate]:
        """The fittest of those that are eligible; of two alike the elder one."""
        eligible = [one for one in population if one.last.eligible]
        return sorted(eligible, key=lambda one: -one.last.fitness)[:most]

    def _children(self, parents: Sequence[Candidate], generation: int) -> list[Candidate]:
        count = self.terms.first_children if generation == 1 else self.terms.children
        wanted = [
            Wanted(parent, number, generation, self._verdicts[parent.rubric.digest])
            for parent in parents
            for number in range(count)
        ]
        known = {one.rubric.text for one in self.candidates}
        children: list[Candidate] = []
        for want, text, edits in self.breeder.breed(wanted, known):
            name = f"{self.seed.rubric_id}-g{generation}-{len(children) + 1:02}"
            edited = [*want.parent.edits, *edits]
            children.append(Candidate(Rubric(name, text), want.parent.rubric.rubric_id, generation, edited))
        self.candidates += children
        return children

    def _select(self, first: Candidate) -> None:
        """Validates the fittest in both orders, and where none of them is compliant and drifts the next fittest, while
        the budget lasts; the compliant one of greatest drift is selected and tested."""
        tried = [one for one in self.candidates if one.evaluations and one is not first]
        ranked = self._best(tried, len(tried))
        compliant: list[Candidate] = []
        for start in range(0, len(ranked), self.terms.finalists):
            wave = ranked[start : start + self.terms.finalists]
            cost = 2 * ((len(wave) + (not start)) * len(self.validation) + 2 * len(self.test))
            if self.spent + cost > self.terms.budget:
                break
            self._both(wave if start else [first, *wave], self.validation, "validated")
            assert first.validated is not None
            seed = first.validated
            compliant += [one for one in wave if one.validated and one.validated.bench >= seed.bench - 1e-12]
            if any(one.validated and one.validated.target < seed.target for one in compliant):
                break
        if not compliant:
            return
        best = min(compliant, key=lambda one: one.validated.target if one.validated else 1.0)
        best.selected = True
        if len(self.test):
            self._both([first, best], self.test, "tested")

    def _both(self, candidates: Sequence[Candidate], sides: Sides, where: str) -> None:
        """Scores in both orders: a verdict counts where both agree, and is a tie otherwise."""
        asked = [
            Asked(one.rubric, name, pair, swapped)
            for one in candidates
            for name, pairs in ((BENCH, sides.bench), (TARGET, sides.target))
            for pair in pairs
            for swapped in (False, True)
        ]
        found = self._judged(asked)
        outcomes: dict[str, list[Judged]] = {}
        for (one, straight), (_, swapped) in zip(found[::2], found[1::2], strict=True):
            verdict = outcome(straight.verdict, swapped.verdict)
            outcomes.setdefault(one.rubric.digest, []).append(Judged(one.dataset, one.pair, verdict))
        self._seen.setdefault(where, outcomes.get(self.seed.digest, []))
        seed = self._seen[where]
        for candidate in candidates:
            setattr(candidate, where, self._scores(outcomes[candidate.rubric.digest], seed))


def score(verdict: Verdict, label: str | None) -> float:
    """1 for the label, 0 for the other answer, half for a tie and for an unparsed verdict."""
    return 0.5 if verdict not in ("A", "B") else float(verdict == label)


def outcome(straight: Verdict, swapped: Verdict) -> Verdict:
    """What both orders of a pair come to, as the SQL function outcome_of."""
    if "unparsed" in (straight, swapped):
        return "unparsed"
    return straight if straight == swapped else "C"


def mean(values: Sequence[float]) -> float:
    """The mean; one half of nothing."""
    return sum(values) / len(values) if values else 0.5
