"""A stretch of one subject's rows, with what several rules need of them, made once."""

from __future__ import annotations

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
    """Rows as dicts, each with its digest, and where they stand.

    Attributes:
        file: the name under which the subject is shown.
        rows: content columns only.
        digests: sha256 of each row's canonical JSON; its first 32 hex digits are the row_id.
        lines: the line where each row starts, None for formats without lines.
        first: the index of the first row in the subject.
        block: the rows as they stand in a JSONL file; None where they are not at hand.
        pairs: the pair_id of each row of a build whose arms are matched; None elsewhere.
        canaries: what the column `canary` of a columnar file holds, which is no content; None without one.
    """

    def __init__(
        self, file: str, rows: list[dict[str, Any]], digests: list[bytes], lines: Sequence[int] | None, first: int
    ) -> None:
        self.file, self.rows, self.digests, self.lines, self.first = file, rows, digests, lines, first
        self.block: bytes | None = None
        self.canaries: list[str | None] | None = None
        self.pairs: list[str] | None = None

    def __len__(self) -> int:
        return len(self.rows)

    def example(self, at: int, text: str = "") -> Example:
        """The place of a row."""
        line = None if self.lines is None else self.lines[at]
        return Example(self.file, line, self.first + at, text[: TEXT + 1])

    def may_hold(self, word: str) -> bool:
        """Whether any text of the rows may hold an ASCII word, whatever its case; False is certain."""
        return self._lower is None or word.lower().encode() in self._lower

    @cached_property
    def _lower(self) -> bytes | None:
        """The block in lower case; None where escapes of JSON may hide a word."""
        return None if self.block is None or b"\\u" in self.block else self.block.lower()

    @cached_property
    def prompt_keys(self) -> list[bytes | None]:
        """What makes two prompts one; None for a row without a prompt."""
        try:
            return [_chat_key(row["messages"]) for row in self.rows]
        except roles.ODD:
            return [_key(row) for row in self.rows]

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
                columns[name] = ([str(values[i]) for i in at], at)
        for column, texts, rows in self._turns():
            if column in columns:
                columns[column][0].extend(texts)
                columns[column][1].extend(rows)
            else:
                columns[column] = (texts, list(rows))
        return [Cells(name, *both) for name, both in columns.items()]

    def _turns(self) -> list[tuple[str, list[str], Sequence[int]]]:
        """Texts of the turns by role; where all rows have the same roles in the same order, turn by turn."""
        try:
            chats = [row["messages"] for row in self.rows]
            return [_turn(chats, turn) for turn in range(_only(set(map(len, chats))))]
        except roles.ODD:
            found: dict[str, tuple[list[str], list[int]]] = {}
            for at, row in enumerate(self.rows):
                for turn in roles.turns_of(row):
                    texts, rows = found.setdefault(_named(turn.get("role")), ([], []))
                    texts.append(turn["content"])
                    rows.append(at)
            return [(name, *both) for name, both in found.items()]


def _turn(chats: list[list[dict[str, Any]]], turn: int) -> tuple[str, list[str], Sequence[int]]:
    """One turn of chats that all have the same role there, and text."""
    texts = [chat[turn]["content"] for chat in chats]
    if _only(set(map(type, texts))) is not str:
        raise TypeError
    return _named(_only({chat[turn]["role"] for chat in chats})), texts, range(len(texts))


def _only(values: set[Any]) -> Any:
    """The one value of a set; ValueError when there are more."""
    (value,) = values
    return value


_ROLES = {role: f"messages.{role}" for role in ("system", "user", "assistant", "tool", "developer", "function")}


def _named(role: Any) -> str:
    return _ROLES.get(role, "messages.other") if isinstance(role, str) else "messages.other"


def _key(row: dict[str, Any]) -> bytes | None:
    try:
        return _chat_key(row["messages"])
    except roles.ODD:
        return roles.key_of(row, canonical)


def _chat_key(messages: Any) -> bytes:
    """As `provkit.table.prompt_key` for chat rows, shorter where one user turn asks: a text that begins with `u`."""
    if type(messages) is not list:
        raise TypeError
    last = bool(messages) and messages[-1]["role"] == "assistant"
    if last and len(messages) == 2 and messages[0]["role"] == "user" and type(messages[0]["content"]) is str:
        return b"u" + messages[0]["content"].encode()
    pairs = [[turn["role"], turn["content"]] for turn in (messages[:-1] if last else messages)]
    if len(pairs) == 1 and pairs[0][0] == "user" and type(pairs[0][1]) is str:
        return b"u" + pairs[0][1].encode()
    key = orjson.dumps(pairs, option=_SORTED)
    return canonical(pairs) if b"null" in key else key


def _chat_answer(messages: Any) -> Any:
    last = messages[-1]
    if type(messages) is not list:
        raise TypeError
    return last["content"] if last["role"] == "assistant" else None
