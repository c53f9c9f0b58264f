"""Verdicts of all rubrics beside those of the seed, counted in SQL: what every measure of drift is made of."""

from __future__ import annotations

from dataclasses import dataclass

import duckdb
import numpy as np
import numpy.typing as npt

from provkit.errors import InputError, plain
from provkit.registry import near
from provkit.rubrics.tables import Verdicts

OUTCOMES = ("A", "B", "C", "unparsed")
SCORES = np.array([[1.0, 0.0, 0.5, 0.5], [0.0, 1.0, 0.5, 0.5]])  # by label A, B and outcome

Counts = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Differences:
    """Scores of the labelled pairs under the seed and a rubric: sums over the pairs."""

    pairs: int
    seed_score: float
    score: float
    total: float  # of seed score - score
    squares: float  # of its squares
    lost: int  # pairs that score less than under the seed
    gained: int


@dataclass(frozen=True, slots=True)
class Contrasts:
    """Counts of pairs.

    Attributes:
        rubrics: digests; names: what people call them; seed: the place of the seed among them.
        datasets: the sets of pairs.
        parts: the distinct (dataset, category).
        counts: shape (rubrics, parts, label A, B or none, 4 outcomes under the seed, 4 outcomes).
        both: shape (rubrics, datasets, 4, 4): verdict as shown straight, verdict as shown swapped, of pairs judged both
            ways, as to the pair's own answers.
    """

    rubrics: list[str]
    names: list[str]
    seed: int
    datasets: list[str]
    parts: list[tuple[str, str | None]]
    counts: Counts
    both: Counts

    def categories(self, dataset: str) -> list[str | None]:
        """The categories of a set."""
        return [category for name, category in self.parts if name == dataset]

    def outcomes(self, rubric: int, dataset: str) -> Counts:
        """Pairs by outcome under the seed and under the rubric: shape (4, 4)."""
        table: Counts = self._of(rubric, dataset).sum(axis=0)
        return table

    def differences(self, rubric: int, dataset: str, category: str | bool | None = False) -> Differences:
        """Sums over the labelled pairs of a set, or (where one is given, None too) of one category of it."""
        table = self._of(rubric, dataset, category)[:2]  # (label, seed outcome, outcome)
        before, after = SCORES[:, :, None], SCORES[:, None, :]
        change = before - after
        return Differences(
            int(table.sum()),
            float((table * before).sum()),
            float((table * after).sum()),
            float((table * change).sum()),
            float((table * change * change).sum()),
            int(table[change > 0].sum()),
            int(table[change < 0].sum()),
        )

    def orders(self, rubric: int, dataset: str) -> Counts:
        """Pairs by verdict in the one order and in the other: shape (4, 4)."""
        table: Counts = self.both[rubric, self.datasets.index(dataset)]
        return table

    def _of(self, rubric: int, dataset: str, category: str | bool | None = False) -> Counts:
        chosen = [
            at
            for at, (name, part) in enumerate(self.parts)
            if name == dataset and (category is False or part == category)
        ]
        table: Counts = self.counts[rubric, chosen].sum(axis=0)
        return table


def contrasts(verdicts: Verdicts, seed: str | None = None) -> Contrasts:
    """All counts of the verdicts of one judge.

    Args:
        verdicts: the verdicts.
        seed: name of a rubric, or at least 8 digits of its digest; the one that is marked when None.

    Raises:
        InputError: when there is no such rubric.
    """
    from provkit.database import judgements
    from provkit.sql import objects

    listed = verdicts.rubrics.select(["rubric", "rubric_id", "is_seed"]).to_pylist()
    rubrics, names = [one["rubric"] for one in listed], [one["rubric_id"] for one in listed]
    first = _seed(listed, seed, verdicts.name)
    with duckdb.connect() as connection:
        judgements.register(connection, [verdicts])
        for script in objects():
            if script.name in ("outcome_of.sql", "contrasts.sql", "orders.sql"):
                connection.execute(script.read_text(encoding="utf-8"))
        counted = connection.execute("FROM contrasts(?)", [rubrics[first]]).fetchall()
        ordered = connection.execute("FROM orders()").fetchall()
    datasets = verdicts.datasets
    parts = sorted({(row[2], row[3]) for row in counted}, key=lambda one: (datasets.index(one[0]), one[1] or ""))
    place = {digest: at for at, digest in enumerate(rubrics)}
    counts = np.zeros((len(rubrics), len(parts), 3, 4, 4), np.int64)
    for _, rubric, dataset, category, label, before, after, pairs in counted:
        at = (place[rubric], parts.index((dataset, category)), {"A": 0, "B": 1}.get(label, 2))
        counts[(*at, OUTCOMES.index(before), OUTCOMES.index(after))] += pairs
    both = np.zeros((len(rubrics), len(datasets), 4, 4), np.int64)
    for _, rubric, dataset, straight, swapped, pairs in ordered:
        both[place[rubric], datasets.index(dataset), OUTCOMES.index(straight), OUTCOMES.index(swapped)] += pairs
    return Contrasts(rubrics, names, first, datasets, parts, counts, both)


def _seed(listed: list[dict[str, object]], seed: str | None, file: str) -> int:
    for at, one in enumerate(listed):
        named = seed is not None and (
            one["rubric_id"] == seed or (len(seed) >= 8 and str(one["rubric"]).startswith(seed))
        )
        if named or (seed is None and one["is_seed"]):
            return at
    names = [str(one["rubric_id"]) for one in listed]
    said = "no seed among the rubrics" if seed is None else f"no rubric '{plain(seed, 60)}'{near(seed, names)}"
    raise InputError(said, file=file, field="--seed-rubric", do="name the rubric that the others are compared with")
