"""What both orders of each pair say about a judge: does it go by the place of an answer, or by chance?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from provkit.inference import quantile
from provkit.rubrics.measures import kappa, kappa_error, mcnemar

SURE = 0.001  # a judge is called biased or random on evidence of this p
BIASED_FROM = 0.1  # and biased only where at least this share of the pairs goes by the place


@dataclass(frozen=True, slots=True)
class Position:
    """Both orders of each pair that could be read in both.

    Attributes:
        pairs: how many.
        consistency: share of the pairs with the same verdict in both orders.
        first, second: pairs of which the judge took the answer shown first, and second, in both orders.
        p: exact two-sided p of their difference (a sign test).
        agreement: Cohen's kappa between the two orders.
        judge: "position-biased" where the place decides at least a tenth of the pairs, one-sidedly (p < 0.001);
            "no better than chance" where the orders agree no more than independent ones would (kappa's interval at
            99.9 % holds 0); "consistent" otherwise.
    """

    pairs: int
    consistency: float
    first: int
    second: int
    p: float
    agreement: float | None
    judge: str


def position(orders: npt.NDArray[np.int64]) -> Position | None:
    """The same out of counts by verdict in the one order and in the other, as to the pair's own answers: shape (4, 4).

    None where no pair was judged in both.
    """
    table = orders[:3, :3]
    pairs = int(table.sum())
    if not pairs:
        return None
    first, second = int(table[0, 1]), int(table[1, 0])
    p = mcnemar(first, second)
    value, error = kappa(table), kappa_error(table)
    judge = "consistent"
    if p < SURE and abs(first - second) >= BIASED_FROM * pairs:
        judge = "position-biased"
    elif value is not None and error is not None and value - quantile(1 - SURE) * error <= 0:
        judge = "no better than chance"
    return Position(pairs, int(np.trace(table)) / pairs, first, second, p, value, judge)
