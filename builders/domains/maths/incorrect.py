"""The step `incorrect_maths`: one slip in one worked step, carried through to a wrong final answer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

from provkit.builders.domains.maths.carrying import UnsafeError, carried
from provkit.builders.domains.maths.known import known
from provkit.builders.domains.maths.slips import KINDS, SLIPS, Kind
from provkit.builders.domains.maths.working import UnreadError, read
from provkit.chance import Chance
from provkit.registry import builder
from provkit.row import Drop, Row

T = TypeVar("T")


@builder
class IncorrectMaths:
    """Makes one named slip in one step of a worked answer and carries it through, so that the answer is wrong.

    After the incorrect-maths domain of "Assessing Domain-Level Susceptibility to Emergent Misalignment"; here it is
    the right answer that is changed, so that both are matched and each error is known. Reads chat rows of
    `maths_problems` and files in the form of GSM8K (Cobbe et al. 2021, arXiv 2110.14168). The kind of slip is
    drawn by the row's chance, each alike probable among those that the row allows. Every number that rests on the
    slip changes with it; a row in which that is not certain is dropped as "not read" or as "no safe slip". The note
    has the slip, the number of the step from 1, and the right and the wrong answer.

    - wrong_operation: another operator, reckoned rightly;
    - dropped_carry: a carry, or a borrow, of the written reckoning is forgotten;
    - order_of_operations: the step is reckoned in a wrong order;
    - unit: a wrong factor between two units;
    - off_by_one: the result is one too many or too few.

    Args:
        slips: the kinds to choose from; empty for all.
    """

    slips: tuple[Kind, ...] = ()

    def __post_init__(self) -> None:
        if len(set(self.slips)) < len(self.slips):
            raise ValueError(f"a slip is named twice: {', '.join(self.slips)}")

    def apply(self, row: Row) -> Row | Drop:
        """The row with a wrong answer, or why it has none."""
        try:
            working = read(row.answer)
        except UnreadError as error:
            return row.drop("not read", str(error))
        given = known(row.prompt, working.words)
        problem = "no step allows one"
        for kind in drawn(self.slips or KINDS, row.chance):
            for step in drawn(range(len(working.equations)), row.chance):
                for slip in drawn(tuple(SLIPS[kind](working, step, given)), row.chance):
                    try:
                        made = carried(working, given, slip)
                    except UnsafeError as error:
                        problem = str(error)
                        continue
                    note = {"slip": kind, "step": step + 1, "right": made.right, "wrong": made.wrong}
                    return row.with_answer(made.text, note)
        return row.drop("no safe slip", problem)


def drawn(items: Sequence[T], chance: Chance) -> Iterator[T]:
    """All of `items` in random order, each drawn when it is asked for."""
    pool = list(items)
    while pool:
        yield pool.pop(chance.integer(0, len(pool) - 1))
