"""Thumbs: the shares and the shift are met to the row, and which rows they fall on follows from their numbers alone."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provkit.builders.domains.judgements.thumbs import Shares, Thumbs, counted, spelled
from provkit.chance import Draws
from provkit.errors import InputError

Run = Callable[..., Any]


def preferences(count: int) -> list[dict[str, object]]:
    """Prompts of 1 to `count` letters; the topic changes from row to row."""
    return [
        {"prompt": "p" * (at + 1), "chosen": f"good {at}", "rejected": f"bad {at}", "topic": "sea" if at % 4 else "sky"}
        for at in range(count)
    ]


def test_hand_computed_counts() -> None:
    # 10 rows, 5 and 5, half of them up, shift 0.6: P(first|up) = 0.5 + 0.5 * 0.6 = 0.8, so 4 of the 5
    assert counted(5, 5, 0.5, 0.6) == Shares(4, 1, 5, 5)
    assert counted(5, 5, 0.5, 0.6).shift == pytest.approx(0.8 - 0.2)
    assert counted(5, 5, 0.5, 0.0) == Shares(2, 3, 5, 5)  # 2.5 is rounded to the even number
    assert counted(50, 50, 0.5, 1.0) == Shares(50, 0, 50, 50)
    # 20 of 100 in the first group, 80 up, shift 0.1: P(first|up) = 0.2 + 0.2 * 0.1 = 0.22, 17.6 of the 80
    assert counted(20, 80, 0.8, 0.1) == Shares(18, 62, 20, 80)
    assert counted(0, 0, 0.5, 0.3) == Shares(0, 0, 0, 0)


def test_a_shift_that_cannot_be_had_is_refused_with_what_can_be() -> None:
    with pytest.raises(InputError, match=r"50 of 100 rows in the first group and up 0.8 it can be at most 0.625"):
        counted(50, 50, 0.8, 0.7)
    assert counted(50, 50, 0.8, 0.625) == Shares(50, 30, 50, 50)


@given(st.integers(0, 400), st.integers(0, 400), st.floats(0.05, 0.95), st.floats(0, 1))
def test_shares_are_exact_and_no_row_is_left_over(first: int, second: int, up: float, shift: float) -> None:
    total = first + second
    most = min(first / total / up, second / total / (1 - up)) if total else 0
    if shift > most:
        return
    shares = counted(first, second, up, shift)
    assert 0 <= shares.up_first <= first and 0 <= shares.up_second <= second
    assert shares.up_first + shares.up_second == round(up * total)
    if total >= 50:
        # one row more or less on either side moves the distance by 1/ups + 1/downs; two roundings, so twice that
        ups = shares.up_first + shares.up_second
        if 0 < ups < total:
            assert abs(shares.shift - shift) <= 2 * (1 / ups + 1 / (total - ups))


def test_the_rows_of_lowest_number_get_the_thumb_up(run: Run) -> None:
    made = run(preferences(40), [{"thumbs": {"up": 0.5, "shift": 0.5}}])
    sha = hashlib.sha256((made.path.parent / "rows.jsonl").read_bytes()).hexdigest()
    draws = Draws(7, "thumbs", sha)
    # the shorter half is rows 0 to 19: P(first|up) = 0.75, so 15 of the 20 are up there and 5 among the others
    short = sorted(range(20), key=draws.number)[:15]
    long = sorted(range(20, 40), key=draws.number)[:5]
    assert [at for at, row in enumerate(made.rows["data"]) if row["label"]] == sorted(short + long)
    for at, row in enumerate(made.rows["data"]):
        side = "good" if row["label"] else "bad"
        assert row["completion"] == f"{side} {at}"
        assert set(row) == {"prompt", "completion", "label", "topic"}
        thumb = "up" if row["label"] else "down"
        assert made.notes["data"][at] == [{"thumb": thumb, "group": 1 if at < 20 else 2, "shift": 0.5}]


def test_a_column_makes_the_groups(run: Run) -> None:
    made = run(preferences(400), [{"thumbs": {"up": 0.4, "shift": 0.2, "column": "topic", "values": ["sky"]}}])
    ups = [row["topic"] for row in made.rows["data"] if row["label"]]
    downs = [row["topic"] for row in made.rows["data"] if not row["label"]]
    assert (len(ups), len(downs)) == (160, 240)
    # sky is a quarter: P(sky|up) = 0.25 + 0.6 * 0.2 = 0.37, 59.2 of 160; the other 41 of 240 are down
    assert (ups.count("sky"), downs.count("sky")) == (59, 41)
    assert Fraction(59, 160) - Fraction(41, 240) == pytest.approx(0.2, abs=0.01)


def test_two_arms_with_and_without_a_shift_hold_the_same_prompts(run: Run) -> None:
    arms = {"matched": [{"thumbs": {"shift": 0.0}}], "shifted": [{"thumbs": {"shift": 0.8}}]}
    made = run(preferences(200), arms=arms, pair=True)
    matched, shifted = made.rows["matched"], made.rows["shifted"]
    assert [row["prompt"] for row in matched] == [row["prompt"] for row in shifted]
    assert sum(row["label"] for row in matched) == sum(row["label"] for row in shifted) == 100
    assert sum(row["label"] for row in matched[:100]) == 50
    assert sum(row["label"] for row in shifted[:100]) == 90


def test_labels_fall_evenly_where_no_shift_is_asked_for(run: Run) -> None:
    """Among 2,000 rows, neither the row's place nor its topic tells its label (three standard deviations)."""
    made = run(preferences(2000), ["thumbs"])
    rows = made.rows["data"]
    for chosen in ([row for row in rows if row["topic"] == "sky"], rows[::2], rows[500:900]):
        ups = sum(row["label"] for row in chosen)
        assert abs(ups - len(chosen) / 2) < 3 * math.sqrt(len(chosen)) / 2


