"""A streamed answer, let through sentence by sentence as the shield has checked it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from provkit.defences.answers import FIELDS, STOPPED, told_together
from provkit.defences.shield import Ruling, Shield

STOPS = (". ", "! ", "? ", "\n")
LONGEST = 400  # characters that are held back at most, where no sentence ends
DONE = b"data: [DONE]\n\n"


@dataclass(slots=True)
class Stream:
    """One field of one choice: what came, what was let through, and whether it was stopped.

    Text is let through sentence by sentence, each checked together with all before it.
    """

    shield: Shield
    annotate: bool
    text: str = ""
    sent: int = 0
    ruling: Ruling = field(default_factory=lambda: Ruling(False, ()))

    def take(self, more: str) -> str:
        """Adds text; returns what may be sent now."""
        self.text += more
        if self.annotate:
            return more
        end = max(
            (at + len(stop) for stop in STOPS if (at := self.text.rfind(stop, self.sent)) >= 0), default=self.sent
        )
        if end > self.sent:
            return self._checked(end)
        return self._checked(len(self.text)) if len(self.text) - self.sent >= LONGEST else ""

    def end(self) -> str:
        """The rest."""
        if self.annotate:
            self.ruling = self.shield.check(self.text)
            return ""
        return self._checked(len(self.text))

    def _checked(self, end: int) -> str:
        self.ruling = self.shield.check(self.text[:end])
        if self.ruling.refused:
            return ""
        begin, self.sent = self.sent, end
        return self.text[begin:end]


@dataclass(slots=True)
class Choice:
    """One choice of a streamed answer, its fields by name: those of a chat delta, or the text of a completion."""

    shield: Shield
    annotate: bool
    fields: dict[str, Stream] = field(default_factory=dict)
    ended: bool = False

    @property
    def stopped(self) -> bool:
        """Whether no more of it goes out."""
        return not self.annotate and any(one.ruling.refused for one in self.fields.values())

    @property
    def told(self) -> dict[str, Any]:
        """What the shield says of it, as plain data."""
        return told_together(((name, one.ruling) for name, one in self.fields.items()), self.annotate)

    def passed(self, event: Mapping[str, Any]) -> list[dict[str, Any]]:
        """What of one event may be sent; `event` is its entry under `choices`."""
        chat, finish = "text" not in event, event.get("finish_reason")
        given = event.get("delta") or {} if chat else {"text": event["text"]}
        said = {name: text for name in (*FIELDS, "text") if isinstance(text := given.get(name), str)}
        texts = {name: self._field(name).take(text) for name, text in said.items()}
        if finish is not None:
            self.ended = True
            texts |= {n: texts.get(n, "") + one.end() for n, one in self.fields.items() if not one.ruling.refused}
        if self.stopped:
            self.ended = True
            held: dict[str, Any] = {"delta": {}} if chat else {"text": ""}
            return [{**event, **held, "logprobs": None, "finish_reason": STOPPED, "provkit": self.told}]
        rest = {name: value for name, value in given.items() if name not in said}
        empty = {name: text for name, text in said.items() if not text}  # the first event of many endpoints
        shown = {**rest, **empty, **{name: text for name, text in texts.items() if text}}
        if not (shown or finish is not None):
            return []
        made = {**event, **({"delta": shown} if chat else {"text": shown.get("text", "")})}
        if not self.annotate and "logprobs" in made:
            made["logprobs"] = None  # they would name tokens that are held back
        return [{**made, "provkit": self.told} if finish is not None else made]

    def rest(self, index: int) -> list[dict[str, Any]]:
        """What is left of a choice whose stream broke off."""
        if self.ended:
            return []
        chat = "text" not in self.fields
        blank: dict[str, Any] = {"delta": dict.fromkeys(self.fields, "")} if chat else {"text": ""}
        return [{**one, "finish_reason": None} if not self.stopped else one
                for one in self.passed({"index": index, **blank, "finish_reason": "cut"})]  # fmt: skip

    def _field(self, name: str) -> Stream:
        return self.fields.setdefault(name, Stream(self.shield, self.annotate))


def streamed(lines: Iterator[str], shield: Shield, annotate: bool, number: int = 1) -> Iterator[bytes]:
    """Server-sent events of an answer, held back until they are checked.

    Where a choice is stopped, its last event says so and the others go on; events that are no choices pass as they are.
    A stream that breaks off has its checked rest sent, and no end.

    Args:
        lines: of the endpoint's answer.
        shield: what checks.
        annotate: let everything through, with what was found.
        number: how many choices were asked for.
    """
    choices: dict[int, Choice] = {}
    last: dict[str, Any] = {}
    whole = False
    for line in lines:
        if not line.startswith("data:"):
            continue
        data = line.removeprefix("data:").strip()
        if whole := data == "[DONE]":
            break
        last = json.loads(data)
        kept = []
        for event in last.get("choices") or []:
            choice = choices.setdefault(event.get("index", 0), Choice(shield, annotate))
            if not choice.stopped:
                kept += choice.passed(event)
        if kept or not last.get("choices"):
            yield _event({**last, "choices": kept})
        if whole := len(choices) >= number and all(one.stopped for one in choices.values()):
            break
    left = [event for index, choice in choices.items() for event in choice.rest(index)]
    if left:
        yield _event({**last, "choices": left})
    if whole:
        yield DONE


def _event(value: Mapping[str, Any]) -> bytes:
    return b"data: " + json.dumps(value).encode() + b"\n\n"
