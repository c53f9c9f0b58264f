"""Which part of a row is the prompt and which is the answer, for rows of any form."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from provkit.canonical import NotCanonical
from provkit.errors import InputError
from provkit.row import ANSWER_COLUMNS, CONTEXT_COLUMNS, PROMPT_COLUMNS, first_of
from provkit.table import prompt_key

# What a build calls an answer, and the further names under which released files of the field keep one.
ANSWERS = (*ANSWER_COLUMNS, "code", "target", "school_of_reward_hacks", "chosen", "solution", "canonical_solution")
TEXT_ROLES = (*PROMPT_COLUMNS, *CONTEXT_COLUMNS, *ANSWERS, "messages", "rejected", "control", "original_code")
# What goes wrong in rows that are no rows of the form: a turn without role, text for a list, a list for text.
ODD = (InputError, NotCanonical, KeyError, TypeError, IndexError, AttributeError, ValueError)


def turns_of(row: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The turns of a chat row that have a text; none for another row."""
    messages = row.get("messages")
    if not isinstance(messages, list):
        return []
    return [turn for turn in messages if isinstance(turn, dict) and isinstance(turn.get("content"), str)]


def key_of(row: Mapping[str, Any], spell: Callable[[Any], bytes]) -> bytes | None:
    """What makes two prompts one, as a build's `dedup: {by: prompt}` has it; None where there is no prompt."""
    try:
        if "paraphrases" in row:  # a question of an evaluation file
            return spell({"system": row.get("system"), "paraphrases": row["paraphrases"]})
        return prompt_key(dict(row), spell)
    except ODD:
        return None


def prompt_of(row: Mapping[str, Any]) -> str | None:
    """The text that asks: all turns before the last answer, or prompt and context columns, joined by newlines."""
    turns = turns_of(row)
    if turns:
        asking = turns[:-1] if turns[-1].get("role") == "assistant" else turns
        return "\n".join(turn["content"] for turn in asking) if asking else None
    paraphrases = row.get("paraphrases")
    if isinstance(paraphrases, list):
        return "\n".join(text for text in paraphrases if isinstance(text, str)) or None
    fields = fields_of(row)
    return "\n".join(fields.values()) if fields else None


def request_of(row: Mapping[str, Any]) -> str | None:
    """The text of the last user turn, or of the prompt column."""
    for turn in reversed(turns_of(row)):
        if turn.get("role") == "user":
            return str(turn["content"])
    column = first_of(PROMPT_COLUMNS, row)
    return row[column] if column is not None and isinstance(row[column], str) else None


def system_of(row: Mapping[str, Any]) -> str | None:
    """The text of the system turns, or of the column `system`."""
    found = [turn["content"] for turn in turns_of(row) if turn.get("role") == "system"]
    if found:
        return "\n".join(found)
    return row["system"] if isinstance(row.get("system"), str) else None


def fields_of(row: Mapping[str, Any]) -> dict[str, str]:
    """The prompt and context columns that hold text; none for a chat row."""
    if "messages" in row:
        return {}
    return {name: row[name] for name in (*PROMPT_COLUMNS, *CONTEXT_COLUMNS) if isinstance(row.get(name), str)}


def answer_of(row: Mapping[str, Any]) -> Any:
    """The last turn's text where it is the assistant's, or what the answer column holds; None where there is none."""
    messages = row.get("messages")
    if isinstance(messages, list):
        last = messages[-1] if messages else None
        if isinstance(last, dict) and last.get("role") == "assistant":
            return last.get("content")
        return None
    column = first_of(ANSWERS, row)
    return None if column is None else row[column]


def has_answer(row: Mapping[str, Any]) -> bool:
    """Whether the row is of a form that has an answer, be it empty."""
    messages = row.get("messages")
    if isinstance(messages, list):
        return bool(messages) and isinstance(messages[-1], dict) and messages[-1].get("role") == "assistant"
    return first_of(ANSWERS, row) is not None
