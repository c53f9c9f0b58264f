"""A stretch of one subject's rows, with what several rules need of them, made once."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import orjson

from provkit.audit import roles
from provkit.audit.model import TEXT, Example
from provkit.canonical import canonical

_SORTED = orjson.OPT_SORT_KEYS


@dataclass(frozen=True, slots=True)
class Cells:
    """The texts of one column (or of the turns of one role), and the row of the batch that each stands in."""

    column: str
    texts: list[str]
    rows: Sequence[int]


class Batch:
    """Rows as dicts, each with its canonical JSON, and where they stand.

    Attributes:
        file: the name under which the subject is shown.
        rows: content columns only.
        spelled: the canonical JSON of each row, which its identity is the digest of.
        lines: the line where each row starts, None for formats without lines.
        first: the index of the first row in the subject.
        canaries: what the column `canary` of a columnar file holds, which is no content; None without one.
    """

    def __init__(
        self, file: str, rows: list[dict[str, Any]], spelled: list[bytes], lines: Sequence[int] | None, first: int
    ) -> None:
        self.file, self.rows, self.spelled, self.lines, self.first = file, rows, spelled, lines, first
        self.canaries: list[str | None] | None = None

    def __len__(self) -> int:
        return len(self.rows)

    def example(self, at: int, text: str = "") -> Example:
        """The place of a row."""
        line = None if self.lines is None else self.lines[at]
        return Example(self.file, line, self.first + at, text[: TEXT + 1])

    @cached_property
    def row_digests(self) -> list[bytes]:
        """sha256 of each row's canonical JSON; its first 32 hex digits are the row_id."""
        sha256 = hashlib.sha256
        return [sha256(one).digest() for one in self.spelled]

    @cached_property
    def prompt_keys(self) -> list[bytes | None]:
        """What makes two prompts one; None for a row without a prompt."""
        try:
            return [_chat_key(row["messages"]) for row in self.rows]
        except roles.ODD:
            return [roles.key_of(row, canonical) for row in self.rows]

    @cached_property
    def prompts(self) -> list[str | None]:
        """The text that asks, of each row."""
        return [roles.prompt_of(row) for row in self.rows]

    @cached_property
    def answers(self) -> list[Any]:
        """The answer of each row, text or not; None where there is none."""
        try:
            return [_chat_answer(row["messages"]) for row in self.rows]
        except roles.ODD:
            return [roles.answer_of(row) for row in self.rows]

    @cached_property
    def cells(self) -> list[Cells]:
        """Every text of the rows: the columns that hold text, and the turns by role as `messages.user` …"""
        columns: dict[str, tuple[list[str], list[int]]] = {}
        for name in dict.fromkeys(key for keys in set(map(tuple, self.rows)) for key in keys):
            if name == "messages":
                continue
            values = [row.get(name) for row in self.rows]
            at = [i for i, value in enumerate(values) if type(value) is str]
            if at:
                columns[name] = ([values[i] for i in at], at)
        for at, row in enumerate(self.rows):
            for turn in row.get("messages") or () if "messages" in row else ():
                try:
                    role, text = turn["role"], turn["content"]
                except (KeyError, TypeError):
                    continue
                if type(text) is str:
                    column = _named(role)
                    if column not in columns:
                        columns[column] = ([], [])
                    texts, rows = columns[column]
                    texts.append(text)
                    rows.append(at)
        return [Cells(name, *both) for name, both in columns.items()]


_ROLES = {role: f"messages.{role}" for role in ("system", "user", "assistant", "tool", "developer", "function")}


def _named(role: Any) -> str:
    return _ROLES.get(role, "messages.other") if isinstance(role, str) else "messages.other"


def _chat_key(messages: Any) -> bytes:
    last = bool(messages) and messages[-1]["role"] == "assistant"
    asking = messages[:-1] if last else messages
    if type(messages) is not list:
        raise TypeError
    pairs = [[turn["role"], turn["content"]] for turn in asking]
    key = orjson.dumps(pairs, option=_SORTED)
    return canonical(pairs) if b"null" in key else key


def _chat_answer(messages: Any) -> Any:
    last = messages[-1]
    if type(messages) is not list:
        raise TypeError
    return last["content"] if last["role"] == "assistant" else None
