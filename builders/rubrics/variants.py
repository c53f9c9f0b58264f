"""The step `rubric_edits`: variants of a rubric by deterministic edits."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from provkit.builders.rubrics.edits import edited
from provkit.builders.rubrics.operators import OPERATORS
from provkit.errors import InputError
from provkit.registry import builder, near
from provkit.row import Row
from provkit.rubrics.template import Rubric, checked

TRIES = 20  # draws for each variant that is wanted, before a rubric counts as one that has no more


@builder
class RubricEdits:
    """Makes variants of a rubric by edits that keep its criteria, beside the rubric itself.

    The operators and what each may move stand in builders/rubrics/operators.py (ours; "Rubrics as an Attack Surface",
    arXiv 2602.13576, has a language model rewrite the whole rubric). Each variant is of one seed by 1 to `edits` edits;
    its note has them, with the draw of each, so that it is replayed from lineage. No two variants have the same text.
    Placeholders and verdict form stay to the letter. A rubric with a fault is an error, with its line.

    Args:
        variants: how many for each rubric; fewer where its text has no more.
        edits: at most so many edits a variant.
        operators: these alone; all when empty.
    """

    variants: Annotated[int, Field(ge=1, le=10_000)] = 40
    edits: Annotated[int, Field(ge=1, le=20)] = 2
    operators: list[str] = Field(default_factory=list)
    op: ClassVar[str] = "perturbed"

    def __post_init__(self) -> None:
        for name in self.operators:
            if name not in OPERATORS:
                raise ValueError(f"no operator {name!r}{near(name, OPERATORS)}")

    def apply(self, row: Row) -> list[Row]:
        """The rubric and its variants.

        Raises:
            InputError: when the row is no rubric, or no operator changes it.
        """
        seed = rubric_of(row)
        rows, texts = [row], {seed.text}
        for _ in range(TRIES * self.variants):
            if len(rows) > self.variants:
                break
            text, edits = edited(seed.text, row.chance, row.chance.integer(1, self.edits), self.operators)
            if text in texts:
                continue
            texts.add(text)
            name = f"{seed.rubric_id}-v{len(rows):03}"
            note = {"edits": edits, "seed": seed.digest}
            rows.append(row.derive({"prompt_id": name, "prompt": text, "parent_id": seed.rubric_id}, note=note))
        if len(rows) == 1:
            said = f"no operator changes this rubric: {', '.join(self.operators or OPERATORS)}"
            raise InputError(said, field="rubric_edits", do="its prose and lists are what operators work on")
        return rows


def rubric_of(row: Row) -> Rubric:
    """The rubric that a row is.

    Raises:
        InputError: when it has no `prompt_id` and `prompt`, or the prompt has a fault.
    """
    name, text = row.get("prompt_id"), row.get("prompt")
    if not isinstance(text, str) or not isinstance(name, str | int):
        do = "a rubric has the fields prompt_id and prompt; `data` files of other forms are no rubrics"
        raise InputError(f"no rubric among the columns {', '.join(row)}", do=do)
    return checked(Rubric(str(name), text))
