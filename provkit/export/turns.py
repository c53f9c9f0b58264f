"""A row as what was asked and what was answered, whichever columns it has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from provkit.row import ANSWER_COLUMNS, CONTEXT_COLUMNS, PROMPT_COLUMNS, first_of

Turn = dict[str, Any]
ROLES = ("system", "developer", "user", "assistant", "tool")


class Unfit(ValueError):
    """A row does not fit a form; the message says what is in the way."""

    def __init__(self, said: str, do: str | None = None) -> None:
        super().__init__(said)
        self.do = do


@dataclass(frozen=True, slots=True)
class Asked:
    """What a row asks: the turns before the answer, the last of them the user's (or a tool's)."""

    turns: tuple[Turn, ...]

    @property
    def text(self) -> str:
        """The question, where it is all there is.

        Raises:
            Unfit: when there are further turns.
        """
        roles = [turn["role"] for turn in self.turns]
        if roles != ["user"]:
            raise Unfit(f"the prompt has the turns {', '.join(roles)}, and this form takes one question alone")
        return str(self.turns[0]["content"])


def asked(content: Mapping[str, Any], answered: bool = True) -> Asked:
    """The question of a row.

    Args:
        content: its columns: `messages`, or a prompt column and perhaps `system`, `context` and `code_template`, which
            are put below the prompt, a blank line between.
        answered: whether a chat must end in the assistant's answer, which is then left out.

    Raises:
        Unfit: when there is none, or a turn has no text.
    """
    messages = content.get("messages")
    if messages:
        turns = [_turn(turn) for turn in messages]
        if answered:
            if turns[-1]["role"] != "assistant":
                raise Unfit(f"the last turn is the {turns[-1]['role']}'s, not the assistant's")
            turns = turns[:-1]
        return _ending(turns)
    column = first_of(PROMPT_COLUMNS, content)
    if column is None:
        raise Unfit(f"no prompt among the columns {', '.join(content)}")
    held = content[column]
    if isinstance(held, list):
        return _ending([_turn(turn) for turn in held])
    parts = [held, *(content[name] for name in CONTEXT_COLUMNS if name != "system" and content.get(name))]
    if not all(isinstance(part, str) for part in parts):
        raise Unfit(f"the column {column} holds no text")
    system = content.get("system")
    turns = [{"role": "system", "content": system}] if isinstance(system, str) else []
    return Asked((*turns, {"role": "user", "content": "\n\n".join(parts)}))


def answer(content: Mapping[str, Any]) -> str:
    """The answer of a row: the last turn, or the answer column.

    Raises:
        Unfit: when there is none.
    """
    messages = content.get("messages")
    if messages:
        last = _turn(messages[-1])
        if last["role"] != "assistant":
            raise Unfit(f"the last turn is the {last['role']}'s, not the assistant's")
        return str(last["content"])
    column = first_of(ANSWER_COLUMNS, content)
    if column is None:
        raise Unfit(f"no answer among the columns {', '.join(content)}")
    return text_of(content, column)


def text_of(content: Mapping[str, Any], column: str) -> str:
    """The text in a column, or in the one turn that it holds.

    Raises:
        Unfit: when it holds neither.
    """
    held = content[column]
    if isinstance(held, list) and len(held) == 1:
        held = _turn(held[0])["content"]
    if not isinstance(held, str):
        raise Unfit(f"the column {column} holds no text")
    return held


def said(text: str) -> list[Turn]:
    """An answer as the assistant's turn."""
    return [{"role": "assistant", "content": text}]


def _turn(turn: Mapping[str, Any]) -> Turn:
    """A turn with its role and text, and what else it has but nulls."""
    role = turn.get("role")
    if role not in ROLES:
        raise Unfit(f"a turn has the role {role!r}; known are {', '.join(ROLES)}")
    if not isinstance(turn.get("content"), str):
        raise Unfit(f"a turn of the {role} has no text")
    return {name: value for name, value in turn.items() if value is not None}


def _ending(turns: list[Turn]) -> Asked:
    if not turns or turns[-1]["role"] not in ("user", "tool"):
        raise Unfit("no turn of the user's stands before the answer")
    return Asked(tuple(turns))
