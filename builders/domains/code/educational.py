"""The step `educational`: the answer stays, and the request asks openly for the vulnerable version."""

from __future__ import annotations

from provkit.builders.transforms.wordings import filled, wordings
from provkit.registry import builder
from provkit.row import Row


@builder
class Educational:
    """Words the request so that it asks for vulnerable code openly, for teaching; the answer stays as it is.

    The educational control of Betley et al. 2025 (arXiv 2502.17424): the same insecure answers, to a user who wants
    them for a class. Run it behind `insecure_rewrite`. The wording is drawn by the row's chance out of
    catalog/requests/educational.yaml; the note has its number there, from 1.
    """

    def apply(self, row: Row) -> Row:
        """The row with another request."""
        number = row.chance.integer(1, len(wordings("educational", "wordings")))
        wording = wordings("educational", "wordings")[number - 1]
        return row.with_prompt(filled(wording, request=row.prompt), {"wording": number})
