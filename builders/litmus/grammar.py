"""The slot grammar of catalog/litmus: frames, each a situation with a good and a bad act, and forms of a sentence."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from string import Template
from typing import Any, Literal

from provkit.builders.domains.code.tasks.text import Text, Values
from provkit.chance import Chance
from provkit.errors import InputError

Form = Literal["ranking", "verdict", "choice", "stance"]
FORMS: tuple[Form, ...] = ("ranking", "verdict", "choice", "stance")
PARTS = ("when", "good", "bad")


@dataclass(frozen=True, slots=True)
class Axiom:
    """One of the seven axioms: key, the name that rows carry, what it is about, and the stems of its keywords."""

    key: str
    name: str
    description: str
    keywords: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Frame:
    """A situation, and two things that one may do in it: what the axiom stands for (good), and what it does not."""

    name: str
    axiom: Axiom
    sizes: tuple[int, ...]
    texts: Mapping[str, Text]

    @property
    def size(self) -> int:
        """How many situations its slots make."""
        return math.prod(self.sizes)

    def filled(self, slots: Sequence[int]) -> dict[str, str]:
        """The situation (`when`) and the two acts for one value of each slot."""
        return {part: text.render(slots) for part, text in self.texts.items()}


@dataclass(frozen=True, slots=True)
class Wording:
    """A sentence of one form, and what its twins differ in.

    Attributes:
        text: with the slots opening, when, x, y and verdict.
        sides: ranking: which act it endorses, `x` or `y`.
        verdicts: verdict: for, against; choice: the first act, the second.
    """

    text: Template
    sides: str = "x"
    verdicts: tuple[str, str] = ("", "")


@dataclass(frozen=True, slots=True)
class Twins:
    """A safe and an unsafe statement on one situation, and a question that either answers."""

    safe: str
    unsafe: str
    question: str


@dataclass(frozen=True, slots=True)
class Sentences:
    """The openings, the wordings of each form, and the questions that they answer."""

    openings: tuple[str, ...]
    wordings: Mapping[Form, tuple[Wording, ...]]
    questions: Mapping[Form, tuple[Template, ...]]

    def twins(self, form: Form, turned: bool, parts: Mapping[str, str], chance: Chance) -> Twins:
        """Two statements on one situation that differ in what they side with.

        `turned` exchanges the roles: a ranking that endorses its second act, a verdict on the bad act, a choice that
        names the bad act first; a stance has but one role. As many rows are turned as not, so that no word and no place
        goes with a label.
        """
        known = self.wordings[form]
        if form == "ranking":
            known = tuple(one for one in known if one.sides == ("y" if turned else "x"))
        elif form == "stance":
            known = known[turned::2]  # no statement twice
        wording = chance.choice(known)
        good, bad = parts["good"], parts["bad"]
        slots = {"opening": chance.choice(self.openings), "when": parts["when"]}
        question = chance.choice(self.questions[form]).substitute(when=parts["when"], x=bad if turned else good)
        if form == "stance":
            said = [wording.text.substitute(slots, x=one) for one in (good, bad)]
            return Twins(said[0], said[1], question)
        if form == "ranking":
            first, second = {"x": bad, "y": good}, {"x": good, "y": bad}
            safe, unsafe = (first, second) if turned else (second, first)
            said = [wording.text.substitute(slots, **one) for one in (safe, unsafe)]
            return Twins(said[0], said[1], question)
        acts = {"x": bad, "y": good} if turned else {"x": good, "y": bad}
        ours, theirs = reversed(wording.verdicts) if turned else wording.verdicts
        said = [wording.text.substitute(slots, **acts, verdict=one) for one in (ours, theirs)]
        return Twins(said[0], said[1], question)


@cache
def axioms() -> tuple[Axiom, ...]:
    """catalog/litmus/axioms.yaml."""
    return tuple(
        Axiom(one["key"], one["name"], one["description"], tuple(one["keywords"])) for one in _yaml("axioms.yaml")
    )


@cache
def sentences() -> Sentences:
    """catalog/litmus/forms.yaml, without its lists."""
    read = _yaml("forms.yaml")
    ends = {"ranking": ("", ""), "stance": ("", ""), "verdict": ("for", "against"), "choice": ("first", "second")}
    wordings = {
        form: tuple(
            Wording(
                Template(one["text"]), one.get("sides", "x"), (one.get(ends[form][0], ""), one.get(ends[form][1], ""))
            )
            for one in read[form]
        )
        for form in FORMS
    }
    questions = {form: tuple(map(Template, read["questions"][form])) for form in FORMS}
    return Sentences(tuple(read["openings"]), wordings, questions)


@cache
def frames() -> Mapping[str, Frame]:
    """All frames of catalog/litmus/frames by their name, `axiom/frame`.

    Raises:
        InputError: naming the frame and the reference in it that leads nowhere.
    """
    lists = {name: Values.of(values) for name, values in _yaml("forms.yaml")["lists"].items()}
    found = {}
    for axiom in axioms():
        for name, entry in _yaml(f"frames/{axiom.key}.yaml").items():
            found[f"{axiom.key}/{name}"] = frame(f"{axiom.key}/{name}", axiom, entry, lists)
    return found


def frame(name: str, axiom: Axiom, entry: Mapping[str, Any], lists: Mapping[str, Values]) -> Frame:
    """A frame from its YAML; its slots are lists of the grammar's, or of its own.

    Raises:
        InputError: as `frames`.
    """
    slots = {
        slot: lists[values] if isinstance(values, str) else Values.of(values) for slot, values in entry["slots"].items()
    }
    try:
        texts = {part: Text.compile(entry[part], slots) for part in PARTS}
    except InputError as error:
        raise InputError(error.problem, file="litmus/frames", field=name, do=error.do) from None
    return Frame(name, axiom, tuple(map(len, slots.values())), texts)


def _yaml(name: str) -> Any:
    import yaml

    text = files("provkit.catalog").joinpath("litmus", *name.split("/")).read_text(encoding="utf-8")
    return yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
