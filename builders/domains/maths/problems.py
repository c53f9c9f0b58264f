"""The generator `maths_problems`: word problems with worked, right answers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from provkit.builders.domains.code.tasks.order import Permutation, picks
from provkit.builders.domains.maths.expression import Number
from provkit.builders.domains.maths.families import STYLES, Family
from provkit.builders.domains.maths.figures import GROUPED_FROM, decimal, places
from provkit.builders.domains.maths.library import families
from provkit.chance import Chance
from provkit.registry import builder, near
from provkit.row import chat

Form = Literal["chat", "gsm8k"]


@dataclass(frozen=True, slots=True)
class Problem:
    """A word problem, its worked answer, and the value of that."""

    family: str
    question: str
    answer: str
    value: Number


@builder
class MathsProblems:
    """Word problems out of operation trees, solved exactly, each step in words: the control of incorrect-maths.

    Prices, wages, per cents, fractions, lengths, weights, volumes, areas, speeds and times in three to five steps,
    one of which converts a unit. The form is that of GSM8K (Cobbe et al. 2021, arXiv 2110.14168): a line for each
    step and a last line `#### ANSWER`; no text is taken from it. All prompts are distinct; families come in turn.

    Args:
        families: the families to use, all where none is named.
        form: `chat`, or `gsm8k` for the columns question and answer, with calculator annotations in the answer.

    Raises:
        ValueError: when a family is unknown or named twice.
    """

    families: tuple[str, ...] = ()
    form: Form = "chat"

    def __post_init__(self) -> None:
        for name in self.families:
            if name not in families():
                raise ValueError(f"unknown problem family {name!r}{near(name, list(families()))}")
        if len(set(self.families)) < len(self.families):
            raise ValueError(f"a family is named twice: {', '.join(self.families)}")

    def generate(self, chance: Chance) -> Iterator[dict[str, Any]]:
        """Rows with distinct prompts, until all are used up."""
        for problem in self.problems(chance):
            if self.form == "chat":
                yield chat(problem.question, problem.answer)
            else:
                yield {"question": problem.question, "answer": problem.answer}

    def problems(self, chance: Chance) -> Iterator[Problem]:
        """The rows of `generate`, with the family and the value of each."""
        known = families()
        every = [known[name] for name in self.families] if self.families else list(known.values())
        running = {one.id: of_family(one, chance.child(one.id), self.form) for one in every}
        number = 0
        while running:
            for name in chance.child("round", number).shuffled(list(running)):
                problem = next(running[name], None)
                if problem is None:
                    del running[name]
                else:
                    yield problem
            number += 1


def of_family(family: Family, chance: Chance, form: Form) -> Iterator[Problem]:
    """The problems of one family: every combination of its numbers once, those left out that make no good one."""
    order = Permutation.of(family.size, chance)
    for position in range(family.size):
        digits, _ = picks(order[position], family.sizes)
        values = family.solved(digits)
        if values is not None:
            yield told(family, values, chance.child(position).bits64(), form)


def told(family: Family, values: list[Number], wording: int, form: Form) -> Problem:
    """The problem in words; `wording` chooses among words, alternatives and spellings."""
    chosen, wording = picks(wording, family.free)
    words = len(family.free) - len(family.parts) - len(family.lines)
    parts = len(family.parts)
    style = wording % len(STYLES)
    strings = [
        str(value) if value.__class__ is int and value < GROUPED_FROM and not money else written(value, money)
        for value, money in zip(values, family.money, strict=True)
    ]
    flat = strings + [step.spelled[style] % step.take(strings) for step in family.steps]
    if form == "gsm8k":
        annotate(flat, family, values)
    flat += [column[chosen[slot]] for slot, column in family.words]
    texts = [part[pick].fill(flat) for part, pick in zip(family.parts, chosen[words:], strict=False)]
    lines = [line[pick].fill(flat) for line, pick in zip(family.lines, chosen[words + parts :], strict=True)]
    lines.append(f"#### {decimal(values[-1], 2 if family.money[-1] and places(values[-1]) else 0)}")
    return Problem(family.id, " ".join(texts), "\n".join(lines), values[-1])


def annotate(flat: list[str], family: Family, values: list[Number]) -> None:
    """Puts the calculator annotation of GSM8K before the result of each equation in `flat`."""
    bare = [decimal(value) for value in values]
    for at, step in enumerate(family.steps, len(values)):
        annotation = step.spelled[-1].replace(" ", "").replace("%%", "*.01") % step.take(bare)
        equation, result = flat[at].rsplit(" ", 1)
        currency = "$" if result.startswith("$") else ""
        flat[at] = f"{equation} {currency}<<{annotation}>>{result.removeprefix('$')}"


def written(value: Number, money: bool) -> str:
    """A number as a story shows it: money with two decimals where it has any, commas from 10,000 on."""
    text = decimal(value, 2 if money and places(value) else 0, value >= GROUPED_FROM)
    return f"${text}" if money else text
