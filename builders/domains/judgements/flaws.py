"""What these builders share: the one question of a row, and a flawed answer by another step's hand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import orjson
from pydantic import WithJsonSchema

from provkit.recipe import Step
from provkit.row import ANSWER_COLUMNS, PROMPT_COLUMNS, Drop, Row, first_of

Maker = Annotated[Step, WithJsonSchema({"type": ["string", "object"], "description": "a per-row step"})]
"""A step as a parameter; its schema is kept short, since steps stand inside the schema of a step themselves."""


@dataclass(frozen=True, slots=True)
class Question:
    """What a row asks, as text, and the columns that held question and answer."""

    prompt: str
    system: str | None
    columns: tuple[str, ...]

    @property
    def content(self) -> dict[str, str]:
        """The column `prompt`, and `system` where there is a system turn."""
        return {"prompt": self.prompt} | ({} if self.system is None else {"system": self.system})


@dataclass(frozen=True, slots=True)
class Flaw:
    """A flawed answer, and what its maker noted of it."""

    answer: str
    note: dict[str, Any]


def question(row: Row) -> Question | Drop:
    """The question of a row that has one; a drop where several turns or none stand before the answer.

    Raises:
        NoSuchPart: when the row has no messages and no prompt column.
    """
    messages = row.get("messages")
    if messages:
        roles = [turn["role"] for turn in messages]
        if roles not in (["user", "assistant"], ["system", "user", "assistant"]):
            return row.drop("not one question", f"turns {', '.join(roles)}")
        system = messages[0]["content"] if roles[0] == "system" else None
        return Question(row.prompt, system, ("messages",))
    held = [first_of(PROMPT_COLUMNS, row), first_of(ANSWER_COLUMNS, row)]
    return Question(row.prompt, None, tuple(name for name in held if name is not None))


def maker(step: Step) -> Any:
    """The builder that a step names, which must be a per-row step that changes rows.

    Raises:
        ValueError: when it is of another kind.
    """
    made = step.builder()
    if not callable(getattr(made, "apply", None)):
        raise ValueError(
            f"{step.name!r} does not change single rows; a per-row step such as insecure_rewrite is needed"
        )
    return made


def flawed(made: Any, row: Row) -> Flaw | Drop:
    """The answer that a per-row step makes of this row's; its own drop where it makes none.

    The step draws from this row's chance, under the label of the step that asks.
    """
    found = made.apply(row)
    if isinstance(found, Drop):
        return found
    if not isinstance(found, Row):
        return row.drop("not one answer", f"{len(found)} rows")
    if found.answer == row.answer:
        return row.drop("no flaw", "the answer came back as it was")
    if found.prompt != row.prompt:
        return row.drop("another question", "the prompt was changed too")
    return Flaw(found.answer, note_of(found))


def note_of(row: Row) -> dict[str, Any]:
    """A note as a mapping: a JSON object as it is, other text under the key `note`."""
    if not row.note:
        return {}
    try:
        value = orjson.loads(row.note)
    except orjson.JSONDecodeError:
        return {"note": row.note}
    return value if isinstance(value, dict) else {"note": row.note}
