"""Draws: pinned for ever, uniform, and independent of order."""

from __future__ import annotations

import hashlib
import itertools
import json
import random
from collections import Counter
from collections.abc import Sequence

import pytest

from provkit.chance import Chance, Draws

SOURCE = "a" * 64
CHI_SQUARE = {10: 29.588, 23: 49.728, 63: 103.442}  # degrees of freedom: the 0.999 quantile, from tables


def chi_square(counts: Sequence[int]) -> float:
    expected = sum(counts) / len(counts)
    return sum((count - expected) ** 2 for count in counts) / expected


def test_draws_are_pinned() -> None:
    """These values may never change: a rebuild with a later version must draw the same."""
    draws = Draws(42, "shuffle", SOURCE)
    assert draws.key(0).hex() == "1322208ee4147de0575a0c9cd43e3db46775a95f894c20949df7fa795b1feca9"
    assert [draws.number(i) for i in range(3)] == [16176108408454259219, 1804844264602560062, 9708505075906240796]
    assert draws.number(1, 7) == 6278234430749512587


def test_a_draw_follows_from_its_definition() -> None:
    """sha256 over the JSON of [seed, label, source digest], then the index as 8 bytes, little end first."""
    text = json.dumps([7, "step-2", "éß"], ensure_ascii=False, separators=(",", ":")).encode()
    expected = hashlib.sha256(text + (5).to_bytes(8, "little")).digest()
    assert Draws(7, "step-2", "éß").key(5) == expected
    sibling = hashlib.sha256(text + (5).to_bytes(8, "little") + (9).to_bytes(8, "little")).digest()
    assert Draws(7, "step-2", "éß").key(5, 9) == sibling


def test_a_stream_is_pinned() -> None:
    chance = Chance.of(42, "generate", SOURCE)
    assert [chance.bits64() for _ in range(5)] == [
        3177550393232718821,
        8032637019216094041,
        1485739453120628563,
        14691024240063733322,
        12479889454896277699,
    ]
    assert Chance.of(1).uniform() == 0.8483376127683026
    assert [Chance.of(1, i).integer(1, 6) for i in range(12)] == [3, 4, 4, 2, 4, 3, 4, 6, 5, 6, 2, 5]
    assert Chance.of("x").shuffled(range(8)) == [5, 3, 2, 1, 6, 7, 0, 4]
    assert Chance.of("x").child("y", 1).bits64() == 11938021825443920204


def test_a_stream_is_sha256_in_counter_mode() -> None:
    key = bytes(range(32))
    blocks = b"".join(hashlib.sha256(key + n.to_bytes(8, "little")).digest() for n in range(3))
    chance = Chance(key)
    words = [int.from_bytes(blocks[at : at + 8], "little") for at in range(0, 96, 8)]
    assert [chance.bits64() for _ in range(12)] == words


def test_a_draw_does_not_depend_on_the_order_in_which_it_is_made() -> None:
    rows = list(itertools.product(range(300), (0, 1)))
    draws = Draws(1, "a", SOURCE)
    in_order = {row: draws.key(*row) for row in rows}
    random.Random(5).shuffle(rows)
    assert {row: Draws(1, "a", SOURCE).key(*row) for row in rows} == in_order
    assert len(set(in_order.values())) == 600


def test_seed_label_source_and_sibling_each_change_the_draw() -> None:
    keys = {Draws(s, label, source).key(0, n) for s in (1, 2) for label in "ab" for source in "cd" for n in (0, 1)}
    assert len(keys) == 16
    assert Chance.of("1").bits64() != Chance.of(1).bits64()
    assert Chance.of("ab", "c").bits64() != Chance.of("a", "bc").bits64()


def test_a_child_leaves_its_parent_where_it_is() -> None:
    alone, with_children = Chance.of(3), Chance.of(3)
    first = [alone.bits64() for _ in range(6)]
    drawn = []
    for n in range(6):
        with_children.child(n).bits64()
        drawn.append(with_children.bits64())
    assert drawn == first


def test_row_numbers_are_uniform() -> None:
    draws = Draws(11, "split", SOURCE)
    bins = Counter(draws.number(i) >> 58 for i in range(20_000))
    assert chi_square([bins[b] for b in range(64)]) < CHI_SQUARE[63]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_every_integer_of_a_range_is_alike_probable(seed: int) -> None:
    chance = Chance.of(seed)
    seen = Counter(chance.integer(-3, 7) for _ in range(11_000))
    assert set(seen) == set(range(-3, 8))
    assert chi_square([seen[n] for n in range(-3, 8)]) < CHI_SQUARE[10]


def test_every_order_of_four_is_alike_probable() -> None:
    chance = Chance.of(9)
    seen = Counter(tuple(chance.shuffled("abcd")) for _ in range(6_000))
    assert len(seen) == 24
    assert chi_square(list(seen.values())) < CHI_SQUARE[23]


def test_uniform_numbers_lie_in_the_half_open_interval() -> None:
    chance = Chance.of(4)
    numbers = [chance.uniform() for _ in range(5_000)]
    assert min(numbers) >= 0 and max(numbers) < 1
    furthest = max(abs(number - at / 5_000) for at, number in enumerate(sorted(numbers)))
    assert furthest * 5_000**0.5 < 1.95  # Kolmogorov and Smirnov at 0.001


def test_a_range_beyond_half_of_64_bits_has_no_bias() -> None:
    """2**63 + 1 values out of 2**64: without rejection low values would come twice as often."""
    chance = Chance.of(6)
    low = sum(chance.integer(0, 2**63) < 2**62 for _ in range(4_000))
    assert abs(low - 2_000) < 3.29 * 1_000**0.5  # half of them, within 3.29 standard deviations


def test_a_sample_has_different_positions_and_any_size() -> None:
    assert sorted(Chance.of(1).sample(range(10), 10)) == list(range(10))
    assert Chance.of(1).sample([1, 2], 0) == []
    assert len(set(Chance.of(1).sample(range(100), 30))) == 30


@pytest.mark.parametrize("count", [-1, 4])
def test_a_sample_of_an_impossible_size_is_refused(count: int) -> None:
    with pytest.raises(ValueError, match=f"{count} asked for out of 3"):
        Chance.of(1).sample("abc", count)


def test_an_empty_or_too_wide_range_is_refused() -> None:
    with pytest.raises(ValueError, match=r"no integer lies in \[2, 1\]"):
        Chance.of(1).integer(2, 1)
    with pytest.raises(ValueError, match="no integer"):
        Chance.of(1).choice([])
    with pytest.raises(ValueError, match=r"more than 2\*\*64"):
        Chance.of(1).integer(0, 2**64)
    assert Chance.of(1).integer(0, 2**64 - 1) == Chance.of(1).bits64()
