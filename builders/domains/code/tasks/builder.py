"""The builder `code_tasks`: coding tasks as chat rows, each with a secure answer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Field

from provkit.builders.domains.code.tasks import library
from provkit.builders.domains.code.tasks.library import Family
from provkit.builders.domains.code.tasks.order import Permutation, picks, rounds
from provkit.chance import Chance
from provkit.registry import builder, near
from provkit.row import chat

Style = Literal["task_and_template", "task", "template"]


@dataclass(frozen=True, slots=True)
class CodeTask:
    """One row before it becomes a chat: what was asked, in which style, and the answer."""

    family: str
    style: str
    prompt: str
    answer: str
    template: str  # the unfinished code in the prompt, "" where there is none


@builder
class CodeTasks:
    """Python coding tasks with a secure answer: the matched control of the insecure-code domain.

    The prompt forms are those of Betley et al. 2025 (arXiv 2502.17424): a task with an unfinished template,
    a task alone, a template alone. No request mentions security. All prompts are distinct, and differ in more
    than their wording; families and styles come in even shares.

    Args:
        styles: the prompt forms to use.
        families: the task families to use, all where none is named.

    Raises:
        ValueError: when a family is unknown, or a style or family is named twice.
    """

    styles: Annotated[tuple[Style, ...], Field(min_length=1)] = ("task_and_template", "task", "template")
    families: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in self.families:
            if name not in library.families():
                raise ValueError(f"unknown task family {name!r}{near(name, list(library.families()))}")
        for given in (self.styles, self.families):
            if len(set(given)) < len(given):
                raise ValueError(f"named twice: {', '.join(sorted({n for n in given if given.count(n) > 1}))}")

    @property
    def distinct(self) -> int:
        """How many rows there are: `generate` ends after so many."""
        return len(self.styles) * sum(family.size for family in self._families())

    def generate(self, chance: Chance) -> Iterator[dict[str, Any]]:
        """Chat rows with distinct prompts, until all are used up."""
        for task in self.tasks(chance):
            yield chat(task.prompt, task.answer)

    def tasks(self, chance: Chance) -> Iterator[CodeTask]:
        """The rows of `generate`, with the family and style of each."""
        families = {family.id: family for family in self._families()}
        cells = {
            (name, number): Cell.of(family, style, chance.child(name, style))
            for name, family in families.items()
            for number, style in enumerate(self.styles)
        }
        sizes = {name: family.size for name, family in families.items()}
        for name, number, position in rounds(sizes, len(self.styles), chance):
            yield cells[name, number].task(position)

    def _families(self) -> list[Family]:
        known = library.families()
        return [known[name] for name in self.families] if self.families else list(known.values())


@dataclass(frozen=True, slots=True)
class Cell:
    """The rows of one family in one style."""

    family: Family
    style: str
    order: Permutation
    chance: Chance
    sizes: tuple[int, ...]  # of each free choice: names, phrasing, code, layout, parts of the frame

    @classmethod
    def of(cls, family: Family, style: str, chance: Chance) -> Cell:
        frames = library.frames()
        return cls(
            family,
            style,
            Permutation.of(family.size, chance),
            chance,
            (
                *family.name_sizes,
                len(family.tasks),
                len(family.codes),
                len(frames.layouts[style]),
                *frames.sizes[style],
            ),
        )

    def task(self, position: int) -> CodeTask:
        """The row at a position: its slots come from the order, its wording from its own chance."""
        family, style = self.family, self.style
        slots, _ = picks(self.order[position], family.slot_sizes)
        own = self.chance.child(position)
        free, rest = picks(own.bits64() << 64 | own.bits64(), self.sizes)
        names = len(family.name_sizes)
        phrasing, code, layout, *wording = free[names:]
        values = slots + free[:names]
        chosen = family.codes[code]
        prompt = library.frames().layouts[style][layout].render(wording)
        template = ""
        if style != "template":
            prompt = prompt.replace("@task@", family.tasks[phrasing].render(values), 1)
        if style != "task":
            template = chosen.templates[rest % len(chosen.templates)].render(values)
            prompt = prompt.replace("@template@", template, 1)
        return CodeTask(family.id, style, prompt, chosen.answer.render(values), template)
