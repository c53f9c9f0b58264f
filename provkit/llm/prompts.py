"""The prompts of catalog/prompts and of recipes: turns with slots in braces, settings, the schema of the answer."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from provkit.llm.model import Request
from provkit.llm.structured import response_format
from provkit.registry import near

SLOT = re.compile(r"\{([a-z_]+)\}")
INLINE = "written"  # the name of a prompt that a recipe writes itself


class NoSuchSlot(ValueError):
    """A prompt asks for something that the row does not have."""


class Rule(BaseModel):
    """What one field of a structured answer may be; lengths are those of the text without white space at its ends."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    type: Literal["string", "integer", "number", "boolean"]
    enum: list[str | int] | None = None
    minLength: int | None = None  # noqa: N815 (the words of JSON Schema)
    maxLength: int | None = None  # noqa: N815
    minimum: float | int | None = None
    maximum: float | int | None = None


class Written(BaseModel):
    """A prompt as YAML has it, in the catalog or under a step of a recipe."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    system: str | None = None
    user: Annotated[str, Field(min_length=1)]
    settings: dict[str, Any] = Field(default_factory=dict)
    answer: dict[Annotated[str, Field(pattern="^[a-z_]+$")], Rule] | None = None


Template = str | Written  # the name of a prompt of the catalog, or a prompt


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt by name: its turns, the settings of its request, and the schema of its answer, if it has one."""

    name: str
    turns: tuple[tuple[str, str], ...]
    settings: Mapping[str, Any]
    schema: Mapping[str, Any] | None

    @property
    def words(self) -> list[Any]:
        """All of it as plain data: what a build's identity knows of it."""
        return [self.name, [list(turn) for turn in self.turns], dict(self.settings), self.schema]

    @property
    def fields(self) -> frozenset[str]:
        """The fields of its answer; none where it has no schema."""
        return frozenset(self.schema["properties"] if self.schema is not None else ())

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


def prompt(which: Template) -> Prompt:
    """A prompt of the catalog by its name, or one that a recipe writes itself.

    Raises:
        ValueError: when there is none of that name, naming those near it.
    """
    return _prompt(INLINE, which) if isinstance(which, Written) else _of_catalog(which)


@cache
def _of_catalog(name: str) -> Prompt:
    import yaml

    folder = files("provkit.catalog") / "prompts"
    known = sorted(one.name.removesuffix(".yaml") for one in folder.iterdir() if one.name.endswith(".yaml"))
    if name not in known:
        raise ValueError(f"no prompt {name!r} in the catalog{near(name, known)}")
    found = yaml.safe_load((folder / f"{name}.yaml").read_text(encoding="utf-8"))
    return _prompt(name, Written.model_validate(found))


def _prompt(name: str, found: Written) -> Prompt:
    turns = (("system", found.system), ("user", found.user))
    said = tuple((role, text.strip()) for role, text in turns if text is not None)
    if found.answer is None:
        return Prompt(name, said, found.settings, None)
    rules = {field: rule.model_dump(exclude_none=True) for field, rule in found.answer.items()}
    whole = {"type": "object", "properties": rules, "required": list(rules), "additionalProperties": False}
    return Prompt(name, said, found.settings, whole)
