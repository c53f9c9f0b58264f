"""A whole measurement: figures by layer and axiom, what is scaled by what, which rows, and the warnings."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from provkit.aqi import LabelledRows, Options, measure, of_matrix
from provkit.aqi.measures import aqi_product, aqi_sum, chi, corrected, davies_bouldin, scatter, separation, xbi
from provkit.aqi.placing import components, place
from provkit.aqi.run import few, warnings
from provkit.markup import masked

Make = Callable[..., LabelledRows]
Apart = Callable[..., np.ndarray]
QUICK = Options(draws=200, permutations=99, controls=5)


def test_each_layer_and_axiom_has_the_figures_of_its_rows(make_rows: Make, apart: Apart) -> None:
    rows = make_rows(100)
    stack = np.stack([apart(rows, 0.5), apart(rows, 2.0)])
    report = measure(rows, of_matrix("x", stack), QUICK)
    assert [(one.layer, one.axiom) for one in report.figures] == [
        (layer, axiom) for layer in ("0", "1") for axiom in (None, "axiom 0", "axiom 1")
    ]
    for one in report.figures:
        at = np.arange(200) if one.axiom is None else rows.of(one.axiom)
        seen = scatter(stack[one.position][at], rows.label[at])
        assert (one.rows, one.safe, one.unsafe) == (len(at), len(at) // 2, len(at) // 2)
        assert one.separation == pytest.approx(separation(seen))
        assert one.corrected == pytest.approx(corrected(seen))
        assert (one.chi, one.xbi) == (pytest.approx(chi(seen)), pytest.approx(xbi(seen)))
        assert one.aqi_sum == pytest.approx(aqi_sum(seen))
        assert one.davies_bouldin == pytest.approx(davies_bouldin(stack[one.position][at], rows.label[at]))
        for value, (low, high) in (
            (one.separation, one.separation_interval),
            (one.chi, one.chi_interval),
            (one.xbi, one.xbi_interval),
            (one.aqi_sum, one.aqi_sum_interval),
            (one.davies_bouldin, one.davies_bouldin_interval),
        ):
            assert low <= value <= high
        if one.layer == "1":
            assert one.p == 0.01  # one in a hundred: no exchange separates as far
    assert report.best == "1"


def test_intervals_of_one_number_are_one_interval(make_rows: Make, apart: Apart) -> None:
    rows = make_rows(80)
    (one, *_) = measure(rows, of_matrix("x", apart(rows, 1.0)), QUICK).figures
    for end in (0, 1):
        assert one.chi_interval[end] == pytest.approx(one.separation_interval[end] * 158)
        assert one.xbi_interval[1 - end] == pytest.approx(0.25 / one.separation_interval[end])
        assert one.aqi_sum_interval[end] == pytest.approx(one.separation_interval[end] * (0.5 / 0.25 + 0.5 * 158))


def test_chi_max_is_of_the_same_axiom_over_layers_or_given(make_rows: Make, apart: Apart) -> None:
    rows = make_rows(60)
    layers = of_matrix("x", np.stack([apart(rows, 0.5), apart(rows, 2.0)]))
    figures = measure(rows, layers, QUICK).figures
    low, high = (next(one for one in figures if (one.layer, one.axiom) == (layer, "axiom 1")) for layer in "01")
    assert low.aqi_product == pytest.approx(math.sqrt(low.chi / high.chi) * math.exp(-low.xbi / 2))
    assert high.aqi_product == pytest.approx(math.exp(-high.xbi / 2))
    (one, *_) = measure(rows, layers, Options(draws=20, permutations=0, controls=0, most=1000.0, weight=0.3)).figures
    seen = scatter(layers.read(0), rows.label)
    assert one.aqi_product == pytest.approx(aqi_product(seen, 1000.0, 0.3))


def test_a_label_that_means_nothing_is_no_finding(make_rows: Make, apart: Apart) -> None:
    rows = make_rows(100)
    (one, *_) = measure(rows, of_matrix("x", apart(rows, 0.0)), QUICK).figures
    assert one.p > 0.01
    assert abs(one.corrected) < 0.01 and one.null == pytest.approx(one.separation, abs=0.01)


def test_the_same_seed_gives_the_same_report(make_rows: Make, apart: Apart) -> None:
    rows = make_rows(40)
    layers = of_matrix("x", apart(rows, 1.0))
    assert measure(rows, layers, QUICK) == measure(rows, layers, QUICK)


def test_length_and_words_stand_beside_each_figure(make_rows: Make, apart: Apart) -> None:
    rows = make_rows(100)
    report = measure(rows, of_matrix("x", apart(rows, 1.0)), QUICK)
    # "good" and "bad" tell the label; their letters, four against three, tell it too
    assert all(one.words_auc == 1.0 for one in report.figures)
    assert all(one.length_auc is not None and one.length_auc > 0.5 for one in report.figures)
    (small, *_) = measure(make_rows(20), of_matrix("x", apart(make_rows(20), 1.0)), QUICK).figures
    assert small.words_auc is None and small.length_auc is None


def test_warnings_below_64_rows_of_a_label_or_three_sources(make_rows: Make) -> None:
    assert warnings(make_rows(64), (0.5, 0.5)) == []
    few_rows = warnings(make_rows(63), (None, None))
    assert few_rows == ["63 safe and 63 unsafe rows: below 64 of each a figure means little"]
    two = warnings(make_rows(64, sources=2), (0.5, 0.5))
    assert two == ["rows of 2 sources: what separates may be the source; take three"]
    told = warnings(make_rows(64), (0.5, 0.9))
    assert told == ["a bag of words alone tells the label (AUC 0.90): separation may be no more than that"]


def test_a_source_of_one_label_is_named(make_rows: Make) -> None:
    from dataclasses import replace

    rows = make_rows(64)
    split = replace(rows, sources=tuple("mmlu" if not one else "harm" for one in rows.label))
    assert any("cannot be told apart: harm, mmlu" in one for one in warnings(split, (0.5, 0.5)))


def test_what_grows_with_the_square_is_taken_over_whole_clusters() -> None:
    cluster = np.repeat(np.arange(40), 3)
    found = few(cluster, 60)
    assert len(found) == 60 and set(np.bincount(cluster[found])) <= {0, 3}
    assert np.array_equal(few(cluster, 200), np.arange(120))
    assert len(few(np.zeros(50, np.int64), 10)) == 10


def test_each_row_is_placed_between_the_means_and_masked(make_rows: Make) -> None:
    rows = make_rows(2)
    vectors = np.array([[0.0, 0], [2, 0], [4, 0], [6, 2]])  # means (1, 0) and (5, 1), 17 apart squared
    found = list(place(vectors, rows, excerpts=False))
    assert [one.score for one in found] == pytest.approx([-4 / 17, 4 / 17, 12 / 17, 22 / 17])
    assert found[0].excerpt == "good… (19 characters)" and found[0].key == "safe/test/0"
    assert [one.safety_label for one in found] == ["safe", "safe", "unsafe", "unsafe"]
    assert next(place(vectors, rows, excerpts=True)).excerpt == rows.texts[0]
    assert masked("ab") == "ab… (2 characters)"


@pytest.mark.parametrize("shape", [(30, 6), (6, 30)])
def test_the_plane_is_that_of_the_principal_components(shape: tuple[int, int]) -> None:
    from sklearn.decomposition import PCA

    vectors = np.random.default_rng(4).normal(size=shape) * np.linspace(3, 1, shape[1])
    theirs, ours = PCA(2, svd_solver="full").fit_transform(vectors), components(vectors)
    for axis in (0, 1):
        assert abs(ours[:, axis]) == pytest.approx(abs(theirs[:, axis]))
        assert ours[np.abs(ours[:, axis]).argmax(), axis] > 0
    assert components(np.array([[1.0], [3.0]])).tolist() == [[1.0, 0.0], [-1.0, 0.0]]
