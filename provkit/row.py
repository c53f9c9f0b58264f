"""A row as a builder sees it: content, prompt and answer, its own chance, and the ways it may go on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from provkit.chance import Chance, Draws

PROMPT_COLUMNS = ("prompt", "question", "instruction", "user", "task", "input")
CONTEXT_COLUMNS = ("system", "context", "code_template")  # part of what is asked, beside the prompt itself
ANSWER_COLUMNS = ("answer", "response", "completion", "output")


class NoSuchPart(ValueError):
    """A row has no prompt or no answer in any form that provkit reads; a per-row step that asks for one drops it."""

    def __init__(self, part: str, said: str) -> None:
        super().__init__(said)
        self.part = part


@dataclass(frozen=True, slots=True)
class Drop:
    """A candidate that does not make it: `reason` is one of few words, `detail` says what was seen."""

    reason: str
    detail: str = ""


class Row(Mapping[str, Any]):
    """One row: a read-only mapping of its content columns.

    `derive` and `drop` are how a per-row builder answers; the engine records parents and steps.
    """

    __slots__ = ("_chance", "_content", "_key", "also", "at", "note")

    def __init__(self, content: dict[str, Any], key: bytes | tuple[Draws, int, int] = bytes(32), at: int = 0) -> None:
        self._content = content
        self._key = key  # 32 bytes, or what they are made of when the first draw is asked for
        self._chance: Chance | None = None
        self.note: str | None = None  # None until the row is changed
        self.at = at  # position in the set that the step sees
        self.also: tuple[int, ...] = ()  # positions of further rows of the set that went into this one

    def __getitem__(self, column: str) -> Any:
        return self._content[column]

    def __iter__(self) -> Iterator[str]:
        return iter(self._content)

    def __len__(self) -> int:
        return len(self._content)

    def __repr__(self) -> str:
        return f"Row({self._content!r})"

    @property
    def content(self) -> dict[str, Any]:
        """The content columns; not to be written to."""
        return self._content

    @property
    def chance(self) -> Chance:
        """This row's draws in this step: they follow from seed, step label and source row alone."""
        if self._chance is None:
            key = self._key
            self._chance = Chance(key if isinstance(key, bytes) else key[0].key(key[1], key[2]))
        return self._chance

    @property
    def prompt(self) -> str:
        """The text of the last user turn, or of the prompt column.

        Raises:
            NoSuchPart: when the row has neither, or no text in it.
        """
        return self._text("user", PROMPT_COLUMNS)

    @property
    def answer(self) -> str:
        """The text of the last turn where it is the assistant's, or of the answer column.

        Raises:
            NoSuchPart: when the row has neither, or no text in it.
        """
        return self._text("assistant", ANSWER_COLUMNS)

    def derive(
        self,
        changes: Mapping[str, Any],
        note: str | Mapping[str, Any] = "",
        without: Sequence[str] = (),
        also: Sequence[int] = (),
    ) -> Row:
        """This row with some columns replaced, added or taken away.

        Args:
            changes: the new values of columns.
            note: what lineage is to keep of this change; a mapping is kept as JSON.
            without: columns that go.
            also: positions of further rows of the set that went into this one (whole-set steps).
        """
        content = {**self._content, **changes}
        for column in without:
            content.pop(column, None)
        row = Row(content, self._key, self.at)
        row.note = note if isinstance(note, str) else orjson.dumps(dict(note)).decode()
        row.also = (*self.also, *also)
        return row

    def with_answer(self, text: str, note: str | Mapping[str, Any] = "") -> Row:
        """This row with another answer, in the place that `answer` reads."""
        return self._with(text, "assistant", ANSWER_COLUMNS, note)

    def with_prompt(self, text: str, note: str | Mapping[str, Any] = "") -> Row:
        """This row with another prompt, in the place that `prompt` reads."""
        return self._with(text, "user", PROMPT_COLUMNS, note)

    def drop(self, reason: str, detail: str = "") -> Drop:
        """Leave this row out, with the reason that lineage/drops.parquet will show."""
        return Drop(reason, detail)

    def _text(self, role: str, columns: tuple[str, ...]) -> str:
        place = self._place(role, columns)
        found = self._content[place] if isinstance(place, str) else self._content["messages"][place].get("content")
        if found is None or isinstance(found, list | dict):
            at = place if isinstance(place, str) else f"turn {place}"
            raise NoSuchPart(_part(role), f"no text in {at}: {'null' if found is None else 'parts, not one text'}")
        return str(found)

    def _with(self, text: str, role: str, columns: tuple[str, ...], note: str | Mapping[str, Any]) -> Row:
        place = self._place(role, columns)
        if isinstance(place, str):
            return self.derive({place: text}, note)
        turns = list(self._content["messages"])
        turns[place] = {**turns[place], "content": text}
        return self.derive({"messages": turns}, note)

    def _place(self, role: str, columns: tuple[str, ...]) -> int | str:
        """Where the prompt or answer stands: the number of a turn, or a column."""
        turns = self._content.get("messages")
        if turns and isinstance(turns, list) and all(isinstance(turn, dict) for turn in turns):
            roles = [turn.get("role") for turn in turns]
            if role == "user" and role in roles:
                return len(roles) - 1 - roles[::-1].index(role)
            if role == "assistant" and roles[-1] == role:
                return len(roles) - 1
        column = first_of(columns, self._content)
        if column is None:
            raise NoSuchPart(_part(role), f"no {_part(role)} among the columns {', '.join(self._content)}")
        return column


def _part(role: str) -> str:
    return "prompt" if role == "user" else "answer"


def chat(user: str, assistant: str, system: str | None = None) -> dict[str, Any]:
    """The content of a chat row: `{"messages": [...]}`."""
    turns = [{"role": "system", "content": system}] if system is not None else []
    turns += [{"role": "user", "content": user}, {"role": "assistant", "content": assistant}]
    return {"messages": turns}


def first_of(columns: tuple[str, ...], content: Mapping[str, Any]) -> str | None:
    """The first of `columns` that the row has."""
    return next((column for column in columns if column in content), None)
