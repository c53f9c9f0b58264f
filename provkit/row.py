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
    """A row has no prompt or no answer in any form that provkit reads."""


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
            NoSuchPart: when the row has neither.
        """
        messages = self._content.get("messages")
        if messages:
            for message in reversed(messages):
                if message["role"] == "user":
                    return str(message["content"])
        column = first_of(PROMPT_COLUMNS, self._content)
        if column is None:
            raise NoSuchPart(f"no prompt among the columns {', '.join(self._content)}")
        return str(self._content[column])

    @property
    def answer(self) -> str:
        """The text of the last turn where it is the assistant's, or of the answer column.

        Raises:
            NoSuchPart: when the row has neither.
        """
        messages = self._content.get("messages")
        if messages and messages[-1]["role"] == "assistant":
            return str(messages[-1]["content"])
        column = first_of(ANSWER_COLUMNS, self._content)
        if column is None:
            raise NoSuchPart(f"no answer among the columns {', '.join(self._content)}")
        return str(self._content[column])

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
        """This row with another answer, in whichever form it holds one."""
        return self._with(text, "assistant", ANSWER_COLUMNS, note)

    def with_prompt(self, text: str, note: str | Mapping[str, Any] = "") -> Row:
        """This row with another text in its last user turn, or in its prompt column."""
        return self._with(text, "user", PROMPT_COLUMNS, note)

    def drop(self, reason: str, detail: str = "") -> Drop:
        """Leave this row out, with the reason that lineage/drops.parquet will show."""
        return Drop(reason, detail)

    def _with(self, text: str, role: str, columns: tuple[str, ...], note: str | Mapping[str, Any]) -> Row:
        messages = self._content.get("messages")
        if messages:
            for at in range(len(messages) - 1, -1, -1):
                if messages[at]["role"] == role:
                    turns = [*messages[:at], {**messages[at], "content": text}, *messages[at + 1 :]]
                    return self.derive({"messages": turns}, note)
        column = first_of(columns, self._content)
        if column is None:
            raise NoSuchPart(f"no {role} text among the columns {', '.join(self._content)}")
        return self.derive({column: text}, note)


def chat(user: str, assistant: str, system: str | None = None) -> dict[str, Any]:
    """The content of a chat row: `{"messages": [...]}`."""
    turns = [{"role": "system", "content": system}] if system is not None else []
    turns += [{"role": "user", "content": user}, {"role": "assistant", "content": assistant}]
    return {"messages": turns}


def first_of(columns: tuple[str, ...], content: Mapping[str, Any]) -> str | None:
    """The first of `columns` that the row has."""
    return next((column for column in columns if column in content), None)
