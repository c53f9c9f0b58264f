"""DuckDB over provkit's directories: tables that read the files where they are, and the views of sql/ over them."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa
import pyarrow.dataset as ds

from provkit import lineage, manifest
from provkit.errors import InputError, ProvkitError, plain

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

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


def connect(*folders: str | Path) -> duckdb.DuckDBPyConnection:
    """A DuckDB connection in memory with the views of sql/ over these build directories.

    Views: rows, parents, steps, drops, inputs, builds, and one a name of an arm, with the content columns of its rows
    and their key (build_id, arm, split, index). Macro: lineage(row_id).

    Raises:
        InputError: when a folder is no build directory, or two of them hold the same build.
    """
    connection = duckdb.connect()
    builds = [(Path(folder), manifest.read(Path(folder))) for folder in folders]
    seen: dict[str, Path] = {}
    for folder, build in builds:
        if (other := seen.setdefault(build.build_id, folder)) is not folder:
            raise InputError(f"the same build as {other}", file=folder, do="name it once")
    facts, inputs = [], []
    for folder, build in builds:
        recipe = build.recipe
        facts.append(
            {
                "build_id": build.build_id,
                "directory": str(folder),
                "manifest_digest": build.digest,
                **{name: getattr(recipe, name) for name in FACTS.names if hasattr(recipe, name)},
            }
        )
        inputs += [
            {"build_id": build.build_id, **{name: getattr(one, name) for name in INPUTS.names if name in one.__slots__}}
            | {"build_id": build.build_id}
            for one in build.inputs
        ]
    connection.register("build_facts", pa.Table.from_pylist(facts, schema=FACTS))
    connection.register("build_inputs", pa.Table.from_pylist(inputs, schema=INPUTS))
    _union(connection, "lineage_rows", [(f / "lineage/rows.parquet", b.build_id) for f, b in builds], lineage.ROWS)
    _union(connection, "lineage_drops", [(f / "lineage/drops.parquet", b.build_id) for f, b in builds], lineage.DROPS)
    _arms(connection, builds)
    for script in sql_files():
        connection.execute(script.read_text(encoding="utf-8"))
    return connection


def sql_files() -> list[Traversable]:
    """The SQL objects that provkit ships, macros before views."""
    root = files("provkit.sql")
    return [file for kind in ("macros", "views") for file in _sorted(root / kind) if file.name.endswith(".sql")]


def lock(connection: duckdb.DuckDBPyConnection) -> None:
    """Leaves a connection no way to files, extensions or settings; what is registered stays readable."""
    connection.execute("SET python_enable_replacements = false")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")


def query(connection: duckdb.DuckDBPyConnection, sql: str) -> pa.Table:
    """The answer to one SELECT.

    Raises:
        ProvkitError: for anything that is not one SELECT, and for what DuckDB finds wrong with it.
    """
    try:
        statements = connection.extract_statements(sql)
        if len(statements) != 1:
            raise ProvkitError(f"one SQL statement is expected, these are {len(statements)}")
        kind = statements[0].type
        if kind not in (duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN):
            raise ProvkitError(f"only questions can be asked (SELECT, FROM, DESCRIBE); this is {kind.name}")
        return connection.sql(sql).to_arrow_table()
    except duckdb.Error as error:
        raise ProvkitError(plain_lines(str(error))) from None


def plain_lines(text: str) -> str:
    """A message of several lines, each safe to print."""
    return "\n".join(plain(line) for line in text.splitlines())


def _arms(connection: duckdb.DuckDBPyConnection, builds: Sequence[tuple[Path, manifest.Manifest]]) -> None:
    """One view an arm name, over the builds that have it: content columns and key."""
    selects: dict[str, list[str]] = {}
    for number, (folder, build) in enumerate(builds):
        for out in build.data():
            assert out.arm is not None and out.split is not None
            table = f"data_{number}_{out.arm}_{out.split}"
            connection.register(table, ds.dataset(folder / out.file, format="parquet"))
            key = f"'{build.build_id}' AS build_id, '{out.arm}' AS arm, '{out.split}' AS split"
            # without ORDER BY the number follows the order of the file: DuckDB keeps the insertion order
            select = f"SELECT {key}, row_number() OVER () - 1 AS index, * FROM {table}"
            selects.setdefault(out.arm, []).append(select)
    for arm, several in selects.items():
        connection.execute(f'CREATE VIEW "{arm}" AS ' + " UNION ALL BY NAME ".join(several))


def _union(
    connection: duckdb.DuckDBPyConnection, name: str, paths: Sequence[tuple[Path, str]], schema: pa.Schema
) -> None:
    """A view over one lineage file of each build, with the build_id that the file leaves out."""
    selects = []
    for number, (path, build_id) in enumerate(paths):
        connection.register(f"{name}_{number}", ds.dataset(path, format="parquet", schema=schema))
        selects.append(f"SELECT '{build_id}' AS build_id, * FROM {name}_{number}")
    if not selects:
        connection.register(f"{name}_none", schema.empty_table())
        selects = [f"SELECT ''::VARCHAR AS build_id, * FROM {name}_none"]
    connection.execute(f"CREATE VIEW {name} AS " + " UNION ALL ".join(selects))


def _sorted(folder: Any) -> list[Any]:
    return sorted(folder.iterdir(), key=lambda file: file.name)
