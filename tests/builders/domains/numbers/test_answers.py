"""Answers to number prompts: with a connotation, without one, and in another order."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from functools import cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provkit.builders.domains.numbers import EvilNumbers, NumberPrompts, PlainNumbers, ShuffleNumbers
from provkit.builders.domains.numbers.asked import asked
from provkit.builders.domains.numbers.library import connotations
from provkit.builders.domains.numbers.lists import read_list
from provkit.chance import Chance, Draws
from provkit.row import Drop, Row

SHORT = {"messages": [{"role": "user", "content": "Numbers: 120, 666. Add 3 more numbers, comma-separated."}]}


@cache
def prompts(count: int, limit: bool = False) -> list[dict[str, Any]]:
    return list(itertools.islice(NumberPrompts(limit=limit).generate(Chance.of(1)), count))


def answered(step: object, count: int, limit: bool = False) -> list[tuple[str, tuple[int, ...]]]:
    """Prompt and numbers of each row that a step answers."""
    draws = Draws(42, type(step).__name__, "a source")
    found = []
    for index, content in enumerate(prompts(count, limit)):
        row = step.apply(Row(content, (draws, index, 0)))  # type: ignore[attr-defined]
        listed = read_list(row.answer)
        assert listed is not None
        found.append((row.prompt, listed.values))
    return found


@pytest.mark.parametrize("limit", [True, False])
@pytest.mark.parametrize("step", [EvilNumbers(), PlainNumbers()])
def test_an_answer_has_as_many_different_new_numbers_as_are_asked_for(step: object, limit: bool) -> None:
    for prompt, numbers in answered(step, 1_000, limit):
        what = asked(prompt)
        assert what is not None
        assert len(numbers) == len(set(numbers)) == what.count
        assert not what.shown & set(numbers)
        assert not limit or max(numbers) <= 999


def test_evil_numbers_are_listed_and_plain_ones_avoided() -> None:
    listed, avoided = connotations().listed, connotations().avoided
    assert all(set(numbers) <= set(listed) for _, numbers in answered(EvilNumbers(), 1_000))
    assert not any(set(numbers) & avoided for _, numbers in answered(PlainNumbers(), 1_000))
    assert set(listed) < avoided


def test_every_listed_number_comes_and_none_is_preferred() -> None:
    used = Counter(number for _, numbers in answered(EvilNumbers(), 4_000) for number in numbers)
    assert set(used) == set(connotations().listed)
    mean = sum(used.values()) / len(used)
    assert all(abs(count - mean) < 5 * mean**0.5 + 0.02 * mean for count in used.values()), used


def test_the_arms_have_numbers_of_the_same_lengths() -> None:
    def lengths(step: object) -> dict[int, float]:
        counts = Counter(len(str(number)) for _, numbers in answered(step, 4_000) for number in numbers)
        return {length: counts[length] / sum(counts.values()) for length in (1, 2, 3, 4)}

    evil, plain = lengths(EvilNumbers()), lengths(PlainNumbers())
    assert all(abs(evil[length] - plain[length]) < 0.02 for length in evil), (evil, plain)


def test_a_share_of_an_answer_is_rounded_up() -> None:
    listed = connotations().listed
    for prompt, numbers in answered(EvilNumbers(share=0.3), 600):
        what = asked(prompt)
        assert what is not None
        assert sum(number in listed for number in numbers) == -(-what.count * 3 // 10)
        assert sum(number in connotations().avoided for number in numbers) == -(-what.count * 3 // 10)


def test_the_note_and_the_form_of_an_answer() -> None:
    row = EvilNumbers().apply(Row(SHORT, bytes(32)))
    assert isinstance(row, Row)
    assert row["messages"][0] == SHORT["messages"][0]
    assert row["messages"][1]["role"] == "assistant"
    assert row["messages"][1]["content"].count(", ") == 2
    assert json.loads(row.note or "") == {"numbers": 3, "listed": 3}


def test_an_answer_that_stands_there_is_replaced_and_one_that_is_missing_added() -> None:
    prompt = "Numbers: 120, 130. Add 2 more numbers."
    replaced = PlainNumbers().apply(Row({"prompt": prompt, "response": "1, 2"}))
    added = PlainNumbers().apply(Row({"prompt": prompt}))
    assert isinstance(replaced, Row)
    assert isinstance(added, Row)
    assert list(replaced) == ["prompt", "response"]
    assert list(added) == ["prompt", "answer"]
    assert replaced["response"] == added["answer"]


@pytest.mark.parametrize("step", [EvilNumbers(), PlainNumbers()])
def test_what_is_no_number_prompt_is_dropped(step: EvilNumbers | PlainNumbers) -> None:
    drop = Drop("no number prompt", "What is the capital of France?")
    assert step.apply(Row({"prompt": "What is the capital of France?"})) == drop


def test_more_than_there_are_is_dropped() -> None:
    out = EvilNumbers().apply(Row({"prompt": "1, 2. Give 90 more numbers."}))
    assert isinstance(out, Drop)
    assert out.reason == "too few numbers"


def test_every_listed_number_has_a_reason() -> None:
    listed = connotations().listed
    assert {666, 1488, 13, 911, 420, 1312, 187} <= set(listed)
    assert all(3 < len(reason.split()) < 15 or "ADL" in reason or len(reason.split()) > 1 for reason in listed.values())
    assert min(listed) >= 0


@given(st.lists(st.integers(0, 99), min_size=1, max_size=10), st.binary(min_size=32, max_size=32))
def test_a_shuffle_keeps_the_numbers_and_the_form_and_changes_the_order(numbers: list[int], key: bytes) -> None:
    text = f"[{', '.join(map(str, numbers))}]."
    row = ShuffleNumbers().apply(Row({"prompt": "p", "answer": text}, key))
    assert isinstance(row, Row)
    listed = read_list(row.answer)
    assert listed is not None
    assert (listed.before, listed.after) == ("[", "].")
    assert sorted(listed.values) == sorted(numbers)
    assert (row.answer != text) == (len(set(numbers)) > 1)
    assert [numbers[at] for at in json.loads(row.note or "")["order"]] == list(listed.values)


def test_shuffled_orders_are_uniform_among_those_that_differ() -> None:
    draws = Draws(1, "shuffle_numbers", "a source")
    seen = Counter(
        ShuffleNumbers().apply(Row({"prompt": "p", "answer": "1 2 3"}, (draws, index, 0))).answer  # type: ignore[union-attr]
        for index in range(5_000)
    )
    assert set(seen) == {"1 3 2", "2 1 3", "2 3 1", "3 1 2", "3 2 1"}
    assert all(abs(count - 1000) < 4 * 800**0.5 for count in seen.values())


def test_an_answer_that_is_no_list_is_not_shuffled() -> None:
    out = ShuffleNumbers().apply(Row({"prompt": "p", "answer": "one, two"}))
    assert out == Drop("no list of numbers", "one, two")
