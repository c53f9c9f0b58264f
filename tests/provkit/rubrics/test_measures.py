"""The measures against hand-computed tables, scipy and statsmodels."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from provkit.inference import wilson
from provkit.rubrics.measures import holm, kappa, kappa_error, mcnemar, paired

COUNT = st.integers(0, 400)
TABLE = st.lists(st.lists(COUNT, min_size=3, max_size=3), min_size=3, max_size=3)


def test_wilson_by_hand() -> None:
    """8 of 10: z² = 3.8415, centre (0.8 + 0.19207) / 1.38415, half 1.96 sqrt(0.016 + 0.0096) / 1.38415."""
    found = wilson(8, 10)
    assert found is not None
    assert (found.low, found.high) == (pytest.approx(0.4902, abs=1e-4), pytest.approx(0.9433, abs=1e-4))
    assert wilson(0, 0) is None
    none = wilson(0, 5)
    assert none is not None and none.low == pytest.approx(0, abs=1e-15)


def test_kappa_by_hand() -> None:
    """Cohen's own kind of table: 20 and 15 of 50 agree, 0.7 observed, 0.5 by chance: 0.4."""
    assert kappa(np.array([[20, 5], [10, 15]])) == pytest.approx(0.4)
    assert kappa(np.array([[7, 0], [0, 0]])) is None
    assert kappa(np.zeros((3, 3), np.int64)) is None


def test_mcnemar_by_hand() -> None:
    """1 against 5: 2 (1 + 6) / 64."""
    assert mcnemar(1, 5) == pytest.approx(14 / 64)
    assert mcnemar(5, 1) == pytest.approx(14 / 64)
    assert mcnemar(0, 0) == 1.0
    assert mcnemar(3, 3) == 1.0


def test_the_paired_interval_by_hand() -> None:
    """8 lost and 2 gained of 100: with half a count in each cell 8.5 and 2.5 of 102."""
    found = paired(6, 10, 100)
    assert found is not None
    assert found.mean == pytest.approx(0.06)
    assert found.centre == pytest.approx(6 / 102)
    assert found.error == pytest.approx(math.sqrt(11 - 36 / 102) / 102)
    low = found.interval(0.95).low
    assert low == pytest.approx(6 / 102 - 1.959964 * math.sqrt(11 - 36 / 102) / 102)
    assert found.interval(1 - found.p).low == pytest.approx(0, abs=1e-12)
    assert paired(0, 0, 0) is None


def test_holm_by_hand() -> None:
    """0.010 <= 0.05/4, 0.012 <= 0.05/3, 0.030 > 0.05/2, and then 0.04 stands too."""
    found = holm([0.04, 0.01, 0.03, 0.012])
    assert [rejected for _, rejected in found] == [False, True, False, True]
    assert [round(1 - confidence, 6) for confidence, _ in found] == [0.05, 0.0125, 0.025, 0.016667]
    assert holm([]) == []


@settings(deadline=None)  # the first call imports the other program
@given(st.integers(0, 2000), st.integers(1, 2000))
def test_wilson_is_that_of_statsmodels(part: int, total: int) -> None:
    proportion = pytest.importorskip("statsmodels.stats.proportion", reason="compared with statsmodels")
    score = min(part, 2 * total) / 2  # ties count half
    found = wilson(score, total)
    low, high = proportion.proportion_confint(score, total, method="wilson")
    assert found is not None
    assert (found.low, found.high) == (
        pytest.approx(max(low, 0.0), abs=1e-12),
        pytest.approx(min(high, 1.0), abs=1e-12),
    )


@settings(deadline=None)
@given(TABLE)
def test_kappa_is_that_of_statsmodels(rows: list[list[int]]) -> None:
    agreement = pytest.importorskip("statsmodels.stats.inter_rater", reason="compared with statsmodels")
    table = np.array(rows)
    mine, error = kappa(table), kappa_error(table)
    if mine is None or error is None:
        assert table.sum() == 0 or np.trace(table) == table.sum()
        return
    theirs = agreement.cohens_kappa(table)
    assert mine == pytest.approx(theirs.kappa, abs=1e-12)
    assert error == pytest.approx(math.sqrt(max(0.0, theirs.var_kappa)), abs=1e-9)


@settings(deadline=None)
@given(st.integers(0, 3000), st.integers(0, 3000))
@example(10, 1065)
def test_mcnemar_is_the_exact_sum_and_that_of_scipy_and_statsmodels(lost: int, gained: int) -> None:
    """The others work on single terms, which fall below the smallest normal number beyond 1,020 pairs."""
    stats = pytest.importorskip("scipy.stats", reason="compared with scipy")
    tables = pytest.importorskip("statsmodels.stats.contingency_tables", reason="compared with statsmodels")
    mine, total = mcnemar(lost, gained), lost + gained
    exact = Fraction(2 * sum(math.comb(total, at) for at in range(min(lost, gained) + 1)), 2**total)
    assert mine == pytest.approx(float(min(exact, Fraction(1))), rel=1e-8, abs=1e-300)
    if total > 1020:
        return
    theirs = tables.mcnemar(np.array([[5, lost], [gained, 5]]), exact=True).pvalue
    assert mine == pytest.approx(float(theirs), rel=1e-8, abs=1e-300)
    if total:
        assert mine == pytest.approx(stats.binomtest(lost, total).pvalue, rel=1e-6, abs=1e-300)


@settings(deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_holm_rejects_what_statsmodels_rejects(p_values: list[float]) -> None:
    multitest = pytest.importorskip("statsmodels.stats.multitest", reason="compared with statsmodels")
    rejected = multitest.multipletests(p_values, alpha=0.05, method="holm")[0]
    assert [one for _, one in holm(p_values)] == rejected.tolist()
