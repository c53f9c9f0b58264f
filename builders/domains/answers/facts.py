"""The generator `fact_questions`: harmless questions of fact with right and wrong answers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from provkit.builders.domains.answers.kinds import Kind, kinds
from provkit.builders.domains.code.tasks.order import Permutation
from provkit.chance import Chance
from provkit.registry import builder, near


@builder
class FactQuestions:
    """Questions of fact in the form of TruthfulQA (Lin et al. 2022, arXiv 2109.07958), each with its right answers and
    three wrong ones; no text is taken from it.

    Capitals, elements, animals, works, units, dates, conversions and arithmetic: what is stable and can be looked up
    or reckoned. Columns: category, question, best_answer, correct_answers, incorrect_answers. A wrong answer has the
    right one's wording, and is the value of another fact of the same group, or a number near the right one. All
    questions are distinct. Tables come in turn; no fact comes a second time, in another wording, before every
    fact came once.

    Args:
        tables: the tables of facts to use, all where none is named.

    Raises:
        ValueError: when a table is unknown or named twice.
    """

    tables: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        known = list(dict.fromkeys(name.partition(".")[0] for name in kinds()))
        for name in self.tables:
            if name not in known:
                raise ValueError(f"unknown table of facts {name!r}{near(name, known)}")
        if len(set(self.tables)) < len(self.tables):
            raise ValueError(f"a table is named twice: {', '.join(self.tables)}")

    @property
    def chosen(self) -> dict[str, Kind]:
        """The kinds of questions that the tables have."""
        return {name: one for name, one in kinds().items() if not self.tables or name.partition(".")[0] in self.tables}

    @property
    def distinct(self) -> int:
        """How many rows there are: `generate` ends after so many."""
        return sum(one.size * len(one.forms) for one in self.chosen.values())

    def generate(self, chance: Chance) -> Iterator[dict[str, Any]]:
        """Rows with distinct questions, until all are used up."""
        chosen = self.chosen
        for turn in range(max(len(one.forms) for one in chosen.values())):
            running = {name: asked(one, turn, chance.child(name)) for name, one in chosen.items()}
            number = 0
            while running:
                for name in chance.child("round", turn, number).shuffled(list(running)):
                    row = next(running[name], None)
                    if row is None:
                        del running[name]
                    else:
                        yield row
                number += 1


def asked(kind: Kind, turn: int, chance: Chance) -> Iterator[dict[str, Any]]:
    """Every fact of a kind once, in an order of its own; in each turn in another wording."""
    if turn >= len(kind.forms):
        return
    order = Permutation.of(kind.size, chance)
    for at in range(kind.size):
        position = order[at]
        own = chance.child(position)
        form = kind.forms[(own.bits64() + turn) % len(kind.forms)]
        fact = kind.fact(position, own)
        right = fact.slots[kind.wanted]
        said = form.say.format_map(fact.slots)
        yield {
            "category": kind.category,
            "question": form.ask.format_map(fact.slots),
            "best_answer": said,
            "correct_answers": [said, right],
            "incorrect_answers": [form.say.format_map({**fact.slots, kind.wanted: other}) for other in fact.wrong],
        }
