"""Carries a slip through a worked answer: every number that depends on it becomes another one, and no other does.

A number depends on a step when it has the value of the step's result and nothing else explains it. Where a number
could as well come from the question, from another step, or from nowhere that is seen, the slip is not taken.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from provkit.builders.domains.maths.expression import Number, evaluate, whole
from provkit.builders.domains.maths.figures import decimal, grouped_from, like, places
from provkit.builders.domains.maths.known import Known
from provkit.builders.domains.maths.slips import Slip
from provkit.builders.domains.maths.units import units
from provkit.builders.domains.maths.working import CURRENCIES, Equation, Working

FARTHEST = 50  # a result that is so many times too large or too small is no subtle mistake


class UnsafeError(ValueError):
    """A slip that this answer cannot carry, with the reason."""


@dataclass(frozen=True, slots=True)
class Carried:
    """A worked answer with a slip in it, its right final answer and its wrong one."""

    text: str
    right: str
    wrong: str


def carried(working: Working, known: Known, slip: Slip) -> Carried:
    """The answer with the slip made and carried through.

    Raises:
        UnsafeError: when a number's origin is not certain, a result is not natural, or the final answer stays right.
    """
    return _Carrying(working, known, slip).result()


class _Carrying:
    """The state of one pass over the equations: new results, and new values of figures."""

    def __init__(self, working: Working, known: Known, slip: Slip) -> None:
        self.working, self.known, self.slip = working, known, slip
        self.values: list[Number] = [equation.value for equation in working.equations]
        self.figures: dict[int, Number] = dict(slip.factors)
        self.money: set[int] = set()
        self.reckoned: dict[Number, set[Number]] = {}  # what each result of the steps so far has become

    def result(self) -> Carried:
        """All passes, and the text that comes of them."""
        working, slip = self.working, self.slip
        for step, equation in enumerate(working.equations):
            if step == slip.step:
                self.set_result(step, equation, whole(slip.value))
            elif step > slip.step:
                self.follow(step, equation)
            self.reckoned.setdefault(equation.value, set()).add(self.values[step])
        self.around()
        source = self.last()
        wrong = self.values[source]
        if wrong == working.figures.values[working.final]:
            raise UnsafeError("the final answer stays right")
        self.figures[working.final] = wrong
        if working.equations[source].money:
            self.money.add(working.final)
        return Carried(self.text(), working.figures.texts[working.final], self.spelled(working.final))

    def set_result(self, step: int, equation: Equation, value: Number) -> None:
        """Gives a step another result."""
        natural(equation, value)
        spelled = units().spelled.get(equation.value)
        if spelled in self.working.words:
            raise UnsafeError(f"{equation.value} is also said in words")
        self.values[step] = value
        for number in equation.results:
            self.figures[number] = value
        if equation.money:
            self.money.update(equation.results)

    def follow(self, step: int, equation: Equation) -> None:
        """Reckons a later step anew where it rests on a number that changed."""
        first = equation.sides[0]
        olds = equation.leaves
        news = tuple([self.origin(old, self.reckoned.get(old)) for old in olds])
        if news == olds:
            return
        value = evaluate(first.structure, news)
        if value is None:
            raise UnsafeError("a division by zero")
        for side in equation.sides:
            for number, old, new in zip(side.figures, olds, news, strict=True):
                if old != new:
                    self.figures[number] = new
        if value * equation.scale != equation.value:
            self.set_result(step, equation, whole(value * equation.scale))

    def around(self) -> None:
        """Changes the figures that repeat a result outside the equations."""
        working = self.working
        if not working.loose:
            return
        slipped = working.equations[self.slip.step].results[0]
        changed = {one.value for one, value in zip(working.equations, self.values, strict=True) if one.value != value}
        for number in working.loose:
            if number in self.figures:
                continue
            value, line = working.figures.values[number], working.line(number)
            if line < working.line(slipped):
                if value in changed and value not in self.known.numbers:
                    raise UnsafeError(f"{decimal(value)} is named before it is reckoned")
                continue
            news = {
                self.values[step]
                for step, equation in enumerate(working.equations)
                if equation.value == value
                and (equation.results[0] < number or working.line(equation.results[0]) == line)
            }
            new = self.origin(value, news, announced=number < slipped)
            if new != value:
                self.figures[number] = new
                if any(one.money for one in working.equations if one.value == value):
                    self.money.add(number)

    def origin(self, value: Number, news: set[Number] | None, announced: bool = False) -> Number:
        """What a number of that value becomes; `news` is what the results that it may repeat have become.

        `announced`: it stands before the slip, where nothing but a result that is announced can change it.
        """
        known = value in self.known.numbers
        if not news:
            if known or announced:
                return value
            raise UnsafeError(f"nothing explains the number {decimal(value)}")
        if len(news) > 1 or (known and value not in news):
            raise UnsafeError(f"{decimal(value)} may come from a step or from elsewhere")
        (new,) = news
        return new

    def last(self) -> int:
        """The step that the final answer repeats: the last one that has it."""
        final = self.working.figures.values[self.working.final]
        for step in range(len(self.values) - 1, -1, -1):
            if self.working.equations[step].value == final:
                return step
        raise UnsafeError("the final answer is no step's result")

    def text(self) -> str:
        """The answer with all changes written into it."""
        text, figures = self.working.text, self.working.figures
        edits = list(self.slip.edits)
        for number, value in self.figures.items():
            if value == figures.values[number]:
                continue
            start = figures.starts[number]
            if text.endswith((" a ", " an ", "A ", "An ", "-"), 0, start):
                raise UnsafeError("an article stands before a number that changes")
            edits.append((start, figures.end(number), self.spelled(number)))
        edits.sort()
        pieces: list[str] = []
        last = 0
        for start, end, new in edits:
            pieces += (text[last:start], new)
            last = end
        return "".join(pieces) + text[last:]

    def spelled(self, number: int) -> str:
        """A figure's new value in the manner of the answer: commas as elsewhere in it, none in an annotation."""
        text, figures = self.working.text, self.working.figures
        value, old, start = self.figures[number], figures.texts[number], figures.starts[number]
        if number in self.working.bare:
            return like(old, value, "", False)
        grouped = "," in old if number == self.working.final else value >= 1000 and value >= self.grouped_from
        money = number in self.money or (start > 0 and text[start - 1] in CURRENCIES)
        return like(old, value, self.currency if money else "", grouped)

    @cached_property
    def currency(self) -> str:
        """How the answer writes money: `cents` where whole amounts have decimals."""
        return "cents" if any(text.endswith(".00") for text in self.working.figures.texts) else "plain"

    @cached_property
    def grouped_from(self) -> float:
        """From which number on the answer writes commas."""
        aside = self.working.bare | {self.working.final}
        return grouped_from(text for n, text in enumerate(self.working.figures.texts) if n not in aside)


def natural(equation: Equation, value: Number) -> None:
    """Refuses a result that nobody would leave standing: negative, of the wrong grammar, or a part of an apple.

    Raises:
        UnsafeError: saying which.
    """
    right = equation.value
    if value <= 0 or not (right <= value * FARTHEST and value <= right * FARTHEST):
        raise UnsafeError("a result out of all proportion")
    if value == 1 or right == 1:
        raise UnsafeError("a result of one, which changes the words around it")
    count = places(value)
    if count == 0:
        return
    allowed = max(2, places(right) or 0) if places(right) or equation.money or equation.unit in units().measured else 0
    if count is None or count > allowed:
        raise UnsafeError("a result with decimals that its kind does not have")
