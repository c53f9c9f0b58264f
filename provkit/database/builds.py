"""Builds in DuckDB: their facts, inputs and lineage, and a view for each arm."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.dataset as ds

from provkit import lineage, manifest
from provkit.errors import InputError
from provkit.sources.batches import RESERVED

FACTS = pa.schema(
    [
        ("build_id", pa.string()),
        ("name", pa.string()),
        ("version", pa.int64()),
        ("summary", pa.string()),
        ("licence", pa.string()),
        ("sensitivity", pa.string()),
        ("seed", pa.int64()),
        ("directory", pa.string()),
        ("manifest_digest", pa.string()),
    ]
)
INPUTS = pa.schema(
    [
        ("build_id", pa.string()),
        ("source", pa.string()),
        ("kind", pa.string()),
        ("file", pa.string()),
        ("sha256", pa.string()),
        ("size", pa.int64()),
        ("revision", pa.string()),
        ("licence", pa.string()),
        ("rows", pa.int64()),
    ]
)


NO_ROWS = """
SELECT NULL::VARCHAR AS build_id, NULL::VARCHAR AS arm, NULL::VARCHAR AS split, NULL::BIGINT AS index,
       NULL::VARCHAR AS row_id WHERE false
"""
NO_TEXTS = """
SELECT NULL::VARCHAR AS build_id, NULL::VARCHAR AS arm, NULL::VARCHAR AS split, NULL::BIGINT AS index,
       NULL::VARCHAR AS field, NULL::INTEGER AS message, NULL::VARCHAR AS role, NULL::VARCHAR AS text WHERE false
"""


def register(connection: duckdb.DuckDBPyConnection, builds: Sequence[tuple[Path, manifest.Manifest]]) -> None:
    """Makes the tables that sql/ reads (_build_facts, _build_inputs, _lineage_rows, _lineage_drops), the views of the
    arms, and `texts`: every text of every row with its key. No arm has a name that begins with an underscore."""
    facts, inputs = [], []
    for folder, build in builds:
        recipe = build.facts["recipe"]
        own = {"build_id": build.build_id, "directory": str(folder), "manifest_digest": build.digest}
        facts.append({name: recipe.get(name) for name in FACTS.names} | own)
        inputs += [
            {name: getattr(one, name) for name in INPUTS.names} | {"build_id": build.build_id} for one in build.inputs
        ]
    connection.register("_build_facts", pa.Table.from_pylist(facts, schema=FACTS))
    connection.register("_build_inputs", pa.Table.from_pylist(inputs, schema=INPUTS))
    _union(connection, "_lineage_rows", [(f / "lineage/rows.parquet", b.build_id) for f, b in builds], lineage.ROWS)
    _union(connection, "_lineage_drops", [(f / "lineage/drops.parquet", b.build_id) for f, b in builds], lineage.DROPS)
    _arms(connection, builds)


def _arms(connection: duckdb.DuckDBPyConnection, builds: Sequence[tuple[Path, manifest.Manifest]]) -> None:
    """One view an arm name, over the builds that have it: content columns and key."""
    selects: dict[str, list[str]] = {}
    texts: list[str] = []
    for number, (folder, build) in enumerate(builds):
        for at, out in enumerate(build.data()):
            assert out.arm is not None
            table = f"_data_{number}_{at}"  # no arm has a name that begins so
            data = _dataset(folder / out.file)
            connection.register(table, data)
            key = f"'{build.build_id}' AS build_id, '{out.arm}' AS arm, '{out.split}' AS split"
            # without ORDER BY the number follows the order of the file: DuckDB keeps the insertion order
            select = f"SELECT {key}, row_number() OVER () - 1 AS index, * FROM {table}"
            selects.setdefault(out.arm, []).append(select)
            texts += [_texts(select, field) for field in data.schema if field.name not in RESERVED]
        for arm in build.arms:  # an arm without rows has no file, and can be asked all the same
            selects.setdefault(arm, [NO_ROWS])
    for arm, several in selects.items():
        connection.execute(f'CREATE VIEW "{arm}" AS ' + " UNION ALL BY NAME ".join(several))
    some = [text for text in texts if text] or [NO_TEXTS]
    connection.execute("CREATE VIEW texts AS " + " UNION ALL ".join(some))


def _texts(select: str, field: pa.Field) -> str:
    """The texts of one column of a data file with the keys of their rows: turns of a chat, or a column of text."""
    if "\0" in field.name:
        return ""  # no SQL can name it
    key = "build_id, arm, split, index"
    name = '"' + field.name.replace('"', '""') + '"'
    head = f"SELECT {key}, '{field.name.replace(chr(39), chr(39) * 2)}' AS field,"
    if pa.types.is_string(field.type):
        return f"{head} NULL::INTEGER AS message, NULL AS role, {name} AS text FROM ({select})"
    kind = field.type
    if not pa.types.is_list(kind) or not pa.types.is_struct(kind.value_type):
        return ""
    if kind.value_type.get_field_index("role") < 0 or kind.value_type.get_field_index("content") < 0:
        return ""
    turns = f"SELECT {key}, unnest({name}) AS turn, generate_subscripts({name}, 1) - 1 AS message FROM ({select})"
    return f"{head} message::INTEGER AS message, turn.role AS role, turn.content AS text FROM ({turns})"


def _dataset(path: Path, schema: pa.Schema | None = None) -> ds.Dataset:
    try:
        return ds.dataset(path, format="parquet", schema=schema)
    except (pa.ArrowException, OSError):
        raise InputError("missing or damaged", file=path, do="provkit verify says more of its directory") from None


def _union(
    connection: duckdb.DuckDBPyConnection, name: str, paths: Sequence[tuple[Path, str]], schema: pa.Schema
) -> None:
    """A view over one lineage file of each build, with the build_id that the file leaves out."""
    selects = []
    for number, (path, build_id) in enumerate(paths):
        connection.register(f"{name}_{number}", _dataset(path, schema))
        selects.append(f"SELECT '{build_id}' AS build_id, * FROM {name}_{number}")
    if not selects:
        connection.register(f"{name}_none", schema.empty_table())
        selects = [f"SELECT ''::VARCHAR AS build_id, * FROM {name}_none"]
    connection.execute(f"CREATE VIEW {name} AS " + " UNION ALL ".join(selects))
