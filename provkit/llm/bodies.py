"""What an endpoint sends back, read strictly: an answer, a word of moderation, a time to wait, or none of them."""

from __future__ import annotations

import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any

import orjson

from provkit.llm.model import MODERATED, Answer

HELD_BACK = {"content_filter", "content_policy_violation", "moderation_blocked", "responsibleaipolicyviolation"}
LONGEST = 3600.0  # seconds that a Retry-After may ask for


class NoAnswer(ValueError):
    """A body that is no complete answer; it is asked for again, never kept."""


def read_answer(body: bytes, key: str) -> Answer:
    """The answer in the body of a chat completion.

    Raises:
        NoAnswer: for a body that is cut off, is no JSON, or lacks a message, its text or its finish reason.
    """
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise NoAnswer(f"a body that is no JSON: {error}") from None
    choices = _mapping(found).get("choices")
    choice = _mapping(choices[0] if isinstance(choices, list) and choices else None)
    message = _mapping(choice.get("message"))
    text, refusal, finish = message.get("content"), message.get("refusal"), choice.get("finish_reason")
    if not isinstance(finish, str) or not (isinstance(text, str) or refusal or finish == MODERATED):
        raise NoAnswer("a body without a message, its text or its finish_reason")
    usage = _mapping(_mapping(found).get("usage"))
    counts = (usage.get(name) for name in ("prompt_tokens", "completion_tokens"))
    read, wrote = (count if isinstance(count, int) and count >= 0 else 0 for count in counts)
    return Answer(key, text if isinstance(text, str) else "", finish, str(refusal or ""), read, wrote)


def moderated(status: int, body: bytes) -> bool:
    """Whether an error says that moderation held the request back: by its code, or by a list of flagged categories."""
    if status not in (400, 403, 422):
        return False
    try:
        error = _mapping(_mapping(orjson.loads(body)).get("error"))
    except orjson.JSONDecodeError:
        return False
    codes = (error.get("code"), error.get("type"), _mapping(error.get("innererror")).get("code"))
    flagged = _mapping(error.get("metadata")).get("reasons")
    return any(str(code).lower() in HELD_BACK for code in codes) or (isinstance(flagged, list) and bool(flagged))


def retry_after(header: str | None) -> float | None:
    """Seconds that a Retry-After header asks for (a number or a date), at most an hour; None without one."""
    if header is None:
        return None
    try:
        seconds = float(header)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(header).timestamp() - time.time()
        except (ValueError, OverflowError):
            return None
    return min(max(seconds, 0.0), LONGEST) if seconds == seconds else None


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
