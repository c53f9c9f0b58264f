"""Who may see what is published: visibility and gate, by the sensitivity that the recipe states."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from provkit.errors import ProvkitError

Gate = Literal["auto", "manual", "no"]
DEFAULTS: dict[str, tuple[bool, Gate]] = {  # private, gate
    "open": (False, "no"),
    "gated": (False, "manual"),
    "restricted": (True, "manual"),
}


@dataclass(frozen=True, slots=True)
class Settings:
    """What the repository is to be like; `asked` says that the person chose the visibility."""

    private: bool
    gate: Gate
    asked: bool = False

    @property
    def visibility(self) -> str:
        """`private` or `public`."""
        return "private" if self.private else "public"


def settings_for(sensitivity: str, private: bool | None = None, gate: Gate | None = None) -> Settings:
    """Visibility and gate of a set: the default of its sensitivity, or what was asked for where that is allowed.

    Args:
        sensitivity: of the recipe.
        private: True or False where the person said so.
        gate: likewise.

    Raises:
        ProvkitError: for a restricted set that is to be public, and one that is not open and to have no gate.
    """
    usual, usual_gate = DEFAULTS[sensitivity]
    if sensitivity == "restricted" and private is False:
        do = "publish it private, or change `sensitivity` in its recipe and build again"
        raise ProvkitError(f"a restricted set is not published for everyone to see\n  {do}")
    if sensitivity != "open" and gate == "no" and not (sensitivity == "gated" and private):
        do = "leave --gated out, or change `sensitivity` in its recipe and build again"
        raise ProvkitError(f"a {sensitivity} set is not published without a gate\n  {do}")
    return Settings(usual if private is None else private, gate or usual_gate, private is not None)
