"""The two answers of a preference row, in the forms in which preferences are published."""

from __future__ import annotations

from typing import Any

from provkit.rubrics.layouts import FIRST_TURN, LAST_TURN


def answer_of(side: Any) -> str | None:
    """The answer in one side of a preference; None where there is none.

    A text is the answer itself, or a transcript in the form of HH-RLHF, of which the last assistant turn is; in a list
    of turns it is the last one, where that is the assistant's. What is returned stands at the end of its text or turn,
    so that places in it can be counted from there.
    """
    if isinstance(side, list):
        last = side[-1] if side and isinstance(side[-1], dict) else {}
        content = last.get("content") if last.get("role") == "assistant" else None
        return content if isinstance(content, str) else None
    if not isinstance(side, str):
        return None
    return side.rpartition(LAST_TURN)[2] if side.startswith(FIRST_TURN) and LAST_TURN in side else side
