"""The step `drift_side`: the harmful or the benign rows out of pairs."""

from __future__ import annotations

from typing import Literal

from provkit.registry import builder
from provkit.row import Drop, Row

SHARED = ("category", "defence", "model", "sample", "twin_by")
OWN = ("prompt_id", "prompt", "completion", "verdict")
TWIN = ("twin_id", "twin", "twin_completion", "twin_verdict")


@builder
class DriftSide:
    """One side of each pair that `drift_pair` made: prompt_id, prompt, completion, verdict, category, label.

    A benign row has the category of the prompt that it is the twin of. With `pair: true` the two arms share a `pair_id`
    row by row.

    Args:
        label: which side.
    """

    label: Literal["harmful", "benign"]

    def apply(self, row: Row) -> Row | Drop:
        """The row of this side."""
        if not isinstance(row.get("twin"), str) or not isinstance(row.get("prompt"), str):
            return row.drop("no pair", "a prompt and its twin are expected")
        names = OWN if self.label == "harmful" else TWIN
        made = {ours: row.get(name) for ours, name in zip(OWN, names, strict=True)}
        made |= {"label": self.label, **{name: row.get(name) for name in SHARED}}
        return row.derive(made, note={"side": self.label}, without=[name for name in row if name not in made])
