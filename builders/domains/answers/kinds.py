"""What catalog/answers/ holds: kinds of facts, out of tables or reckoned, with the wordings of each question."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from provkit.builders.domains.answers.numerals import roman, shown
from provkit.builders.domains.code.tasks.order import picks
from provkit.chance import Chance

WRONG = 3  # wrong answers of a question


@dataclass(frozen=True, slots=True)
class Form:
    """A wording of a question and of its answer, with slots in braces."""

    ask: str
    say: str


@dataclass(frozen=True, slots=True)
class Fact:
    """What is asked: the slots of the wording, and values that would be wrong in the slot that is asked for."""

    slots: Mapping[str, str]
    wrong: Sequence[str]


@dataclass(frozen=True, slots=True)
class Table:
    """Facts that stand in a table: each record has one value in every column."""

    category: str
    wanted: str
    forms: tuple[Form, ...]
    records: tuple[Mapping[str, str], ...]
    rivals: Mapping[str, tuple[str, ...]]  # by group: the values that a wrong answer may have

    @property
    def size(self) -> int:
        """How many facts there are."""
        return len(self.records)

    def fact(self, position: int, chance: Chance) -> Fact:
        """The fact of a record; its wrong values are those of others of its group."""
        record = self.records[position]
        others = [value for value in self.rivals[record["group"]] if value != record[self.wanted]]
        return Fact(record, chance.sample(others, WRONG))


@dataclass(frozen=True, slots=True)
class Reckoned:
    """Facts that follow from numbers by arithmetic, with a record of words for each where there is a table of them."""

    category: str
    wanted: str
    forms: tuple[Form, ...]
    value: str
    numbers: Mapping[str, range]
    records: tuple[Mapping[str, str], ...]
    wrong: tuple[int, ...]
    step: str | None

    @property
    def size(self) -> int:
        """How many facts there are."""
        return len(self.records) * math.prod(map(len, self.numbers.values()))

    def fact(self, position: int, chance: Chance) -> Fact:
        """The fact at a position; its wrong values are near the right one."""
        digits, at = picks(position, tuple(map(len, self.numbers.values())))
        record = self.records[at]
        numbers = {name: span[digit] for (name, span), digit in zip(self.numbers.items(), digits, strict=True)}
        value = reckoned(self.value, list(numbers.values()), int(record.get("factor", "1")))
        step = int(record[self.step]) if self.step is not None else 1
        near = chance.sample([other for off in self.wrong if (other := value + step * off) > 0], WRONG)
        slots = {**record, **{name: shown(number) for name, number in numbers.items()}, "value": shown(value)}
        if self.wanted == "roman" or any("{roman}" in form.ask for form in self.forms):
            slots["roman"] = roman(value)
        return Fact(slots, [roman(other) if self.wanted == "roman" else shown(other) for other in near])


Kind = Table | Reckoned


@cache
def kinds() -> Mapping[str, Kind]:
    """Every kind by name, `table.wanted column`, in the order of the files and of what stands in them."""
    found: dict[str, Kind] = {}
    for file in sorted((files("provkit.catalog") / "answers").iterdir(), key=lambda entry: entry.name):
        if file.name.endswith(".yaml"):
            entries = read(file.read_text(encoding="utf-8"))
            if "wanted" in entries:
                entries = {file.name.removesuffix(".yaml"): entries}
            for name, entry in entries.items():
                for wanted, wordings in entry["wanted"].items():
                    forms = tuple(Form(one["ask"], one["say"]) for one in wordings)
                    found[f"{name}.{wanted}"] = kind(entry, wanted, forms)
    return found


def kind(entry: Mapping[str, Any], wanted: str, forms: tuple[Form, ...]) -> Kind:
    """A kind out of its YAML."""
    if "value" in entry:
        rows = [dict(zip(entry["columns"], map(str, row), strict=True)) for row in entry.get("rows", ())]
        numbers = {name: range(low, high + 1) for name, (low, high) in entry["numbers"].items()}
        wrong, step = tuple(entry["wrong"]), entry.get("step")
        return Reckoned(entry["category"], wanted, forms, entry["value"], numbers, tuple(rows or [{}]), wrong, step)
    groups = {group: list(records(entry["columns"], rows, group)) for group, rows in entry["groups"].items()}
    every = [record for group in groups.values() for record in group]
    rivals = {}
    for group, own in groups.items():
        values = dict.fromkeys(record[wanted] for record in own)
        enough = values if len(values) > WRONG else dict.fromkeys(record[wanted] for record in every)
        rivals[group] = tuple(enough)
    return Table(entry["category"], wanted, forms, tuple(every), rivals)


def records(columns: Sequence[str], rows: Sequence[Any], group: str) -> Iterator[dict[str, str]]:
    """The records of a group: a list of values by column, or a mapping in which one column lists several values."""
    for row in rows:
        if isinstance(row, list):
            yield {"group": group, **dict(zip(columns, map(str, row), strict=True))}
            continue
        (several,) = (name for name, value in row.items() if isinstance(value, list))
        (other,) = (name for name in row if name != several)
        for number, value in enumerate(row[several], 1):
            yield {"group": group, several: str(value), other: str(number if row[other] == "count" else row[other])}


def reckoned(how: str, numbers: Sequence[int], factor: int) -> int:
    """The answer that follows from the numbers.

    Raises:
        KeyError: when `how` is none of the ways there are.
    """
    first, last = numbers[0], numbers[-1]
    ways = {"sum": first + last, "difference": first - last, "product": first * last, "same": first}
    return first * factor if how == "times factor" else ways[how]


def read(text: str) -> Any:
    """The content of YAML."""
    import yaml

    return yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
