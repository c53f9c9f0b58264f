"""What the shield says of an OpenAI-compatible answer that came in one piece, and the answer that goes on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from provkit.defences.shield import Ruling, Shield

REFUSAL = "This answer was held back: it repeats training text that stands against a stated policy."
STOPPED = "content_filter"  # the finish reason that clients know
FIELDS = ("content", "reasoning_content", "reasoning")  # of a message, or of a stream's delta, that a person may read


def told(ruling: Ruling) -> dict[str, Any]:
    """A ruling as plain data: what an answer carries under `provkit`."""
    marks = [mark for mark in ruling.marks if mark.refused]
    return {
        "refused": ruling.refused,
        "spans": [
            {
                "start": mark.span.start,
                "end": mark.span.end,
                "text": mark.text,
                "count": mark.span.count,
                "bci": mark.bci.bci,
                "bci_percentile": mark.bci.bci_percentile,
                "policy": mark.verdict.policy if mark.verdict else None,
                "conflict": mark.verdict.score if mark.verdict else None,
                "documents": [held.place.doc_id for held in mark.documents],
            }
            for mark in marks
        ],
    }


def told_together(rulings: Iterable[tuple[str, Ruling]], shown: bool) -> dict[str, Any]:
    """The rulings on several fields of one choice; a span outside the answer itself says in which field it is.

    Unless `shown`, the words of a span are left out: they are what is held back.
    """
    refused, spans = False, []
    for field, ruling in rulings:
        refused = refused or ruling.refused
        where = {} if field in ("content", "text") else {"field": field}
        marks = told(ruling)["spans"]
        spans += [{name: value for name, value in one.items() if shown or name != "text"} | where for one in marks]
    return {"refused": refused, "spans": spans}


def text_of(content: Any) -> str | None:
    """The text of a field that holds one, or a list of parts; None where it has none."""
    if isinstance(content, list):
        parts = [part.get("text") for part in content if isinstance(part, dict)]
        return "".join(part for part in parts if isinstance(part, str)) or None
    return content if isinstance(content, str) else None


def texts_of(choice: Mapping[str, Any]) -> dict[str, str]:
    """What of a choice a person may read, by field: of a chat message, or the text of a plain completion."""
    holder = choice.get("message") or {}
    found = {name: text_of(holder.get(name)) for name in FIELDS} | {"text": text_of(choice.get("text"))}
    return {name: text for name, text in found.items() if text is not None}


def whole(answer: dict[str, Any], shield: Shield, annotate: bool) -> dict[str, Any]:
    """An answer that came in one piece, with what the shield says of each of its choices.

    Of a refused choice nothing stays: neither reasoning, nor tool calls, nor the probabilities of its tokens.
    """
    for choice in answer.get("choices") or []:
        texts = texts_of(choice)
        if not texts:
            continue
        rulings = zip(texts, shield.check_many(list(texts.values())), strict=True)
        choice["provkit"] = told_together(rulings, annotate)
        if choice["provkit"]["refused"] and not annotate:
            if "text" in texts:
                choice["text"] = REFUSAL
            else:
                role = (choice.get("message") or {}).get("role", "assistant")
                choice["message"] = {"role": role, "content": REFUSAL}
            choice["logprobs"], choice["finish_reason"] = None, STOPPED
    return answer
