"""Text with slots: `${slot.part:form}` references, and code with alternatives and regions to cut out.

A line of code that holds nothing but a marker is not part of the code:

- `#{`, `#|`, `#}`: alternatives, one of which is taken;
- `#[`, `#]`: a region that may be cut out for the unfinished template; where they nest, one of them is cut;
- a line that ends in `#-` (an import that the cut part needs) is left out of every template, unmarked.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from provkit.builders.domains.code.tasks.words import FORMS
from provkit.errors import InputError

REFERENCE = re.compile(r"\$\{(\w+)(?:\.(\w+))?(?::(\w+))?\}")
LEFT_OUT = "#-"
PLACEHOLDER = "placeholder"


@dataclass(frozen=True, slots=True)
class Values:
    """The values of one slot: each a mapping of part (`name`, `key`, ...) to phrase."""

    parts: tuple[Mapping[str, str], ...]
    _columns: dict[tuple[str, str], tuple[str, ...]]  # memo: a vocabulary is shared by many families

    @classmethod
    def of(cls, values: Sequence[str | Mapping[str, str]]) -> Values:
        """Plain phrases are the `name` of their value."""
        return cls(tuple({"name": v} if isinstance(v, str) else v for v in values), {})

    def __len__(self) -> int:
        return len(self.parts)

    def column(self, part: str, form: str) -> tuple[str, ...]:
        """One part of every value in one form."""
        found = self._columns.get((part, form))
        if found is None:
            shape = FORMS[form]
            found = self._columns[part, form] = tuple(shape(value[part]) for value in self.parts)
        return found


@dataclass(frozen=True, slots=True)
class Text:
    """Compiled text: a %-format, and for each reference the slot's number and the string of every value."""

    format: str
    references: tuple[tuple[int, tuple[str, ...]], ...]

    @classmethod
    def compile(cls, source: str, slots: Mapping[str, Values]) -> Text:
        """`slots` in the order in which `render` will be given their picks.

        Raises:
            InputError: when a reference names no slot, part or form that there is.
        """
        numbers = {name: number for number, name in enumerate(slots)}
        references = []
        for match in REFERENCE.finditer(source):
            name, part, form = match[1], match[2] or "name", match[3] or ""
            if name not in slots or form not in FORMS or any(part not in v for v in slots[name].parts):
                raise InputError(f"no such reference: {match[0]}", do=f"slots: {', '.join(slots)}")
            references.append((numbers[name], slots[name].column(part, form)))
        return cls(REFERENCE.sub("%s", source.replace("%", "%%")), tuple(references))

    def render(self, picks: Sequence[int]) -> str:
        """The text with the value that `picks` chooses for each slot."""
        return self.format % tuple([column[picks[slot]] for slot, column in self.references])

    def columns(self, slot: int) -> list[tuple[str, ...]]:
        """What this text shows of a slot: for each reference to it, the string of every value."""
        return [column for number, column in self.references if number == slot]


@dataclass(frozen=True, slots=True)
class Code:
    """An answer, and the unfinished templates that can be cut out of it."""

    answer: Text
    templates: tuple[Text, ...]

    @classmethod
    def variants(cls, source: str, slots: Mapping[str, Values]) -> tuple[Code, ...]:
        """Every combination of the alternatives; `slots` must hold the slot `placeholder`.

        Raises:
            InputError: when markers do not match or a reference names nothing.
        """
        return tuple(cls.compile(lines, slots) for lines in combinations(source.rstrip().split("\n")))

    @classmethod
    def compile(cls, marked: Sequence[str], slots: Mapping[str, Values]) -> Code:
        """Code without alternatives: its lines with the markers of regions and of lines left out."""
        lines: list[str] = []
        left_out: set[int] = set()
        opened: list[int] = []
        regions: list[tuple[int, int]] = []
        for line in marked:
            if line.strip() == "#[":
                opened.append(len(lines))
            elif line.strip() == "#]":
                if not opened:
                    raise InputError("#] without #[")
                regions.append((opened.pop(), len(lines)))
            else:
                if line.endswith(LEFT_OUT):
                    left_out.add(len(lines))
                lines.append(line.removesuffix(LEFT_OUT).rstrip())
        if opened or not regions:
            raise InputError("code needs at least one region, from #[ to #]")
        templates = [cut(lines, left_out, start, end) for start, end in regions]
        return cls(
            Text.compile("\n".join(lines), slots),
            tuple(Text.compile(template, slots) for template in templates),
        )


def cut(lines: Sequence[str], left_out: set[int], start: int, end: int) -> str:
    """The code with lines [start, end) replaced by a placeholder at the indent of the first of them."""
    first = next(line for line in lines[start:end] if line)
    indent = first[: len(first) - len(first.lstrip())]
    before = [line for at, line in enumerate(lines[:start]) if at not in left_out]
    after = [line for at, line in enumerate(lines[end:], end) if at not in left_out]
    template = "\n".join([*before, f"{indent}${{{PLACEHOLDER}}}", *after]).strip("\n")
    return re.sub(r"\n{4,}", "\n\n\n", template)  # the blank lines around an import that was left out


def combinations(lines: Sequence[str]) -> Iterator[list[str]]:
    """The lines under every combination of the alternatives (`#{`, `#|`, `#}`), which do not nest."""
    blocks: list[list[list[str]]] = [[[]]]
    inside = False
    for line in lines:
        marker = line.strip()
        if marker in ("#{", "#|", "#}") and inside != (marker != "#{"):
            raise InputError(f"{marker} out of place")
        if marker == "#{":
            blocks.append([[]])
            inside = True
        elif marker == "#|":
            blocks[-1].append([])
        elif marker == "#}":
            blocks.append([[]])
            inside = False
        else:
            blocks[-1][-1].append(line)
    if inside:
        raise InputError("#{ without #}")
    for chosen in itertools.product(*blocks):
        yield [line for block in chosen for line in block]
