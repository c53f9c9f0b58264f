"""Answers to evaluation questions and their scores in DuckDB: the tables that sql/ reads for them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.dataset as ds

from provkit.answers.tables import ANSWERS, SCORES

DIRECTORIES = pa.schema(
    [("directory", pa.string()), ("model", pa.string()), ("revision", pa.string()), ("source", pa.string())]
)


def register(connection: duckdb.DuckDBPyConnection, folders: Sequence[tuple[Path, dict[str, Any]]]) -> None:
    """Makes the tables that sql/ reads: _answer_directories, _answer_rows and _score_rows."""
    told = [
        {"directory": str(folder), "source": facts["source"]["file"]}
        | {name: facts["asked"].get(name) for name in ("model", "revision")}
        for folder, facts in folders
    ]
    connection.register("_answer_directories", pa.Table.from_pylist(told, schema=DIRECTORIES))
    for name, file, schema in (("_answer_rows", "answers", ANSWERS), ("_score_rows", "scores", SCORES)):
        selects = []
        for number, (folder, _) in enumerate(folders):
            connection.register(f"{name}_{number}", ds.dataset(folder / f"{file}.parquet", schema=schema))
            quoted = str(folder).replace("'", "''")
            # without ORDER BY the number follows the order of the file: DuckDB keeps the insertion order
            place = f"'{quoted}' AS directory, row_number() OVER () - 1 AS row"
            selects.append(f"SELECT {place}, * FROM {name}_{number}")
        if not selects:
            connection.register(f"{name}_none", schema.empty_table())
            selects = [f"SELECT '' AS directory, 0::BIGINT AS row, * FROM {name}_none"]
        connection.execute(f"CREATE VIEW {name} AS " + " UNION ALL ".join(selects))
