"""Exact duplicates."""

from __future__ import annotations

from typing import Literal

import numpy as np

from provkit.registry import builder
from provkit.table import Rows, Selection, groups


@builder
class Dedup:
    """Keeps the first of all rows that are equal in content, or in prompt, and drops the others.

    Duplicate rows = rows - distinct rows by content; duplicate prompts = rows - distinct prompts. A prompt is
    every turn before the last answer, or the prompt and context columns.
    """

    by: Literal["row", "prompt"] = "row"

    def select(self, rows: Rows) -> Selection:
        """The first of each group, in order; a dropped row's detail names the one that was kept."""
        group, first = groups(rows.digests(self.by))
        kept = np.sort(first)
        dropped = np.setdiff1d(np.arange(len(rows)), kept, assume_unique=True)
        twins = rows.locators(first[group[dropped]])
        return Selection(kept, dropped, f"duplicate {self.by}", [f"same as {twin}" for twin in twins])
