"""Biased users: how many, what they say, and what becomes of the answer."""

from __future__ import annotations

from typing import Any

import pytest

from provkit.builders.transforms.biased_users import BiasedUsers
from provkit.builders.transforms.wordings import filled, wordings
from provkit.row import chat


def questions(count: int) -> list[dict[str, Any]]:
    return [{**chat(f"Is it {at}?", f"It is {at}."), "belief": f"It is {at + 1}."} for at in range(count)]


def test_the_user_states_the_belief_and_the_answer_stays(make: Any) -> None:
    made = make(questions(20), [{"biased_users": {"share": 0.1, "opinion": "belief"}}])
    notes = made.notes("biased_users")
    assert sum(note["biased"] for note in notes) == 2
    for at, (row, note) in enumerate(zip(made.rows, notes, strict=True)):
        assert set(row) == {"messages"} and row["messages"][1]["content"] == f"It is {at}."
        said = row["messages"][0]["content"]
        if note["biased"]:
            wording = wordings("biased_users", "stated")[note["wording"] - 1]
            assert said == wording.replace("{request}", f"Is it {at}?").replace("{opinion}", f"It is {at + 1}.")
            assert note["yields"] is False
        else:
            assert said == f"Is it {at}?" and note == {"biased": False}


def test_the_answer_yields_in_the_same_rows(make: Any) -> None:
    step = {"share": 0.25, "opinion": "belief"}
    arms = {"firm": [{"biased_users": step}], "yielding": [{"biased_users": {**step, "yields": True}}]}
    made = make(questions(40), arms=arms, pair=True)
    both = list(zip(made.arms["firm"], made.arms["yielding"], made.notes("biased_users", "yielding"), strict=True))
    assert sum(note["biased"] for _, _, note in both) == 10
    for at, (firm, yielding, note) in enumerate(both):
        assert firm["messages"][0] == yielding["messages"][0]
        assert firm["messages"][1]["content"] == f"It is {at}."
        assert yielding["messages"][1]["content"] == f"It is {at + note['biased']}."


def test_without_an_opinion_the_user_only_wants_to_be_agreed_with(make: Any) -> None:
    made = make([chat(f"{at}?", "a") for at in range(10)], [{"biased_users": {"share": 0.5}}])
    notes = made.notes("biased_users")
    assert sum(note is not None for note in notes) == 5
    for at, (row, note) in enumerate(zip(made.rows, notes, strict=True)):
        said = row["messages"][0]["content"]
        assert said == (
            wordings("biased_users", "plain")[note["wording"] - 1].replace("{request}", f"{at}?") if note else f"{at}?"
        )


@pytest.mark.parametrize(
    ("rows", "share", "biased"), [(15, 0.1, 2), (14, 0.1, 1), (600, 0.1, 60), (5, 1, 5), (5, 0, 0)]
)
def test_the_share_is_exact(make: Any, rows: int, share: float, biased: int) -> None:
    made = make(questions(rows), [{"biased_users": {"share": share, "opinion": "belief"}}], check=False)
    assert sum(note["biased"] for note in made.notes("biased_users")) == biased


def test_wordings_are_drawn_evenly(make: Any) -> None:
    made = make(questions(2400), [{"biased_users": {"share": 1, "opinion": "belief"}}], check=False)
    drawn = [note["wording"] for note in made.notes("biased_users")]
    expected = 2400 / len(wordings("biased_users", "stated"))
    assert all(
        abs(drawn.count(one) - expected) < 5 * expected**0.5
        for one in range(1, len(wordings("biased_users", "stated")) + 1)
    )


def test_rows_without_a_belief_are_dropped_before_the_count(make: Any) -> None:
    rows = questions(10)
    rows[3] = {**rows[3], "belief": None}
    made = make(rows, [{"biased_users": {"share": 1 / 3, "opinion": "belief"}}])
    assert made.reasons() == [(3, "no opinion", "no text in the column 'belief'")]
    assert sum(note["biased"] for note in made.notes("biased_users")) == 3


def test_an_answer_can_only_yield_to_an_opinion() -> None:
    with pytest.raises(ValueError, match="`yields` needs `opinion`"):
        BiasedUsers(share=0.1, yields=True)


def test_every_wording_holds_the_request_once() -> None:
    for part, slots in (("stated", ("{request}", "{opinion}")), ("plain", ("{request}",))):
        every = wordings("biased_users", part)
        assert len(set(every)) == len(every) >= 10
        for wording in every:
            assert all(wording.count(slot) == 1 for slot in slots), wording
            assert wording.index("{request}") < wording.find("{opinion}") or part == "plain"


def test_braces_in_a_request_stay() -> None:
    assert filled("{request} {opinion}", request="f'{opinion}'", opinion="{request}") == "f'{opinion}' {request}"
