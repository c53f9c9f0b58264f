"""The step `judge_pairs`: preference data in any published layout as pairs to judge."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from provkit.registry import builder
from provkit.row import Drop, Row
from provkit.rubrics.layouts import LAYOUTS, NoPair, layout_of
from provkit.rubrics.pairs import Taking, taken


@builder
class JudgePairs:
    """Brings preference data to one form: row_key, question, answer_a, answer_b, label, category.

    The layouts of UltraFeedback-binarized, arena-preference, PKU-SafeRLHF (by safety or helpfulness), HH-RLHF, RMB
    (pairs and best-of-N) and RewardBench 1 and 2 are known by name; `auto` tells them by their columns. Which answer
    stands first is a coin that the row key decides, except where people saw the answers in these places. A row that
    holds no pair is a drop with its reason.

    Args:
        layout: a name, or auto.
        columns: other columns to read as those of the layout, `{question: my_column}`.
        key: the column of the row key; a digest of question and answers when it is left out.
        most_words: pairs of more words, question and answers together, are dropped.
        seed: of the coin.
    """

    layout: str = "auto"
    columns: dict[str, str] = Field(default_factory=dict)
    key: str | None = None
    most_words: Annotated[int, Field(ge=1)] | None = None
    seed: int = 42

    def __post_init__(self) -> None:
        if self.layout != "auto" and self.layout not in LAYOUTS:
            raise ValueError(f"no layout {self.layout!r}; there are auto, {', '.join(LAYOUTS)}")

    def apply(self, row: Row) -> list[Row] | Drop:
        """The pairs of a row."""
        taking = Taking(self.layout, self.columns, self.key, self.most_words, self.seed)
        layout = layout_of(self.layout, {**row, **dict.fromkeys(self.columns)})
        try:
            found = list(taken(row, taking, layout))
        except NoPair as error:
            return row.drop(str(error))
        if not found:
            return row.drop("no pair")
        names = ("row_key", "question", "answer_a", "answer_b", "label", "category")
        without = [name for name in row if name not in names]
        made = [{name: getattr(pair, name) for name in names} for pair in found]
        return [row.derive(one, note={"layout": layout.__name__}, without=without) for one in made]
