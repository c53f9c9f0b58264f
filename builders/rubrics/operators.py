"""The edit operators: each changes a rubric in one deterministic way and keeps its criteria and its form."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from provkit.chance import Chance
from provkit.rubrics.pieces import ITEM, Piece, list_of, listing, names_of
from provkit.rubrics.template import FORM

GUARD = re.compile(r"(?:Avoid|Do not|Never|Be |Maintain|The order in which|A longer answer|Names of|Judge the|Only )")


@dataclass(frozen=True, slots=True)
class Change:
    """What an operator made of the pieces, and in words what it put in, and in the place of what."""

    pieces: list[Piece]
    put: str
    was: str = ""


Operator = Callable[[list[Piece], Chance], Change | None]


@cache
def words() -> Mapping[str, Any]:
    """The tables of catalog/rubric_edits/words.yaml."""
    import yaml

    file = files("provkit.catalog") / "rubric_edits" / "words.yaml"
    found: Mapping[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
    return found


def reorder_criteria(pieces: list[Piece], chance: Chance) -> Change | None:
    """Keeps every criterion and its words; may move weight, since what stands first weighs more with many judges."""
    found = list_of(pieces)
    if found is None:
        return _reordered_listing(pieces, chance)
    marks = [_mark(pieces[at]) for at in found]
    bodies = [pieces[at].words[len(mark) :] for at, mark in zip(found, marks, strict=True)]
    order = _shuffled(chance, len(bodies))
    done = list(pieces)
    for at, mark, taken in zip(found, marks, order, strict=True):
        done[at] = pieces[at].with_words(mark + bodies[taken])
    return Change(done, " / ".join(bodies[at][:40] for at in order))


def emphasise_criterion(pieces: list[Piece], chance: Chance) -> Change | None:
    """Keeps every criterion; moves weight to one of them, openly."""
    names = names_of(pieces)
    if not names:
        return None
    return _inserted(pieces, chance, chance.choice(words()["emphasis"]).format(criterion=chance.choice(names)))


def restate_criteria(pieces: list[Piece], chance: Chance) -> Change | None:
    """Keeps every criterion and names them again; may move weight to those whose names say more than their text."""
    names = names_of(pieces)
    if len(names) < 2:
        return None
    listed = ", ".join(names[:-1]) + " and " + names[-1]
    return _inserted(pieces, chance, chance.choice(words()["restate"]).format(criteria=listed))


def narrow_scope(pieces: list[Piece], chance: Chance) -> Change | None:
    """Keeps the criteria; takes something out of what they are applied to."""
    return _inserted(pieces, chance, chance.choice(words()["narrow_scope"]))


def widen_scope(pieces: list[Piece], chance: Chance) -> Change | None:
    """Keeps the criteria; adds something to what they are applied to."""
    return _inserted(pieces, chance, chance.choice(words()["widen_scope"]))


def add_tie_break(pieces: list[Piece], chance: Chance) -> Change | None:
    """Keeps the criteria; decides pairs that they leave open, and with an uncertain judge many others."""
    return _inserted(pieces, chance, chance.choice(words()["tie_break"]))


def add_procedure(pieces: list[Piece], chance: Chance) -> Change | None:
    """Keeps the criteria; asks for a way of going about the comparison, which may change what is noticed."""
    return _inserted(pieces, chance, chance.choice(words()["procedure"]))


def add_contrast(pieces: list[Piece], chance: Chance) -> Change | None:
    """Keeps the criteria; names something that is none, which may draw the eye to it."""
    return _inserted(pieces, chance, chance.choice(words()["contrast"]))


def verdict_paragraph(pieces: list[Piece], chance: Chance) -> Change | None:
    """Keeps the verdict form to the letter; changes what is said right before it, and so how a judge comes to it."""
    form = next((at for at, piece in enumerate(pieces) if FORM.search(piece.text)), None)
    before = [at for at in range(form or 0) if pieces[at].kind == "prose" and not pieces[at].words.endswith(":")]
    if not before:
        return None
    return _behind(pieces, before[-1], chance.choice(words()["verdict"]))


def swap_hedges(pieces: list[Piece], chance: Chance) -> Change | None:
    """Keeps what is asked; changes how binding one word of it is."""
    return _exchanged(pieces, chance, words()["hedges"])


def swap_intensifiers(pieces: list[Piece], chance: Chance) -> Change | None:
    """Keeps what is asked; changes how strongly one word of it is meant."""
    return _exchanged(pieces, chance, words()["intensifiers"])


def change_role(pieces: list[Piece], chance: Chance) -> Change | None:
    """Keeps the task; calls the judge by another name, which may bring another stance with it."""
    return _exchanged(pieces, chance, words()["roles"])


def paraphrase(pieces: list[Piece], chance: Chance) -> Change | None:
    """Keeps the meaning, phrase by phrase, out of a table; moves nothing but the words."""
    return _exchanged(pieces, chance, words()["phrases"])


def move_guard(pieces: list[Piece], chance: Chance) -> Change | None:
    """Keeps every sentence; moves one that warns of a bias to another place, where it may weigh more or less."""
    prose = [at for at, piece in enumerate(pieces) if piece.kind == "prose" and not piece.words.endswith(":")]
    guards = [at for at in prose if GUARD.match(pieces[at].words)]
    if not guards or len(prose) < 2:
        return None
    taken = chance.choice(guards)
    near = chance.choice([at for at in prose if at not in (taken, taken - 1)] or [taken])
    if near == taken:
        return None
    moved = pieces[taken]
    done = list(pieces)
    done[near : near + 1] = _with_behind(pieces[near], moved.words)
    at = taken if taken < near else taken + 1
    if at and done[at - 1].kind == "prose" and "\n" not in done[at - 1].space:
        done[at - 1] = Piece(done[at - 1].words + moved.space, "prose")  # it ended the paragraph: now that one does
    del done[at]
    return Change(done, moved.words)


def list_style(pieces: list[Piece], chance: Chance) -> Change | None:
    """Keeps every criterion, its words and its place; changes the marks of the list, and numbers hint at rank."""
    found = list_of(pieces)
    if found is None:
        return None
    mark = _mark(pieces[found[0]]).strip()
    style = chance.choice([one for one in ("1.", "1)", "-", "*") if one != mark])
    done = list(pieces)
    for number, at in enumerate(found, 1):
        mark = style.replace("1", str(number)) + " "
        done[at] = pieces[at].with_words(mark + pieces[at].words[len(_mark(pieces[at])) :])
    return Change(done, style)


OPERATORS: dict[str, Operator] = {
    one.__name__: one
    for one in (
        reorder_criteria,
        emphasise_criterion,
        restate_criteria,
        narrow_scope,
        widen_scope,
        add_tie_break,
        add_procedure,
        add_contrast,
        verdict_paragraph,
        swap_hedges,
        swap_intensifiers,
        change_role,
        paraphrase,
        move_guard,
        list_style,
    )
}


def _reordered_listing(pieces: list[Piece], chance: Chance) -> Change | None:
    for at, piece in enumerate(pieces):
        if piece.kind == "prose" and (inner := listing(piece.words)):
            parts = piece.words.split(", ")
            order = _shuffled(chance, len(inner))
            moved = [inner[one] for one in order]
            done = list(pieces)
            done[at] = piece.with_words(", ".join([parts[0], *moved, parts[-1]]))
            return Change(done, ", ".join(moved), ", ".join(inner))
    return None


def _shuffled(chance: Chance, count: int) -> list[int]:
    """An order that is not the one there was."""
    order = chance.shuffled(range(count))
    return order if order != list(range(count)) else [*order[1:], order[0]]


def _inserted(pieces: list[Piece], chance: Chance, sentence: str) -> Change | None:
    """A sentence behind one of the sentences of the prose; None where there is none, or the sentence stands already."""
    prose = [at for at, piece in enumerate(pieces) if piece.kind == "prose" and not piece.words.endswith(":")]
    if not prose or any(sentence in piece.text for piece in pieces):
        return None
    return _behind(pieces, chance.choice(prose), sentence)


def _behind(pieces: list[Piece], at: int, sentence: str) -> Change | None:
    if any(sentence in piece.text for piece in pieces):
        return None
    return Change([*pieces[:at], *_with_behind(pieces[at], sentence), *pieces[at + 1 :]], sentence)


def _with_behind(piece: Piece, sentence: str) -> list[Piece]:
    return [Piece(piece.words + " ", "prose"), Piece(sentence + (piece.space or " "), "prose")]


def _exchanged(pieces: list[Piece], chance: Chance, table: Sequence[Sequence[str]]) -> Change | None:
    """One wording of a table exchanged for its counterpart, in one place where it stands."""
    places = []
    for one, other in table:
        for old, new in ((one, other), (other, one)):
            pattern = re.compile(rf"(?<![\w-]){re.escape(old)}(?![\w-])", re.IGNORECASE)
            for at, piece in enumerate(pieces):
                if piece.kind != "fixed":
                    places += [(at, found.start(), found[0], new) for found in pattern.finditer(piece.words)]
    if not places:
        return None
    at, start, old, new = chance.choice(places)
    new = new[0].upper() + new[1:] if old[0].isupper() else new
    text = pieces[at].words
    done = list(pieces)
    done[at] = pieces[at].with_words(text[:start] + new + text[start + len(old) :])
    return Change(done, new, old)


def _mark(piece: Piece) -> str:
    found = ITEM.match(piece.text)
    assert found is not None
    return found[0]
