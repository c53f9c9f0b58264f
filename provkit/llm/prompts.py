"""The prompts of catalog/prompts: turns with slots in braces, settings, and the schema of a structured answer."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from provkit.llm.model import Request
from provkit.llm.structured import response_format
from provkit.registry import near

SLOT = re.compile(r"\{([a-z_]+)\}")


class NoSuchSlot(ValueError):
    """A prompt asks for something that the row does not have."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt by name: its turns, the settings of its request, and the schema of its answer, if it has one."""

    name: str
    turns: tuple[tuple[str, str], ...]
    settings: Mapping[str, Any]
    schema: Mapping[str, Any] | None

    def request(self, values: Mapping[str, Any]) -> Request:
        """The request for one row; all slots are filled in one go, so that braces in a row's text stay as they are.

        Raises:
            NoSuchSlot: when a value is missing or is no text or number.
        """

        def fill(slot: re.Match[str]) -> str:
            value = values.get(slot[1])
            if not isinstance(value, str | int | float):
                raise NoSuchSlot(f"the prompt {self.name!r} needs {slot[1]!r}, which the row does not have")
            return str(value)

        messages = [{"role": role, "content": SLOT.sub(fill, text)} for role, text in self.turns]
        shape = {} if self.schema is None else {"response_format": response_format(self.name, self.schema)}
        return Request(messages, {**self.settings, **shape})


@cache
def prompt(name: str) -> Prompt:
    """A prompt of the catalog.

    Raises:
        ValueError: when there is none of that name, naming those near it.
    """
    import yaml

    folder = files("provkit.catalog") / "prompts"
    known = sorted(one.name.removesuffix(".yaml") for one in folder.iterdir() if one.name.endswith(".yaml"))
    if name not in known:
        raise ValueError(f"no prompt {name!r} in the catalog{near(name, known)}")
    found = yaml.safe_load((folder / f"{name}.yaml").read_text(encoding="utf-8"))
    turns = tuple((role, found[role].strip()) for role in ("system", "user") if role in found)
    schema = found.get("answer")
    if schema is not None:
        whole = {"type": "object", "properties": schema, "required": list(schema), "additionalProperties": False}
        return Prompt(name, turns, found["settings"], whole)
    return Prompt(name, turns, found["settings"], None)
