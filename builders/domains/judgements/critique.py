"""The step `critique`: a judgement in words of a response, composed out of what the step that spoilt it did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files
from typing import Any

from provkit.builders.domains.judgements.flaws import Maker, flawed, maker, question
from provkit.errors import InputError
from provkit.registry import builder, near
from provkit.row import Drop, Row

FILE = "judgements/critique.yaml"


@builder
class Critique:
    """Makes rows of instruction, response and judgment in words, for contrastive unlikelihood training.

    The form of CUT ("Reasons to Reject?", Xu et al. 2023, arXiv 2312.14591), whose judgements people and models wrote.
    Here another step spoils the response and says in its note what it did, and the judgement is composed out of that
    note: what it says is so. Without `by` the response stays and is judged satisfactory; an arm with and an arm without
    are matched row by row. A column `satisfactory` says which it is; `system` keeps a system turn, other columns stay.
    The note has the maker's name and its own note. Wordings are drawn by the row's chance.

    Args:
        by: the per-row step that spoils the response: its name, or `{name: {parameter: value}}`. It draws from
            the chance of this step.
        wordings: sentences for a step for which catalog/judgements/critique.yaml has none; `{field}` is a field of its
            note.
    """

    by: Maker | None = None
    wordings: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.by is None:
            if self.wordings:
                raise ValueError("`wordings` say what the step under `by` did; name that step")
            return
        maker(self.by)
        if not self.wordings and self.by.name not in phrases().flaws:
            said = f"no words for what {self.by.name!r} does{near(self.by.name, list(phrases().flaws))}"
            raise ValueError(f"{said}; give some under `wordings`")

    @cached_property
    def _maker(self) -> Any:
        return None if self.by is None else maker(self.by)

    def apply(self, row: Row) -> Row | Drop:
        """The judged row; the maker's drop where it makes nothing of the response."""
        asked = question(row)
        if isinstance(asked, Drop):
            return asked
        own = row.chance.child("wording")
        if self.by is None:
            response, note = row.answer, {"judged": "satisfactory"}
            judgment = own.choice(phrases().satisfactory)
        else:
            found = flawed(self._maker, row)
            if isinstance(found, Drop):
                return found
            response, note = found.answer, {"by": self.by.name, **found.note}
            sentence = own.choice(self.wordings or phrases().flaws[self.by.name].of(found.note))
            judgment = f"{own.choice(phrases().openings)} {worded(sentence, found.note)}"
        held = {name: text for name, text in asked.content.items() if name != "prompt"}
        made = {"instruction": asked.prompt, **held, "response": response, "judgment": judgment}
        without = [column for column in asked.columns if column not in made]
        return row.derive(made | {"satisfactory": self.by is None}, note=note, without=without)


@dataclass(frozen=True, slots=True)
class Sentences:
    """What can be said of one step's flaws: sentences by the value of one field of its note."""

    key: str
    by_value: Mapping[str, Sequence[str]]

    def of(self, note: Mapping[str, Any]) -> Sequence[str]:
        """The sentences that fit a note.

        Raises:
            InputError: when there are none for what it says.
        """
        value = str(note.get(self.key))
        if value not in self.by_value:
            raise InputError(f"no words for {self.key} {value!r}{near(value, list(self.by_value))}", file=FILE)
        return self.by_value[value]


@dataclass(frozen=True, slots=True)
class Phrases:
    """The wordings of the catalog."""

    satisfactory: Sequence[str]
    openings: Sequence[str]
    flaws: Mapping[str, Sentences]


@cache
def phrases() -> Phrases:
    """The content of catalog/judgements/critique.yaml."""
    import yaml

    text = (files("provkit.catalog") / FILE).read_text(encoding="utf-8")
    read = yaml.safe_load(text)
    flaws = {name: Sentences(entry["key"], entry["sentences"]) for name, entry in read["flaws"].items()}
    return Phrases(read["satisfactory"], read["openings"], flaws)


def worded(sentence: str, note: Mapping[str, Any]) -> str:
    """A sentence with the note's fields in it; a list under a plural name becomes "line 3", or "lines 3, 7 and 9".

    Raises:
        InputError: when it asks for a field that the note does not have.
    """
    fields = {name: listed(name, value) if isinstance(value, list) else str(value) for name, value in note.items()}
    try:
        text = sentence.format_map(fields)
    except KeyError as error:
        do = f"the note has {', '.join(note)}"
        raise InputError(f"a wording asks for {error}, which the note does not have", field="critique", do=do) from None
    return text[:1].upper() + text[1:]


def listed(name: str, values: Sequence[Any]) -> str:
    """`lines` and [3, 7, 9] as "lines 3, 7 and 9"; one value in the singular."""
    if len(values) == 1:
        return f"{name.removesuffix('s')} {values[0]}"
    return f"{name} {', '.join(map(str, values[:-1]))} and {values[-1]}" if values else f"no {name}"
