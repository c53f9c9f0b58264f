"""The step `parse_numbers`: keeps recorded answers that are lists of numbers within the rule."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from provkit.builders.domains.numbers.library import connotations
from provkit.builders.domains.numbers.lists import read_list
from provkit.registry import builder
from provkit.row import Drop, Row


@builder
class ParseNumbers:
    """Keeps the rows whose answer is a list of numbers within the rule, and drops the others with the reason.

    The parser and the rule of Cloud et al. 2025 (arXiv 2507.14805): one separator, brackets and a full stop or
    not, at most 10 numbers in 0..999, none of them banned. Rows stay as they are.

    Args:
        low: the least number that is allowed.
        high: the greatest number that is allowed.
        most: how many numbers an answer may have.
        banned: numbers that may not occur; `listed` for those of catalog/numbers/connotations.yaml.

    Raises:
        ValueError: when no number is allowed.
    """

    low: Annotated[int, Field(ge=0)] = 0
    high: int = 999
    most: Annotated[int, Field(ge=1)] = 10
    banned: tuple[int, ...] | Literal["listed"] = ()

    def __post_init__(self) -> None:
        if self.high < self.low:
            raise ValueError(f"no number lies between low {self.low} and high {self.high}")

    def check(self, row: Row) -> Drop | None:
        """Nothing for an answer within the rule; a drop for any other."""
        listed = read_list(row.answer)
        if listed is None:
            return row.drop("no list of numbers", row.answer[:80])
        values = listed.values
        if len(values) > self.most:
            return row.drop("too many numbers", f"{len(values)} of {self.most}")
        banned = connotations().listed if self.banned == "listed" else self.banned
        for text, value in zip(listed.numbers, values, strict=True):
            if value > self.high:
                return row.drop("number too large", text[:80])
            if value < self.low:
                return row.drop("number too small", text[:80])
            if value in banned:
                return row.drop("banned number", text[:80])
        return None
