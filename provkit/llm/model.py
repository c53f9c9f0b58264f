"""A request to a language model, its key, and the answer to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from provkit.canonical import canonical, digest

MODERATED = "content_filter"  # the finish reason of an answer that moderation held back


def key_of(request: Mapping[str, Any], model: str, revision: str, sample: int) -> str:
    """The key of an answer: sha256 of the canonical JSON of what was asked, of whom, and for which time."""
    return digest({"request": request, "model": model, "revision": revision, "sample": sample})


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked: the turns, and the settings that go with them (temperature, max_tokens, response_format ...)."""

    messages: Sequence[Mapping[str, str]]
    settings: Mapping[str, Any] = field(default_factory=dict)

    def key(self, model: str, revision: str, sample: int) -> str:
        """sha256 of the canonical JSON of request, model, revision and sample index: 64 hex digits."""
        return key_of(self.plain(), model, revision, sample)

    def plain(self) -> dict[str, Any]:
        """The request as plain data."""
        return {"messages": [dict(turn) for turn in self.messages], **self.settings}

    def size(self) -> int:
        """Its length in bytes, as canonical JSON."""
        return len(canonical(self.plain()))


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model answered, why it stopped, and how many tokens it read and wrote."""

    key: str
    text: str
    finish: str
    refusal: str = ""
    prompt_tokens: int = 0
    completion_tokens: int = 0

    @property
    def fault(self) -> str | None:
        """Why this cannot be used as an answer: the reason of a drop; None when it can."""
        if self.finish == MODERATED:
            return "moderated"
        if self.refusal:
            return "refused"
        if self.finish == "length":
            return "cut short"
        return None if self.text.strip() else "empty"
