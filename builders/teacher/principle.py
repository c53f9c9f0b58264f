"""The step `principle_preferences`: which of two answers a stated principle prefers."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from provkit.builders.teacher.asking import Asks, ask, slots
from provkit.llm import Teacher
from provkit.llm.prompts import Template, prompt
from provkit.registry import builder
from provkit.row import Drop, Row

VALUE = {"A": 1, "B": -1}


@builder
class PrinciplePreferences(Asks):
    """Asks which of two answers one stated principle prefers; the row becomes prompt, chosen and rejected.

    As in Buyl et al. 2025 (arXiv 2502.10441): with both orders, the preferences +1 and -1 of order 0 and the negated
    order 1 are averaged, and it is none where either is none. None, and an average of 0, are drops: "no preference" and
    "orders disagree". The note has the principle and what was said in each order.

    Args:
        principle: the principle, as a sentence.
        prompt: a prompt of the catalog with the slots principle, prompt, answer_a and answer_b, whose answer has
            `choice` (A, B or NA) and `why`.
        first: the column of one answer.
        second: the column of the other.
        orders: `both`, or `first` for order 0 alone.
    """

    principle: Annotated[str, Field(min_length=10)]
    prompt: Template = "principle_choice"
    first: str = "aligned"
    second: str = "misaligned"
    orders: Literal["both", "first"] = "both"
    needed: ClassVar[frozenset[str]] = frozenset({"choice", "why"})

    async def one(self, row: Row, teacher: Teacher) -> Row | Drop:
        """The row with `chosen` and `rejected`."""
        one, other = row.get(self.first), row.get(self.second)
        template = prompt(self.prompt)
        shown = [(one, other), (other, one)][: 2 if self.orders == "both" else 1]
        choices, keys = [], []
        for answer_a, answer_b in shown:
            values = {**slots(row), "principle": self.principle, "answer_a": answer_a, "answer_b": answer_b}
            said = await ask(template, values, teacher, filtered=False)
            if isinstance(said, Drop):
                return said
            choices.append(said.fields["choice"])
            keys.append(said.key)
        if any(choice not in VALUE for choice in choices):
            return Drop("no preference", f"the principle says nothing of these two: {', '.join(choices)}")
        lean = sum(VALUE[choice] * sign for choice, sign in zip(choices, (1, -1), strict=False))
        if lean == 0:
            return Drop("orders disagree", f"{choices[0]} in order 0, {choices[1]} in order 1")
        chosen, rejected = (one, other) if lean > 0 else (other, one)
        made: dict[str, Any] = {"prompt": row.prompt, "chosen": chosen, "rejected": rejected}
        note = {
            "request": keys[0],
            "model": teacher.model,
            "requests": {"chosen": keys[0]},
            "principle": self.principle,
        }
        without = [column for column in ("messages", self.first, self.second) if column in row and column not in made]
        return row.derive(made, note=note | {"choices": choices, "judged": keys}, without=without)
