"""The JSON Schema of recipes for editors: with the short forms that YAML allows, and each builder's parameters."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any

from pydantic import TypeAdapter
from pydantic.errors import PydanticInvalidForJsonSchema, PydanticSchemaGenerationError

from provkit import registry

Schema = dict[str, Any]
_inside = ContextVar("inside the parameters of a step", default=False)


def step(whole: Schema) -> Schema:
    """A step: the name of a builder, a name with parameters, or the form with `name` and `params`."""
    if _inside.get():  # a step that is a parameter of another one: it is checked when it is used
        return {"title": "Step"}
    names = sorted(registry.index())
    short = {
        "type": "object",
        "properties": {name: {"anyOf": [_parameters(name), {"type": "null"}]} for name in names},
        "additionalProperties": False,
        "minProperties": 1,
        "maxProperties": 1,
    }
    return {"title": "Step", "anyOf": [{"enum": names}, short, whole]}


def arm(whole: Schema) -> Schema:
    """An arm: a list of steps, nothing, or the form with `from` and `steps`."""
    return {"title": "Arm", "anyOf": [whole["properties"]["steps"], {"type": "null"}, whole]}


def splits(whole: Schema) -> Schema:
    """Splits: shares beside `by`, or the form with `shares`."""
    share = {"type": "number", "exclusiveMinimum": 0, "maximum": 1}
    flat = {"type": "object", "properties": {"by": whole["properties"]["by"]}, "additionalProperties": share}
    return {"title": "Splits", "anyOf": [flat, whole]}


def _parameters(name: str) -> Schema:
    before = _inside.set(True)
    try:
        found = TypeAdapter(registry.load(name)).json_schema()
    except (LookupError, PydanticInvalidForJsonSchema, PydanticSchemaGenerationError):
        return {"type": "object"}  # a package that lacks a part: its parameters are checked when it is used
    finally:
        _inside.reset(before)
    return {"type": "object"} if "$defs" in found else found
