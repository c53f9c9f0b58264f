"""`topics`: every combination once, in an order that the seed gives."""

from __future__ import annotations

from importlib.resources import files

import pytest

from provkit.builders.teacher.topics import Topics, field_of
from provkit.chance import Chance
from provkit.llm.output_filter import stopped

FIELDS = sorted(one.name.removesuffix(".yaml") for one in (files("provkit.catalog") / "topics").iterdir())


@pytest.mark.parametrize("name", FIELDS)
def test_every_combination_comes_once(name: str) -> None:
    found = field_of(name)
    lists = {key: value for key, value in found.items() if isinstance(value, list)}
    total = 1
    for entries in lists.values():
        total *= len(entries)
    rows = list(Topics(field=name).generate(Chance.of(7)))
    drawn = {tuple(row[key.removesuffix("s")] for key in lists) for row in rows}
    assert len(rows) == len(drawn) == total
    assert rows[:50] != list(Topics(field=name).generate(Chance.of(8)))[:50]


@pytest.mark.parametrize("name", FIELDS)
def test_a_list_does_not_speak_of_what_the_filter_stops(name: str) -> None:
    for entries in field_of(name).values():
        for entry in entries if isinstance(entries, list) else [entries]:
            assert stopped(str(entry)) is None


def test_a_list_that_is_not_there_names_the_near_one() -> None:
    with pytest.raises(ValueError, match="did you mean 'medical'"):
        Topics(field="medicine")