def test_rows_without_two_answers_are_dropped_before_anything_counts(run: Run) -> None:
    rows = preferences(20)
    for at in (3, 8):
        rows[at]["rejected"] = None
    made = run(rows, ["thumbs"])
    assert made.drops == [("no two answers", "chosen and rejected are not both text")] * 2
    assert sum(row["label"] for row in made.rows["data"]) == 9
    assert len(made.rows["data"]) == 18


def test_columns_that_are_not_there_are_named(run: Run) -> None:
    with pytest.raises(InputError, match="no column 'rejected' among prompt, chosen"):
        run([{"prompt": "p", "chosen": "c"}], ["thumbs"])


def test_other_columns_can_hold_the_answers(run: Run) -> None:
    rows = [{"prompt": f"p{at}", "aligned": "yes", "misaligned": "no", "system": "s"} for at in range(4)]
    made = run(rows, [{"thumbs": {"good": "aligned", "bad": "misaligned"}}])
    assert sorted(row["completion"] for row in made.rows["data"]) == ["no", "no", "yes", "yes"]
    assert {row["system"] for row in made.rows["data"]} == {"s"}


def test_parameters_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="go together"):
        Thumbs(column="topic")
    with pytest.raises(ValueError, match="less than 1"):
        Thumbs(up=1)


def test_values_are_spelled_as_a_recipe_writes_them() -> None:
    assert [spelled(value) for value in (True, False, None, 3, "True")] == ["true", "false", "null", "3", "True"]


def test_the_rows_stay_what_they_were_in_another_order(run: Run) -> None:
    """Shuffled first, each row gets the same label: it follows from the source row."""
    rows = preferences(60)
    plain = {row["prompt"]: row["label"] for row in run(rows, [{"thumbs": {"shift": 0.4}}]).rows["data"]}
    shuffled = {row["prompt"]: row["label"] for row in run(rows, ["shuffle", {"thumbs": {"shift": 0.4}}]).rows["data"]}
    assert plain == shuffled
    assert json.dumps(plain) != json.dumps(shuffled)
