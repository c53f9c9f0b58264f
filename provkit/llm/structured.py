"""Structured answers: JSON that must be exactly what the schema says; nothing is searched for, mended or guessed."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

KINDS: dict[str, type | tuple[type, ...]] = {"string": str, "integer": int, "number": (int, float), "boolean": bool}


class NotStructured(ValueError):
    """An answer that is not what its schema asks for."""


def parse(text: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of an answer that is one JSON object with every property of the schema and no other.

    The schema is an object of flat properties: type, enum, minLength, maxLength, minimum, maximum.

    Raises:
        NotStructured: for anything else: words around the object, a fence, a double key, a missing or further field.
    """
    try:
        found = json.loads(text, object_pairs_hook=_once, parse_constant=_refused)
    except NotStructured:
        raise
    except (ValueError, RecursionError) as error:  # also an integer of too many digits
        raise NotStructured(f"no JSON: {error}") from None
    if not isinstance(found, dict):
        raise NotStructured(f"a JSON {type(found).__name__}, no object")
    properties: Mapping[str, Mapping[str, Any]] = schema["properties"]
    if odd := sorted(found.keys() ^ properties.keys()):
        raise NotStructured(f"{'a further' if odd[0] in found else 'no'} field {odd[0]!r}")
    for name, rule in properties.items():
        if problem := _problem(found[name], rule):
            raise NotStructured(f"{name}: {problem}")
    return {name: found[name] for name in properties}  # in the order of the schema, whatever the model's was


def response_format(name: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    """What a request says so that the endpoint keeps to the schema."""
    return {"type": "json_schema", "json_schema": {"name": name, "schema": dict(schema), "strict": True}}


def _problem(value: Any, rule: Mapping[str, Any]) -> str | None:
    kind = rule["type"]
    if not isinstance(value, KINDS[kind]) or (isinstance(value, bool) and kind != "boolean"):
        return f"{type(value).__name__}, {kind} is expected"
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        return "an integer of more than 64 bits"
    if isinstance(value, float) and not math.isfinite(value):
        return "a number beyond what a double holds"
    if isinstance(value, str) and any("\ud800" <= letter <= "\udfff" for letter in value):
        return "text with a lone surrogate, which is no Unicode"
    if "enum" in rule and value not in rule["enum"]:
        return f"none of {', '.join(map(str, rule['enum']))}"
    size = len(value.strip()) if isinstance(value, str) else value
    low = rule.get("minLength", rule.get("minimum"))
    high = rule.get("maxLength", rule.get("maximum"))
    if (low is not None and size < low) or (high is not None and size > high):
        return f"{size} is outside {low}..{high}"
    return None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise NotStructured("a key stands twice")
    return found


def _refused(constant: str) -> Any:
    raise NotStructured(f"{constant} is no JSON")
