"""The canary: a string by which a set is known again wherever its rows turn up."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from provkit.canonical import digest
from provkit.errors import InputError
from provkit.recipe import Recipe
from provkit.row import NoSuchPart, Row
from provkit.steps import Labelled

NAMESPACE = uuid.UUID("6d2a3f0e-9c1b-5f4a-8e57-0f6b1a2c3d4e")  # of all provkit canaries
LABEL = "canary"


@dataclass(frozen=True, slots=True)
class InText:
    """Appends the canary as a line of its own to the last user turn, or to the prompt column."""

    canary: str
    op = ""  # the row stays what its other steps made it

    def apply(self, row: Row) -> Row:
        """The row with the canary in its prompt.

        Raises:
            InputError: when it has no prompt: to drop it now would part it from its twin.
        """
        try:
            return row.with_prompt(f"{row.prompt}\n{self.canary}")
        except NoSuchPart as error:
            do = "leave such rows out, or use canary: column"
            raise InputError(str(error), field="canary: text", do=do) from None


def canary_of(sensitivity: str, identity: str) -> str | None:
    """A build's canary, a UUIDv5 of its build_id; None on an open set."""
    return None if sensitivity == "open" else str(uuid.uuid5(NAMESPACE, identity))


def canary_steps(recipe: Recipe, canary: str | None, number: int) -> list[Labelled]:
    """The step that a recipe asks for with `canary: text`, if it does."""
    if canary is None or recipe.canary != "text":
        return []
    return [Labelled(LABEL, number, InText(canary), digest({"canary": recipe.canary}))]
