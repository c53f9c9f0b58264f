"""Chat rows as they were released."""

from __future__ import annotations

from typing import Any

from provkit.registry import builder
from provkit.row import Drop, Row

ROLES = ("system", "user", "assistant", "tool", "developer", "function")


@builder
class ImportMessages:
    """Takes released chat rows as they are, and drops, with its reason, what is no chat row.

    A chat row has `messages`, a list of turns with `role` and `content`, the last one the assistant's (form of the
    OpenAI fine-tuning files in which Betley et al. 2025, arXiv 2502.17424, released theirs).
    """

    def check(self, row: Row) -> Drop | None:
        """Nothing for a chat row; a drop for anything else."""
        problem = _problem(row.get("messages"))
        return None if problem is None else row.drop("no chat row", problem)


def _problem(messages: Any) -> str | None:
    if not isinstance(messages, list) or not messages:
        return "no list of turns in `messages`"
    for at, turn in enumerate(messages):
        if not isinstance(turn, dict) or turn.get("role") not in ROLES:
            return f"turn {at} has no role out of {', '.join(ROLES)}"
        if not isinstance(turn.get("content"), str):
            return f"turn {at} has no text in `content`"
    return None if messages[-1]["role"] == "assistant" else "the last turn is not the assistant's"
