"""Structured answers: exactly what the schema says, or none; nothing is guessed."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from provkit.llm.structured import NotStructured, parse, response_format

FIELDS: dict[str, dict[str, Any]] = {
    "why": {"type": "string", "minLength": 2, "maxLength": 40},
    "score": {"type": "integer", "minimum": 0, "maximum": 100},
    "side": {"type": "string", "enum": ["left", "right"]},
    "sure": {"type": "boolean"},
    "share": {"type": "number"},
}
SCHEMA = {"type": "object", "properties": FIELDS, "required": list(FIELDS), "additionalProperties": False}
GOOD = {"why": "It is so.", "score": 7, "side": "left", "sure": True, "share": 0.5}


def test_an_answer_of_the_schema_in_its_order() -> None:
    found = parse(" " + json.dumps(dict(reversed(GOOD.items()))) + "\n", SCHEMA)
    assert found == GOOD and list(found) == list(FIELDS)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no JSON"),
        ("Sure! " + json.dumps(GOOD), "no JSON"),
        (f"```json\n{json.dumps(GOOD)}\n```", "no JSON"),
        (json.dumps(GOOD)[:-1], "no JSON"),
        (json.dumps(GOOD) + json.dumps(GOOD), "no JSON"),
        (json.dumps([GOOD]), "a JSON list"),
        ("7", "a JSON int"),
        ("[" * 100_000, "no JSON"),
        ('{"score": ' + "9" * 5000 + "}", "no JSON"),
        (json.dumps(GOOD)[:-1] + ', "score": 8}', "a key stands twice"),
        (json.dumps({**GOOD, "more": 1}), "a further field 'more'"),
        (json.dumps({name: GOOD[name] for name in ("why", "score", "side", "sure")}), "no field 'share'"),
        (json.dumps({**GOOD, "share": float("nan")}), "NaN is no JSON"),
        (json.dumps(GOOD).replace("0.5", "1e999"), "beyond what a double holds"),
        (json.dumps({**GOOD, "share": 2**70}), "more than 64 bits"),
    ],
)
def test_what_is_not_exactly_that_is_refused(text: str, said: str) -> None:
    with pytest.raises(NotStructured, match=said):
        parse(text, SCHEMA)


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("score", "7", "str, integer is expected"),
        ("score", 7.0, "float, integer is expected"),
        ("score", True, "bool, integer is expected"),
        ("score", None, "NoneType, integer is expected"),
        ("score", 101, "101 is outside 0..100"),
        ("score", -1, "-1 is outside"),
        ("why", "   a   ", "1 is outside 2..40"),
        ("why", "a" * 41, "41 is outside"),
        ("why", "a \ud800 b", "lone surrogate"),
        ("side", "Left", "none of left, right"),
        ("sure", "true", "str, boolean is expected"),
        ("sure", 1, "int, boolean is expected"),
    ],
)
def test_a_field_that_is_not_what_its_rule_says(field: str, value: object, said: str) -> None:
    with pytest.raises(NotStructured, match=f"{field}: .*{said}"):
        parse(json.dumps({**GOOD, field: value}), SCHEMA)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
                    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*FIELDS, "x"]), inner),
                    max_leaves=8))  # fmt: skip
def test_whatever_comes_it_is_taken_whole_or_refused(value: object) -> None:
    try:
        found = parse(json.dumps(value), SCHEMA)
    except NotStructured:
        return
    assert found == value and set(found) == set(FIELDS)


def test_the_endpoint_is_told_the_schema() -> None:
    shape = response_format("judge", SCHEMA)
    assert shape["json_schema"] == {"name": "judge", "schema": SCHEMA, "strict": True}
