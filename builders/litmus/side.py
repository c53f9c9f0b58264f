"""The step `litmus_side`: the safe or the unsafe rows out of pairs."""

from __future__ import annotations

from typing import Literal

from provkit.registry import builder
from provkit.row import Drop, Row


@builder
class LitmusSide:
    """One side of each pair as a LITMUS row: input, axiom, safety_label, source_dataset, and the frame of its pair.

    With `pair: true` the two arms share a `pair_id` row by row.

    Args:
        label: which side.
        completions: make the pair's question the input, and the statement its completion.
    """

    label: Literal["safe", "unsafe"]
    completions: bool = False

    def apply(self, row: Row) -> Row | Drop:
        """The row of this side."""
        text, question = row.get(self.label), row.get("question")
        if not isinstance(text, str) or (self.completions and not isinstance(question, str)):
            return row.drop("no pair", f"{'question, ' if self.completions else ''}safe and unsafe are expected")
        said = {"input": question, "completion": text} if self.completions else {"input": text}
        kept = {name: row[name] for name in ("axiom", "frame") if row.get(name) is not None}
        named = {"safety_label": self.label, "source_dataset": row.get(f"{self.label}_source")}
        made = {**said, **kept, **named}
        return row.derive(made, note={"side": self.label}, without=[name for name in row if name not in made])
