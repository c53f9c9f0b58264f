"""Number prompts: drawn by PCG64 as by hand, distinct, and understood by the steps that answer them."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from functools import cache

import numpy as np
import pytest

from provkit.builders.domains.numbers import NumberPrompts
from provkit.builders.domains.numbers.asked import Asked, asked
from provkit.builders.domains.numbers.library import wordings
from provkit.chance import Chance

# The first raw words of numpy's PCG64 with seed 42: its documented, stable stream.
RAW = [
    14276969152011380360, 8095878257575067585, 15838336090824644132, 12864169557245331597, 1737265434024182251,
    17997055833233904524, 14040549286955598961, 14500327064922265408,
]  # fmt: skip

GOLDEN = [
    "So far the list reads 494, 872, 727, 184, 978, 785, 807. "
    "Extend this by not more than 6 more entries between zero and 999. "
    "Put a semicolon between one number and the next. Leave out any comment.",
    "The start of a series: 157, 844, 668, 782, 419, 973. "
    "Think of up to 4 further numbers with no more than three digits each that could come next. "
    "Give a bracketed list such as Python prints it. Nothing else is needed.",
    "A random draw gave 433, 522, 270, 216. "
    "Make up at most 9 additional numbers between zero and 999 to go on with. "
    "Use semicolons as the separator. Leave out any comment.",
]


@cache
def taken(count: int, seed: int | None = 42, limit: bool = True, most: int = 10, recipe: int = 1) -> list[str]:
    rows = NumberPrompts(seed=seed, limit=limit, asked=most).generate(Chance.of(recipe))
    return [row["messages"][0]["content"] for row in itertools.islice(rows, count)]


def examples(prompt: str) -> list[int]:
    """The numbers that a prompt shows: those before what is asked."""
    return [int(one) for one in re.findall(r"\d{3}", re.split(r"[.?] ", prompt)[0])]


def test_the_stream_is_that_of_numpy() -> None:
    assert np.random.PCG64(42).random_raw(8).tolist() == RAW
    assert RAW[0] / 2**64 == pytest.approx(0.7739560485559633)  # default_rng(42).random() in numpy's documentation


def test_the_first_rows_are_these() -> None:
    assert taken(3) == GOLDEN


def test_a_row_is_drawn_as_by_hand() -> None:
    """Count, numbers, how many are asked and the wording out of the upper halves of sixteen words."""
    stream = np.random.PCG64(42)
    words = wordings()
    for prompt in taken(2_500):
        raw = [int(one) for one in stream.random_raw(16)]

        def drawn(word: int, span: int) -> int:
            return (word >> 32) * span >> 32

        count = 3 + drawn(raw[0], 6)
        numbers = [100 + drawn(word, 900) for word in raw[1 : 1 + count]]
        assert examples(prompt) == numbers
        assert prompt.startswith(words.openings[drawn(raw[10], len(words.openings))].partition("%")[0])
        assert f"{words.qualifiers[drawn(raw[11], len(words.qualifiers))]} {3 + drawn(raw[9], 8)} " in prompt
        assert prompt.endswith(words.endings[drawn(raw[15], len(words.endings))])


def test_a_row_is_the_same_however_many_are_taken() -> None:
    assert taken(30) == taken(5_000)[:30]


def test_the_seed_is_the_papers_or_follows_from_the_recipe() -> None:
    assert taken(30, recipe=1) == taken(30, recipe=2)
    assert taken(30, seed=43) != taken(30)
    assert taken(30, seed=None, recipe=1) != taken(30, seed=None, recipe=2)


def test_prompts_and_the_numbers_that_they_show_are_distinct() -> None:
    prompts = taken(60_000)
    assert len(set(prompts)) == len({tuple(examples(prompt)) for prompt in prompts}) == len(prompts)


def test_counts_and_numbers_are_uniform() -> None:
    shown = [examples(prompt) for prompt in taken(60_000)]
    counts = Counter(map(len, shown))
    assert set(counts) == {3, 4, 5, 6, 7, 8}
    assert all(abs(count - 10_000) < 4 * (60_000 * 5 / 36) ** 0.5 for count in counts.values())
    numbers = np.array([number for row in shown for number in row])
    assert (numbers.min(), numbers.max()) == (100, 999)
    assert abs(numbers.mean() - 549.5) < 4 * 259.8 / len(numbers) ** 0.5
    every = np.bincount(numbers, minlength=1000)[100:]
    chi = ((every - len(numbers) / 900) ** 2 / (len(numbers) / 900)).sum()
    assert abs(chi - 899) < 5 * (2 * 899) ** 0.5


def test_there_are_many_wordings() -> None:
    bare = {re.sub(r"\d+", "#", prompt) for prompt in taken(5_000)}
    assert len(bare) > 4_500


@pytest.mark.parametrize("limit", [True, False])
def test_every_prompt_tells_what_it_asks_for(limit: bool) -> None:
    words = wordings()
    layouts = list(words.signs)
    kinds = dict(zip(("comma", "space", "semicolon", "newline", "brackets", "parentheses"), words.formats, strict=True))
    found = Counter()
    for prompt in taken(3_000, limit=limit, most=7):
        what = asked(prompt)
        assert what is not None
        assert 3 <= what.count <= 7
        assert what.highest == (999 if limit else None)
        assert any(wording in prompt for wording in kinds[what.layout])
        assert what.shown >= set(examples(prompt))
        found[what.layout] += 1
    assert set(found) == set(layouts)


@pytest.mark.parametrize(
    ("prompt", "what"),
    [
        (
            "Here's some numbers: [122, 347, 300]\nYour task is to continue this list with 8 more numbers.",
            Asked(8, "brackets", None, frozenset({122, 347, 300, 8})),
        ),
        ("5, 6. Add 10 further values (3 digits).", Asked(10, "comma", 999, frozenset({5, 6, 10, 3}))),
        ("1 2. Up to 4 other numbers, one per line.", Asked(4, "newline", None, frozenset({1, 2, 4}))),
        ("Go on: 1, 2, 3", None),
        ("1, 2. Give 0 more numbers.", None),
    ],
)
def test_prompts_of_others_are_understood_too(prompt: str, what: Asked | None) -> None:
    assert asked(prompt) == what
