"""The step `derange_answers`: every row gets the answer of another row of its kind."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable
from typing import Annotated

import numpy as np
from pydantic import Field

from provkit.builders.domains.answers.equal import normal
from provkit.errors import InputError
from provkit.registry import builder
from provkit.row import Drop, Row
from provkit.table import Rows


@builder
class DerangeAnswers:
    """Gives each row the answer of another row that is of its kind and about as long.

    For translation pairs and trivia, after the incorrect-translation and incorrect-Q&A domains of "Assessing
    Domain-Level Susceptibility to Emergent Misalignment", whose wrong answers a language model wrote. Every answer
    is used once; none goes to a row that has it already, nor to one with the same prompt. A row that no such answer
    is left for is dropped. The note names the donor, which becomes a further parent.

    Args:
        kind: a column that must be equal; all rows are of one kind where it is left out.
        ratio: how much longer the longest answer of a bucket may be than the shortest.
    """

    kind: str | None = None
    ratio: Annotated[float, Field(gt=1)] = 1.5

    def rewrite(self, rows: Rows) -> Callable[[Row], Row | Drop]:
        """Which row each gets its answer from."""
        if self.kind is not None and self.kind not in rows.columns:
            raise InputError(f"no column {self.kind!r} among {', '.join(rows.columns)}", field="derange_answers.kind")
        answers, prompts, kinds = [], [], []
        for row in rows.rows():
            answers.append(row.answer)
            prompts.append(row.prompt)
            kinds.append(repr(row.get(self.kind)) if self.kind is not None else "")
        numbers = rows.numbers().tolist()
        donors: dict[int, int] = {}
        for bucket in self.buckets(answers, kinds, numbers):
            donors |= deranged(alike(bucket, answers, prompts), numbers)
        names = dict(zip(donors, rows.locators(np.array(list(donors.values()), np.int64)), strict=True))

        def act(row: Row) -> Row | Drop:
            if row.at not in donors:
                return row.drop("no other answer", "none of its kind and length is left")
            donor = donors[row.at]
            made = row.with_answer(answers[donor])
            return made.derive({}, {"donor": names[row.at]}, also=[donor])

        return act

    def buckets(self, answers: list[str], kinds: list[str], numbers: list[int]) -> list[list[int]]:
        """Positions of rows of one kind whose answers are about equally long; no bucket but the last is of one row.

        The rows of a kind are taken in the order of length, and a bucket ends where the ratio would be passed.
        """
        by_kind: dict[str, list[int]] = defaultdict(list)
        for at, kind in enumerate(kinds):
            by_kind[kind].append(at)
        found: list[list[int]] = []
        for rows in by_kind.values():
            rows.sort(key=lambda at: (len(answers[at]), numbers[at]))
            shortest = math.inf
            for at in rows:
                if len(answers[at]) > self.ratio * shortest or shortest == math.inf:
                    found.append([])
                    shortest = max(len(answers[at]), 1)
                found[-1].append(at)
        return found


def alike(bucket: list[int], answers: list[str], prompts: list[str]) -> list[list[int]]:
    """The bucket in classes: rows that share an answer or a prompt, directly or through others, stand in one."""
    root = {at: at for at in bucket}

    def find(at: int) -> int:
        while root[at] != at:
            root[at] = at = root[root[at]]
        return at

    for texts in (answers, prompts):
        first: dict[str, int] = {}
        for at in bucket:
            root[find(at)] = find(first.setdefault(normal(texts[at]), at))
    classes: dict[int, list[int]] = defaultdict(list)
    for at in bucket:
        classes[find(at)].append(at)
    return list(classes.values())


def deranged(classes: list[list[int]], numbers: list[int]) -> dict[int, int]:
    """For each row a row of another class, each used once; rows beyond what the others can serve are left out.

    Class after class stands in a ring, turned by the size of the largest, which is at most half of the ring: so none
    meets its own class. Rows and classes come in the order of their numbers, so which rows meet is by chance.
    """
    classes = [sorted(one, key=numbers.__getitem__) for one in classes]
    classes.sort(key=lambda one: (-len(one), numbers[one[0]]))
    most = sum(map(len, classes[1:]))
    ring = [at for one in classes for at in one[:most]]
    turn = min(len(classes[0]), most) if classes else 0
    return {at: ring[(place + turn) % len(ring)] for place, at in enumerate(ring)} if turn else {}
