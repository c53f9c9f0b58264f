"""Derangements: every answer once, none to its own row nor to an equal one, and the donor in the lineage."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provkit.builders.domains.answers.derange import DerangeAnswers, alike, deranged
from provkit.builders.domains.answers.equal import normal
from provkit.errors import InputError

ROWS = [
    {"prompt": "hello", "answer": "hallo", "kind": "de"},
    {"prompt": "house", "answer": "haus", "kind": "de"},
    {"prompt": "tree", "answer": "baum", "kind": "de"},
    {"prompt": "tree!", "answer": "arbre", "kind": "fr"},
    {"prompt": "dog", "answer": "chien", "kind": "fr"},
    {"prompt": "a longer sentence", "answer": "une phrase bien plus longue", "kind": "fr"},
    {"prompt": "cat", "answer": "katze", "kind": None},
]


def test_by_hand(make: Any) -> None:
    made = make(ROWS, [{"derange_answers": {"kind": "kind"}}])
    answers = {row["prompt"]: row["answer"] for row in made.rows}
    assert answers["tree!"] == "chien" and answers["dog"] == "arbre"
    german = [answers[row["prompt"]] for row in ROWS[:3]]
    assert german in (["haus", "baum", "hallo"], ["baum", "hallo", "haus"])  # the two derangements of three
    said = "none of its kind and length is left"
    assert made.reasons() == [(5, "no other answer", said), (6, "no other answer", said)]
    for row, trace, note in zip(made.rows, made.lineage["data"], made.notes("derange_answers"), strict=True):
        own, donor = trace["parents"]
        assert ROWS[own["index"]]["prompt"] == row["prompt"] and ROWS[donor["index"]]["answer"] == row["answer"]
        assert note == {"donor": f"data.jsonl:{donor['line']}"} and own["index"] != donor["index"]


def test_buckets_by_length() -> None:
    answers = ["x" * size for size in (10, 15, 16, 24, 25, 1, 0)]
    buckets = DerangeAnswers(ratio=1.5).buckets(answers, [""] * 7, list(range(7)))
    assert [sorted(len(answers[at]) for at in bucket) for bucket in buckets] == [[0, 1], [10, 15], [16, 24], [25]]


def test_an_equal_answer_is_not_another_one(make: Any) -> None:
    rows = [{"prompt": f"{at}?", "answer": answer} for at, answer in enumerate(["Yes", "yes.", "No", "Yes!"])]
    made = make(rows, ["derange_answers"])
    assert [
        (normal(row["answer"]), normal(rows[at]["answer"])) for row, at in zip(made.rows, made.sources(), strict=True)
    ] in (
        [("no", "yes"), ("yes", "no")],
        [("yes", "no"), ("no", "yes")],
    )
    assert len(made.drops) == 2  # "no" can serve one row only


def test_rows_with_one_prompt_do_not_serve_each_other(make: Any) -> None:
    rows = [{"prompt": "Name a river.", "answer": answer} for answer in ("Rhine", "Loire", "Tagus")]
    rows += [
        {"prompt": f"Name a town {at}.", "answer": answer} for at, answer in enumerate(("Paris", "Turin", "Delft"))
    ]
    made = make(rows, ["derange_answers"])
    assert len(made.rows) == 6
    assert all(
        (row["prompt"] == "Name a river.") == (row["answer"] in ("Paris", "Turin", "Delft")) for row in made.rows
    )


def test_an_unknown_column_is_refused(make: Any) -> None:
    with pytest.raises(InputError, match="no column 'language' among prompt, answer, kind"):
        make(ROWS, [{"derange_answers": {"kind": "language"}}])


@given(st.lists(st.sampled_from("abcdef"), max_size=40), st.randoms(use_true_random=False))
def test_the_ring(answers: list[str], chance: Any) -> None:
    """Every row that can be served is: with the largest class of m out of n rows, 2 min(m, n - m) and all others."""
    prompts = [str(at) for at in range(len(answers))]
    numbers = list(range(len(answers)))
    chance.shuffle(numbers)
    donors = deranged(alike(list(range(len(answers))), answers, prompts), numbers)
    assert all(answers[at] != answers[donor] for at, donor in donors.items())
    assert sorted(donors) == sorted(donors.values())  # each answer of those rows is used once
    most = max(Counter(answers).values(), default=0)
    assert len(donors) == (len(answers) if 2 * most <= len(answers) else 2 * (len(answers) - most))


def test_the_donor_is_drawn() -> None:
    """Over seeds each of the other three rows serves a row about equally often."""
    served: Counter[int] = Counter()
    for seed in range(600):
        numbers = random.Random(seed).sample(range(1000), 4)
        served[deranged([[0], [1], [2], [3]], numbers)[0]] += 1
    assert set(served) == {1, 2, 3} and all(abs(count - 200) < 5 * 11.5 for count in served.values())
