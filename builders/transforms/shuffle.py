"""A seeded random order."""

from __future__ import annotations

import numpy as np

from provkit.registry import builder
from provkit.table import Rows, Selection


@builder
class Shuffle:
    """Puts the rows in random order: by a 64-bit number that each draws from what it is, ties as they came."""

    def select(self, rows: Rows) -> Selection:
        """The rows, reordered."""
        return Selection(np.argsort(rows.numbers(), kind="stable"))
