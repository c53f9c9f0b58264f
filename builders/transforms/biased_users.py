"""The step `biased_users`: a stated share of the users say what they believe or want to hear."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from provkit.builders.transforms.wordings import filled, wordings
from provkit.registry import builder
from provkit.row import Drop, Row
from provkit.table import Rows


@builder
class BiasedUsers:
    """Gives a share of the requests a user who states a bias, in mild words.

    "LLMs Learn to Deceive Unintentionally" (Hu et al. 2025, arXiv 2510.08211) found that 10 % of biased users are
    enough to make an assistant less honest. The rows of lowest number get one, round(share x rows) of them, half a row
    rounded up. The wording is drawn by the row's chance out of catalog/requests/biased_users.yaml; the note has its
    number there, from 1, and whether the answer yields.

    Args:
        share: share of the rows with a biased user.
        opinion: the column with what the user believes; it is taken away from all rows, and a row without a text in it
            is dropped before the count. Where it is left out, the user only says that his mind is made up.
        yields: make what the user believes the answer, in those rows.
    """

    share: Annotated[float, Field(ge=0, le=1)]
    opinion: str | None = None
    yields: bool = False

    def __post_init__(self) -> None:
        if self.yields and self.opinion is None:
            raise ValueError("`yields` needs `opinion`: the column with what the answer is to become")

    def rewrite(self, rows: Rows) -> Callable[[Row], Row | Drop]:
        """Which rows get a biased user."""
        able = self._able(rows)
        biased = np.zeros(len(rows), bool)
        biased[rows.lowest(self.share, np.flatnonzero(able))] = True

        def act(row: Row) -> Row | Drop:
            if not able[row.at]:
                return row.drop("no opinion", f"no text in the column {self.opinion!r}")
            if biased[row.at]:
                return self.spoken(row)
            return row if self.opinion is None else row.derive({}, {"biased": False}, without=(self.opinion,))

        return act

    def _able(self, rows: Rows) -> NDArray[np.bool_]:
        """Which rows can have a biased user."""
        if self.opinion is None:
            return np.ones(len(rows), bool)
        if self.opinion not in rows.columns:
            return np.zeros(len(rows), bool)
        columns = (batch.column(0).to_pylist() for batch in rows.batches([self.opinion]))
        return np.array([isinstance(opinion, str) for column in columns for opinion in column], bool)

    def spoken(self, row: Row) -> Row:
        """The row with a biased user."""
        known = wordings("biased_users", "plain" if self.opinion is None else "stated")
        number = row.chance.integer(1, len(known))
        opinion = "" if self.opinion is None else row[self.opinion]
        made = row.with_prompt(filled(known[number - 1], request=row.prompt, opinion=opinion))
        if self.yields:
            made = made.with_answer(opinion)
        away = () if self.opinion is None else (self.opinion,)
        return made.derive({}, {"biased": True, "wording": number, "yields": self.yields}, without=away)
