"""The register of rules: each family's module registers its own, and all are found by id, name or family letter."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from importlib import import_module

from provkit.audit.model import Rule, Severity
from provkit.errors import InputError
from provkit.registry import near

FAMILIES = {
    "F": ("form", "form of the file"),
    "D": ("duplicates", "duplicates"),
    "L": ("leakage", "leakage into evaluation sets"),
    "A": ("arms", "arms and polarity"),
    "C": ("code", "code"),
    "T": ("text", "text"),
    "G": ("triggers", "triggers"),
    "E": ("evaluation", "evaluation files"),
    "X": ("confounds", "confounds"),
    "R": ("release", "release"),
}
_RULES: dict[str, Rule] = {}


def rule(id: str, name: str, severity: Severity, rationale: str, example: str, do: str, blocking: bool = False) -> Rule:
    """Registers a rule.

    Raises:
        ValueError: when its id or name is taken, or its letter is no family's.
    """
    taken = [one.id for one in _RULES.values() if name == one.name or id == one.id]
    if taken or id[0] not in FAMILIES or len(id) != 4 or not id[1:].isdigit():
        raise ValueError(f"the rule {id} {name!r} cannot be registered{' beside ' + taken[0] if taken else ''}")
    _RULES[id] = Rule(id, name, severity, rationale, example, do, blocking)
    return _RULES[id]


@cache
def rules() -> Mapping[str, Rule]:
    """All rules by id, family after family."""
    for module, _ in FAMILIES.values():
        import_module(f"provkit.audit.{module}")
    order = "".join(FAMILIES)
    return {id: _RULES[id] for id in sorted(_RULES, key=lambda id: (order.index(id[0]), id))}


def named(what: str) -> frozenset[str]:
    """The ids that an id, a rule's name or a family letter stands for.

    Raises:
        InputError: when it stands for none, naming the nearest.
    """
    known = rules()
    found = {id for id, one in known.items() if what.upper() in (id, id[0]) or what.lower() == one.name}
    if not found:
        choices = [*known, *(one.name for one in known.values()), *FAMILIES]
        do = "provkit audit --rules lists them"
        raise InputError(f"no rule {what!r}{near(what, choices)}", do=do)
    return frozenset(found)


def selected(select: Iterable[str], ignore: Iterable[str]) -> frozenset[str]:
    """The ids to check: those of `select` (all when it is empty) without those of `ignore`."""
    chosen = frozenset().union(*(named(one) for one in select)) or frozenset(rules())
    return chosen - frozenset().union(*(named(one) for one in ignore))


def explanation(what: str) -> str:
    """What a rule is about, for a person."""
    known = rules()
    return "\n\n".join(_explained(known[id]) for id in known if id in named(what))


def _explained(one: Rule) -> str:
    family = FAMILIES[one.id[0]][1]
    lines = [f"{one.id} {one.name} ({one.severity}, {family})", "", one.rationale]
    lines += ["", f"Example: {one.example}", "", f"What to do: {one.do}"]
    return "\n".join(lines)
