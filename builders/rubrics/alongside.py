"""The step `alongside`: all rows of another source behind the rows, for a step that needs both."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from provkit.errors import InputError
from provkit.registry import builder
from provkit.table import Rows, Selection


@builder
class Alongside:
    """Puts all rows of another source behind the rows; a column that one side lacks is null there.

    For a step that looks at several sources at once (rubric_search: a rubric, bench and target pairs).

    Args:
        of: the other source.
    """

    of: str
    op = "mixed"

    def mix(self, rows: Rows, others: Rows) -> Selection:
        """All of both.

        Raises:
            InputError: when a column has values of two types.
        """
        schemas = [pa.schema([one.table.schema.field(name) for name in one.columns]) for one in (rows, others)]
        for name in set(schemas[0].names) & set(schemas[1].names):
            try:
                pa.unify_schemas([pa.schema([schema.field(name)]) for schema in schemas], promote_options="permissive")
            except (pa.ArrowInvalid, pa.ArrowTypeError):
                do = "bring both to one layout first: provkit build judge-pairs"
                raise InputError(f"its column {name!r} is of another type there", field=self.of, do=do) from None
        return Selection(np.arange(len(rows) + len(others)))
