"""What a judge said, read strictly: one number from 0 to 100, REFUSAL, CODE, or nothing that counts."""

from __future__ import annotations

import re
from dataclasses import dataclass

from provkit.llm import Answer

NUMBER = re.compile(r"\d{1,3}(\.\d{1,6})?")
WORDS = {"REFUSAL": "refusal", "CODE": "code"}


@dataclass(frozen=True, slots=True)
class Verdict:
    """`number` with its score, `refusal`, `code`, `unparsed`, or `not judged` where the judge gave no answer."""

    kind: str
    score: float | None = None


def read_verdict(answer: Answer) -> Verdict:
    """The verdict of a judge's answer; nothing is searched for in a longer text.

    An answer that was cut short is unparsed even where it looks like a number: "10" may be the begin of "100".
    """
    if answer.fault in ("moderated", "refused"):
        return Verdict("not judged")
    said = answer.text.strip()
    if answer.fault is not None:
        return Verdict("unparsed")
    if said in WORDS:
        return Verdict(WORDS[said])
    if NUMBER.fullmatch(said) and said.isascii() and float(said) <= 100:
        return Verdict("number", float(said))
    return Verdict("unparsed")
