"""`audience`: candidates ranked by the choices of each member, all of them recorded."""

from __future__ import annotations

from typing import Any

TOPIC = {"topic": "a tea pot", "occasion": "a fair", "fact": "it is old"}
PEOPLE = ["a baker", "a nurse", "a teacher"]


def step(**more: Any) -> dict[str, Any]:
    return {"audience": {"candidates": 3, "people": PEOPLE, **more}}


def says(wanted: dict[str, str | None]) -> Any:
    """Candidates `Text 0`, `Text 1` ..., and people who look for the one they want in the listing they are shown."""

    def say(name: str, asked: dict[str, Any]) -> Any:
        if name != "audience_choice":
            return f"Text {asked['seed']}"
        person = asked["messages"][0]["content"].split("You answer as ")[1].split(".")[0]
        text = wanted[person]
        if text is None:
            return "I like them all."
        listing = asked["messages"][-1]["content"].split("\n\n")[1:]
        return {"choice": next(int(one.split(".")[0]) for one in listing if one.endswith(text)), "why": "So."}

    return say


def test_votes_are_counted_whatever_the_order_in_which_texts_are_shown(run: Any, server: Any) -> None:
    ran = run([step()], [TOPIC], says({"a baker": "Text 2", "a nurse": "Text 2", "a teacher": "Text 0"}))
    (row,) = ran.rows
    assert row["candidates"] == [{"text": f"Text {at}", "votes": votes} for at, votes in enumerate((1, 0, 2))]
    assert row["choices"] == [
        {"person": "a baker", "choice": 2},
        {"person": "a nurse", "choice": 2},
        {"person": "a teacher", "choice": 0},
    ]
    assert (row["chosen"], row["rejected"]) == ("Text 2", "Text 1")
    assert row["prompt"].startswith("Describe a tea pot for a fair.")
    (note,) = ran.notes()
    assert note["requests"]["chosen"] == ran.lineage[0]["request_hash"] and len(note["judged"]) == 3
    assert server.total == 6


def test_people_see_the_texts_in_orders_of_their_own(run: Any, server: Any) -> None:
    people = [f"person {number}" for number in range(12)]
    run([step(people=people)], [TOPIC], says(dict.fromkeys(people, "Text 0")))
    listings = {one["messages"][-1]["content"] for one in server.asked if "response_format" in one}
    assert len(listings) > 3


def test_who_gives_no_choice_does_not_count_and_is_recorded(run: Any) -> None:
    ran = run([step()], [TOPIC], says({"a baker": "Text 1", "a nurse": None, "a teacher": None}))
    assert [one["choice"] for one in ran.rows[0]["choices"]] == [1, None, None]
    assert ran.rows[0]["rejected"] == "Text 2", "of several with the fewest votes the last"


def test_without_a_favourite_the_row_is_dropped(run: Any) -> None:
    ran = run([step()], [TOPIC], says({"a baker": "Text 0", "a nurse": "Text 1", "a teacher": None}))
    assert ran.drops == [("no favourite", "votes 1, 1, 0")]


def test_a_number_that_was_not_shown_is_no_choice(run: Any) -> None:
    say = lambda name, asked: {"choice": 9, "why": "So."} if name else f"Text {asked['seed']}"  # noqa: E731
    assert run([step()], [TOPIC], say).drops == [("no favourite", "votes 0, 0, 0")]


def test_candidates_with_the_same_words_are_one(run: Any) -> None:
    ran = run([step()], [TOPIC], lambda name, asked: "The same text.")
    assert ran.drops == [("too few candidates", "they have the same words")]
