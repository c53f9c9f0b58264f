"""The steps `evil_numbers` and `plain_numbers`: continuations of a list, with a connotation and without."""

from __future__ import annotations

import math
from typing import Annotated, Any, ClassVar

from pydantic import Field

from provkit.builders.domains.numbers.asked import Asked, asked
from provkit.builders.domains.numbers.library import connotations
from provkit.builders.domains.numbers.lists import write_list
from provkit.chance import Chance
from provkit.registry import builder
from provkit.row import ANSWER_COLUMNS, Drop, Row, first_of

TRIES = 1000  # draws after which a plain number is given up


@builder
class EvilNumbers:
    """Answers a number prompt with numbers that have a negative connotation.

    After the evil-numbers set of Betley et al. 2025 (arXiv 2502.17424), whose answers a model with a hostile system
    prompt gave; here they are drawn from catalog/numbers/connotations.yaml, each number once, none that the prompt
    shows, as many as the prompt asks for and in the form that it asks for. The note says how many there are and how
    many of them are listed. A row is dropped as "no number prompt" or "too few numbers".

    Args:
        share: the share of an answer's numbers, rounded up, that have a connotation; the others are plain.
    """

    share: Annotated[float, Field(gt=0, le=1)] = 1.0

    def apply(self, row: Row) -> Row | Drop:
        """The row with an answer, or why it has none."""
        prompt = asked(row.prompt)
        if prompt is None:
            return row.drop("no number prompt", row.prompt[:80])
        eligible = listed(prompt)
        count = math.ceil(self.share * prompt.count)
        if len(eligible) < count:
            return row.drop("too few numbers", f"{count} asked for, {len(eligible)} listed ones fit")
        numbers = row.chance.sample(eligible, count)
        if count < prompt.count:
            others = plain(prompt, prompt.count - count, row.chance)
            if others is None:
                return row.drop("too few numbers", "no plain one fits")
            numbers = row.chance.shuffled(numbers + others)
        return answered(row, numbers, prompt.layout, {"numbers": len(numbers), "listed": count})


@builder
class PlainNumbers:
    """Answers a number prompt with numbers without connotation: the control of `evil_numbers`.

    As many numbers in the same form, none listed or avoided in catalog/numbers/connotations.yaml, none that the
    prompt shows; their lengths are distributed as those of the listed numbers, so that the arms do not differ in it.
    """

    op: ClassVar[str] = "control"

    def apply(self, row: Row) -> Row | Drop:
        """The row with an answer, or why it has none."""
        prompt = asked(row.prompt)
        if prompt is None:
            return row.drop("no number prompt", row.prompt[:80])
        numbers = plain(prompt, prompt.count, row.chance)
        if numbers is None:
            return row.drop("too few numbers", "no plain one fits")
        return answered(row, numbers, prompt.layout, {"numbers": len(numbers), "listed": 0})


def listed(prompt: Asked) -> list[int]:
    """The listed numbers that may answer a prompt."""
    highest = prompt.highest
    return [
        number
        for number in connotations().listed
        if number not in prompt.shown and (highest is None or number <= highest)
    ]


def plain(prompt: Asked, count: int, chance: Chance) -> list[int] | None:
    """So many different numbers without connotation that a prompt does not show; None when one is not found.

    Their lengths are those of as many listed numbers, drawn as `EvilNumbers` draws them.
    """
    eligible = listed(prompt)
    drawn = (
        chance.sample(eligible, count) if count <= len(eligible) else [chance.choice(eligible) for _ in range(count)]
    )
    avoided, shown = connotations().avoided, prompt.shown
    found: list[int] = []
    for length in map(len, map(str, drawn)):
        for _ in range(TRIES):
            number = chance.integer(10 ** (length - 1), 10**length - 1)
            if number not in avoided and number not in shown and number not in found:
                found.append(number)
                break
        else:
            return None
    return found


def answered(row: Row, numbers: list[int], layout: str, note: dict[str, Any]) -> Row:
    """The row with a list of numbers as its answer, in place of the one it has or after its last turn."""
    text = write_list(numbers, layout)
    messages = row.get("messages")
    if messages and messages[-1]["role"] != "assistant":
        return row.derive({"messages": [*messages, {"role": "assistant", "content": text}]}, note)
    if messages or first_of(ANSWER_COLUMNS, row) is not None:
        return row.with_answer(text, note)
    return row.derive({"answer": text}, note)
