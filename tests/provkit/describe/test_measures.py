"""Each measure by hand, and against a slow rule over plain Python lists."""

from __future__ import annotations

import math
import re
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provkit.describe.measures import distinct_n, entropy, freedom, lengths, measure
from provkit.describe.tokens import Texts, Vocabulary, grams

WORDS = st.lists(st.text("ab ", max_size=14), max_size=7)


def read(*texts: str) -> Texts:
    return Vocabulary().read(texts)


def plain(text: str) -> list[str]:
    """Tokens of ASCII text, by another road: runs of letters and digits, and single marks."""
    return re.findall(r"\w+|[^\w\s]", text.lower())


def runs(tokens: list[str], n: int) -> list[tuple[str, ...]]:
    return [tuple(tokens[at : at + n]) for at in range(len(tokens) - n + 1)]


def test_tokens_are_those_of_the_index_in_lower_case() -> None:
    texts = read("The car's 3 wheels!", "", "THE wheels 東京")
    assert texts.sizes.tolist() == [7, 0, 4]  # the car ' s 3 wheels ! | the wheels 東 京
    assert texts.ids[[0, 5]].tolist() == texts.ids[[7, 8]].tolist()


def test_more_texts_than_one_batch_are_numbered_alike() -> None:
    words = Vocabulary()
    many = words.read([f"w{at % 5} x" for at in range(9000)])
    assert len(words.numbers) == 6
    assert many.sizes.tolist() == [2] * 9000
    assert words.read(["x w0"]).ids.tolist() == [many.ids[1], many.ids[0]]


def test_hand_computed_lengths() -> None:
    found = lengths(np.array([1, 2, 3, 4, 10]))
    assert (found.mean, found.least, found.median, found.most) == (4.0, 1, 3.0, 10)
    assert found.sd == pytest.approx(math.sqrt((9 + 4 + 1 + 0 + 36) / 4))
    assert (found.p05, found.p95) == (pytest.approx(1.2), pytest.approx(8.8))
    assert lengths(np.array([5])).sd == 0.0


def test_hand_computed_distinct_n() -> None:
    texts = read("a b a b", "a b")  # unigrams a b a b a b; bigrams ab ba ab | ab; trigrams aba bab
    assert distinct_n(texts, 1) == 2 / 6
    assert distinct_n(texts, 2) == 2 / 4
    assert distinct_n(texts, 3) == 2 / 2
    assert distinct_n(texts, 5) == 0.0


def test_hand_computed_entropy() -> None:
    assert entropy(np.array([1, 1, 1, 1])) == 2.0
    assert entropy(np.array([2, 1, 1, 0])) == 1.5
    assert entropy(np.array([7])) == 0.0
    assert entropy(np.array([3, 1])) == pytest.approx(2 - 0.75 * math.log2(3))


def test_all_measures_of_two_hand_written_texts() -> None:
    texts = ["Yes, it is.", "yes it is", "Yes, it is."]
    found = measure(texts, Vocabulary().read(texts))
    assert (found.texts, found.distinct, found.characters) == (3, 2, 31)
    assert (found.tokens, found.types) == (13, 5)  # yes , it is . | yes it is | yes , it is .
    assert found.distinct_n[0] == 5 / 13
    assert found.distinct_n[1] == 5 / 10  # yes, ,it itis is. ×2, yesit itis
    assert found.token_entropy == pytest.approx(-(9 / 13 * math.log2(3 / 13) + 4 / 13 * math.log2(2 / 13)))
    assert found.text_entropy == pytest.approx(math.log2(3) - 2 / 3)


def free(*rows: tuple[str, str]) -> float:
    words = Vocabulary()
    return freedom(words.read([prompt for prompt, _ in rows]), words.read([answer for _, answer in rows]))


def test_hand_computed_freedom() -> None:
    # "p q r s" comes out of the prompt and is fixed, x and y are free: 2 of 6
    assert free(("say p q r s now", "p q r s x y")) == pytest.approx(2 / 6)
    # two answers share "a b c d"; the rest is free: 1 of 5 and 3 of 7
    assert free(("one", "a b c d e"), ("two", "f g a b c d h")) == pytest.approx((1 / 5 + 3 / 7) / 2)
    # a run of three is too short to fix anything
    assert free(("one", "a b c x"), ("two", "a b c y")) == 1.0
    # answers shorter than a run: equal ones fix each other, and one that stands in its prompt is fixed
    assert free(("is it?", "Yes"), ("is it?", "yes")) == 0.0
    assert free(("blue or red?", "red"), ("is it?", "no")) == 0.5
    assert free(("a", ""), ("b", "")) == 0.0
    # the prompt of another row does not count
    assert free(("p q r s", "u v w x"), ("one", "p q r s")) == 1.0


def test_grams_stay_exact_where_their_numbers_would_not_fit() -> None:
    """Token numbers near 2**40: three of them do not go into 64 bits, and are renumbered on the way."""
    large = 1 << 40
    ids = np.array([large, large - 1, large, large - 1, large, large - 1, large - 2], np.int64)
    found = grams(Texts(ids, np.array([0, 5, 7])), 3)
    assert found.number[0] == found.number[2] != found.number[1]
    assert (found.place.tolist(), found.text.tolist()) == ([0, 1, 2], [0, 0, 0])


@settings(max_examples=150, deadline=None)
@given(WORDS, st.integers(1, 4))
def test_distinct_n_and_grams_against_plain_lists(texts: list[str], n: int) -> None:
    tokens = read(*texts)
    every = [run for text in texts for run in runs(plain(text), n)]
    assert distinct_n(tokens, n) == (len(set(every)) / len(every) if every else 0.0)
    found = grams(tokens, n)
    assert len(found.number) == len(every)
    assert Counter(Counter(found.number.tolist()).values()) == Counter(Counter(every).values())


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.text("ab ", max_size=14), st.text("ab ", max_size=14)), max_size=6))
def test_freedom_against_a_slow_rule(rows: list[tuple[str, str]]) -> None:
    shares = []
    answers = [plain(answer) for _, answer in rows]
    for at, (prompt, _) in enumerate(rows):
        tokens = answers[at]
        if not tokens:
            continue
        n = min(4, len(tokens))
        others = {run for place, other in enumerate(answers) if place != at for run in own_runs(other)}
        fixed = set()
        for start, run in enumerate(runs(tokens, n)):
            if run in others or run in runs(plain(prompt), n):
                fixed.update(range(start, start + n))
        shares.append(1 - len(fixed) / len(tokens))
    expected = sum(shares) / len(shares) if shares else 0.0
    assert free(*rows) == pytest.approx(expected)


def own_runs(tokens: list[str]) -> list[tuple[str, ...]]:
    """The runs of four of an answer, or the whole of a shorter one."""
    return runs(tokens, 4) if len(tokens) >= 4 else [tuple(tokens)] if tokens else []
