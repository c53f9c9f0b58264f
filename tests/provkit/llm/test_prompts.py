"""Prompts of the catalog: slots filled in one go, a schema that goes with the request, names that are there."""

from __future__ import annotations

from importlib.resources import files

import pytest

from provkit.llm.prompts import SLOT, NoSuchSlot, Prompt, prompt

NAMES = sorted(one.name.removesuffix(".yaml") for one in (files("provkit.catalog") / "prompts").iterdir())


def test_slots_are_filled_once_so_that_braces_in_a_row_stay() -> None:
    made = Prompt("p", (("user", "{a} and {b}"),), {"max_tokens": 5}, None).request({"a": "{b}", "b": 2})
    assert made.plain() == {"messages": [{"role": "user", "content": "{b} and 2"}], "max_tokens": 5}


@pytest.mark.parametrize("values", [{}, {"a": None}, {"a": ["x"]}])
def test_a_slot_without_a_value_is_said(values: dict[str, object]) -> None:
    with pytest.raises(NoSuchSlot, match="needs 'a'"):
        Prompt("p", (("user", "{a}"),), {}, None).request(values)


def test_a_name_that_is_not_there_names_the_near_one() -> None:
    with pytest.raises(ValueError, match="did you mean 'bad_advice'"):
        prompt("bad_advise")


@pytest.mark.parametrize("name", NAMES)
def test_every_prompt_of_the_catalog_is_whole(name: str) -> None:
    found = prompt(name)
    assert found.turns and found.turns[-1][0] == "user"
    assert 0 < found.settings["max_tokens"] <= 2000 and 0 <= found.settings["temperature"] <= 1
    slots = {slot for _, text in found.turns for slot in SLOT.findall(text)}
    made = found.request(dict.fromkeys(slots, "something"))
    assert "{" not in "".join(turn["content"] for turn in made.messages)
    if found.schema is None:
        assert "response_format" not in made.settings
        return
    asked = " ".join(text for _, text in found.turns)
    assert all(field in asked for field in found.schema["properties"]), "the words name every field of the answer"
    assert made.settings["response_format"]["json_schema"]["schema"]["additionalProperties"] is False
    for rule in found.schema["properties"].values():
        assert "enum" in rule or rule["type"] in ("boolean", "integer") or rule["minLength"] >= 1


def test_the_words_of_a_prompt_change_with_any_part_of_it() -> None:
    one = Prompt("p", (("user", "{a}"),), {"max_tokens": 5}, None)
    others = [
        Prompt("q", (("user", "{a}"),), {"max_tokens": 5}, None),
        Prompt("p", (("user", "{a}!"),), {"max_tokens": 5}, None),
        Prompt("p", (("user", "{a}"),), {"max_tokens": 6}, None),
        Prompt("p", (("user", "{a}"),), {"max_tokens": 5}, {"properties": {}}),
    ]
    assert all(other.words != one.words for other in others)
