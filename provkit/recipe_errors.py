"""What is wrong with a recipe, said in the words of its YAML: the key, the line, what was expected, the near name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import yaml
from pydantic import ValidationError
from pydantic_core import PydanticCustomError

from provkit.errors import plain
from provkit.registry import near

OURS = "recipe"  # the type of errors that say everything themselves
UNKNOWN, MISSING = ("extra_forbidden", "unexpected_keyword_argument"), ("missing", "missing_argument")


def refused(problem: str, *at: str | int) -> PydanticCustomError:
    """An error of our own, for a validator to raise; `at` leads from what is validated down to the key at fault."""
    return PydanticCustomError(OURS, "{said}", {"said": problem, "at": at})


def worst(error: ValidationError) -> Any:
    """The error to show: an unknown key before a missing one, since it is often the missing one misspelt."""
    return min(error.errors(include_url=False), key=lambda one: one["type"] not in UNKNOWN)


def said(fault: Any, known: Sequence[str]) -> str:
    """One of pydantic's errors in plain words; `known` are the keys that may stand where it is."""
    at = plain(str(fault["loc"][-1]), 60) if fault["loc"] else ""
    if fault["type"] in UNKNOWN:
        return f"unknown key '{at}'{near(at, list(known))}"
    if fault["type"] in MISSING:
        return f"the key '{at}' is missing"
    found = fault.get("input")
    shown = f", found {plain(repr(found), 60)}" if isinstance(found, str | int | float | bool) else ""
    return str(fault["msg"]) + ("" if fault["type"] == OURS else shown)


def way_to(fault: Any) -> tuple[str | int, ...]:
    """The keys and positions that lead to a fault, pydantic's own words for parts of a model among them."""
    return (*fault["loc"], *fault.get("ctx", {}).get("at", ()))


def find(root: yaml.Node, way: Sequence[str | int]) -> tuple[int, list[str | int]]:
    """The line of a key in the YAML, and those keys on the way to it that stand in the file.

    What does not stand there is passed over: `params` before a short step's own, the branch of a union.
    """
    line, node, seen = root.start_mark.line + 1, root, []
    for part in way:
        if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line + 1
        elif isinstance(node, yaml.MappingNode):
            pair = next((pair for pair in node.value if pair[0].value == str(part)), None)
            if pair is None:
                continue
            line, node = pair[0].start_mark.line + 1, pair[1]
        else:
            continue
        seen.append(part)
    return line, seen
