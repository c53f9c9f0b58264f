"""The generator `topics`: what a question may be about, out of the lists of one field in catalog/topics."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import Any

from provkit.chance import Chance
from provkit.registry import builder, near


@cache
def field_of(name: str) -> dict[str, Any]:
    """The topic list of a field.

    Raises:
        ValueError: when there is none, naming those near it.
    """
    import yaml

    folder = files("provkit.catalog") / "topics"
    known = sorted(one.name.removesuffix(".yaml") for one in folder.iterdir() if one.name.endswith(".yaml"))
    if name not in known:
        raise ValueError(f"no topic list {name!r} in the catalog{near(name, known)}")
    found: dict[str, Any] = yaml.safe_load((folder / f"{name}.yaml").read_text(encoding="utf-8"))
    return found


@builder
class Topics:
    """Distinct combinations of a field's topics, askers, situations and flaws, in an order that the seed gives.

    Each row has what the list says of the field as a whole (`field`, `adviser`, `rules`) and one entry of each of its
    lists: `topic`, `asker`, `situation`, `flaw`.

    Args:
        field: a list of catalog/topics.
    """

    field: str

    def __post_init__(self) -> None:
        field_of(self.field)

    @property
    def words(self) -> dict[str, Any]:
        """The list that it draws from."""
        return field_of(self.field)

    def generate(self, chance: Chance) -> Iterator[dict[str, Any]]:
        """The rows; there are as many as there are combinations."""
        found = field_of(self.field)
        same = {name: value.strip() for name, value in found.items() if isinstance(value, str)}
        lists = {name: value for name, value in found.items() if isinstance(value, list)}
        total = math.prod(map(len, lists.values()))
        step = total
        while math.gcd(step, total) != 1:  # a stride without a common factor meets every combination once
            step = chance.integer(total // 3, total - 1)
        at = chance.integer(0, total - 1)
        for _ in range(total):
            rest, row = at, dict(same)
            for name, entries in lists.items():
                rest, place = divmod(rest, len(entries))
                row[name.removesuffix("s")] = entries[place]
            yield row
            at = (at + step) % total
