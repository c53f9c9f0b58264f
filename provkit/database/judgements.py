"""Verdicts, the pairs and rubrics that they are about, and rubric variants of builds in DuckDB: what sql/ reads."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import duckdb
import pyarrow as pa

from provkit import manifest
from provkit.rubrics.tables import PAIRS, RUBRICS, VERDICTS, Verdicts, rubrics_table

STEPS = {"rubric_edits", "rubric_search"}  # the steps whose rows are rubrics
DIRECTORY = pa.field("directory", pa.string())


def register(
    connection: duckdb.DuckDBPyConnection,
    verdicts: Sequence[Verdicts],
    builds: Sequence[tuple[Path, manifest.Manifest]] = (),
) -> None:
    """Makes the tables that sql/ reads: _verdict_rows, _verdict_pairs, _verdict_rubrics and _rubric_variants."""
    parts = {
        "_verdict_rows": (VERDICTS, [(one.name, one.rows) for one in verdicts]),
        "_verdict_pairs": (PAIRS, [(one.name, one.pairs) for one in verdicts]),
        "_verdict_rubrics": (RUBRICS, [(one.name, one.rubrics) for one in verdicts]),
    }
    for name, (schema, several) in parts.items():
        whole = pa.schema([DIRECTORY, *schema])
        tables = [_named(table, directory, whole) for directory, table in several]
        connection.register(name, pa.concat_tables([*tables, whole.empty_table()]))
    variants = [(one.name, one.rubrics) for one in verdicts]
    for folder, build in builds:
        recipe = build.facts["recipe"]
        steps = [*recipe["steps"], *(step for arm in recipe["arms"].values() for step in arm["steps"])]
        if STEPS & {step["name"] for step in steps}:
            variants.append((build.build_id, _variants(folder)))
    whole = pa.schema([pa.field("origin", pa.string()), *RUBRICS])
    tables = [_named(table, origin, whole) for origin, table in variants]
    connection.register("_rubric_variants", pa.concat_tables([*tables, whole.empty_table()]))


def _variants(folder: Path) -> pa.Table:
    from provkit.rubrics.files import read_rubrics

    rubrics = read_rubrics(folder)
    return rubrics_table(rubrics, rubrics[0])


def _named(table: pa.Table, name: str, schema: pa.Schema) -> pa.Table:
    """The columns of a schema, the first of which is the name; null for what the table was read without."""
    columns = [pa.repeat(pa.scalar(name), len(table))]
    for field in list(schema)[1:]:
        known = field.name in table.column_names
        columns.append(table.column(field.name) if known else pa.nulls(len(table), field.type))
    return pa.table(columns, schema=schema)
