"""The recipe that mends what can be mended without doubt: duplicate rows, white space, entities, numbers as text."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from provkit import sql
from provkit.audit.form import Form
from provkit.audit.reading import read
from provkit.audit.scan import Asked
from provkit.audit.subject import Subject
from provkit.audit.text import Texts
from provkit.errors import InputError
from provkit.recipe import Recipe

SUMMARY = "A mended copy: exact duplicates dropped, white space, HTML entities and numbers as text put right."


@dataclass(frozen=True, slots=True)
class Mended:
    """What is known of a file before it is mended: its format, and the columns whose numbers are text."""

    subject: Subject
    format: str
    numbers: Mapping[str, str]


def look(subject: Subject) -> Mended:
    """Reads a file and says how it can be mended.

    Raises:
        InputError: when the file's form is not one that a build reads; the finding says what to do by hand.
    """
    if subject.kind is None:
        raise InputError("its name tells no format, so it cannot be mended", file=subject.name)
    form = Form(subject.name)
    texts = Texts(subject, Asked(frozenset({"T005"})))
    for batch in read(subject, form):
        texts.see(batch)
    kind = "json" if any(one.rule.id == "F002" for one in form.findings(0)) else subject.kind
    return Mended(subject, kind, texts.numeric())


def recipe(mended: Sequence[Mended], name: str) -> Recipe:
    """A recipe with a source and an arm for each file, or arm and split of a build; its steps mend it.

    Files are bound by their paths.

    Raises:
        pydantic.ValidationError: when no recipe can be made of them.
    """
    names = _names([one.subject for one in mended])
    found = [_source(one) for one in mended]
    bound = [str(one["files"]) for one in found]
    sources = dict(zip(names, found, strict=True))
    arms = {key: {"from": key, "steps": _steps(one)} for key, one in zip(names, mended, strict=True)}
    return Recipe.model_validate(
        {
            "name": re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:60] or "mended",
            "summary": SUMMARY,
            "licence": "other",
            "sensitivity": "gated",
            "sources": sources,
            "arms": arms,
        },
        context={"bound": bound},
    )


def _source(one: Mended) -> dict[str, str | None]:
    """A file; an arm and split of a build are read with their lineage."""
    subject = one.subject
    if subject.build:
        return {"files": str(subject.path.resolve().parents[2]), "arm": subject.arm, "split": subject.split}
    return {"files": str(subject.path.resolve()), "format": one.format}


def _steps(one: Mended) -> list[object]:
    steps: list[object] = ["mend_whitespace", "mend_entities"]
    if one.numbers:
        steps.append({"mend_numbers": {"columns": dict(one.numbers)}})
    return [*steps, "dedup"]


def _names(subjects: Sequence[Subject]) -> list[str]:
    """A name of its own for each file, as arms and sources are named."""
    names: list[str] = []
    for subject in subjects:
        own = f"{subject.arm}_{subject.split}" if subject.build else subject.path.name.split(".")[0]
        stem = re.sub(r"[^a-z0-9]+", "_", own.lower()).strip("_")[:40]
        stem = stem if stem[:1].isalpha() and stem not in sql.names() else f"data_{stem}".rstrip("_")
        number = 2
        unique = stem
        while unique in names:
            unique, number = f"{stem}_{number}", number + 1
        names.append(unique)
    return names
