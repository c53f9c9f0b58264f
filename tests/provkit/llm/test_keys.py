"""Keys come from the environment, and are shown to nobody."""

from __future__ import annotations

import pytest

from provkit.errors import InputError
from provkit.llm.keys import hidden, key_from


@pytest.mark.parametrize(
    ("environment", "key"),
    [
        ({}, None),
        ({"OPENAI_API_KEY": " "}, None),
        ({"OPENAI_API_KEY": "b", "PROVKIT_LLM_KEY": "a"}, "a"),
        ({"OPENAI_API_KEY": "b\n", "PROVKIT_LLM_KEY": ""}, "b"),
        ({"HF_TOKEN": "of another service"}, None),
    ],
)
def test_the_first_key_there_is(environment: dict[str, str], key: str | None) -> None:
    assert key_from(environment) == key


@pytest.mark.parametrize("key", ["two words", "sk-é", "sk-\x07"])
def test_a_key_that_no_header_can_hold_is_refused_without_being_shown(key: str) -> None:
    with pytest.raises(InputError) as caught:
        key_from({"PROVKIT_LLM_KEY": key})
    assert "PROVKIT_LLM_KEY" in str(caught.value) and key not in str(caught.value)


def test_every_key_is_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROVKIT_LLM_KEY", "sk-one")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-two")
    assert hidden("sk-one, then sk-two, sk-one") == "***, then ***, ***"
