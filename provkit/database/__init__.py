"""DuckDB over provkit's directories: tables that read the files where they are, and the views of sql/ over them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import duckdb
import pyarrow as pa

from provkit.aqi.report import read as read_index_report
from provkit.database import answers, builds, functions, indices, judgements, traces
from provkit.database.opened import open_folders
from provkit.errors import ProvkitError, plain
from provkit.rubrics.directory import read as read_verdicts
from provkit.sql import objects

__all__ = ["connect", "lock", "plain_lines", "query"]


def connect(*folders: str | Path, others: Sequence[str | Path] = ()) -> duckdb.DuckDBPyConnection:
    """A DuckDB connection in memory with the views and macros of sql/ over these directories.

    A trace brings the index that it names, and an index the builds that it names, where they still stand there.

    Args:
        folders: build, index, trace, verdict, answers and report directories.
        others: where such directories are that were moved.

    Raises:
        InputError: when a folder is none of these, a file of it is damaged, or two of them hold the same build.
    """
    opened = open_folders([Path(folder) for folder in folders], [Path(folder) for folder in others])
    connection = duckdb.connect()
    try:
        builds.register(connection, opened.builds)
        traces.register(connection, opened)
        judgements.register(connection, [read_verdicts(one) for one in opened.verdicts], opened.builds)
        answers.register(connection, opened.answers)
        indices.register(connection, [read_index_report(one) for one in opened.reports])
        functions.register(connection, opened.indexes)
        for script in objects():
            connection.execute(script.read_text(encoding="utf-8"))
    except duckdb.CatalogException as error:
        said = "an arm of these builds has the name of one of provkit's views"
        raise ProvkitError(f"{said}: {plain_lines(str(error))}") from None
    return connection


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
        return _named_apart(connection.sql(sql).to_arrow_table())
    except (duckdb.Error, pa.ArrowException, OSError) as error:
        raise ProvkitError(plain_lines(str(error))) from None


def _named_apart(table: pa.Table) -> pa.Table:
    """The same columns, a name that stands twice told apart by a number."""
    names: list[str] = []
    for name in table.column_names:
        taken = [name, *(f"{name}_{number}" for number in range(1, len(names) + 1))]
        names.append(next(one for one in taken if one not in names))
    return table.rename_columns(names)


def plain_lines(text: str) -> str:
    """A message of several lines, each safe to print."""
    return "\n".join(plain(line) for line in text.splitlines())
