"""What a question may not do: read what was not named, write, change settings, or be more than one question."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import pytest

from provkit.database import connect, lock, query
from provkit.errors import ProvkitError

if TYPE_CHECKING:
    from tests.conftest import Bench


@pytest.fixture(scope="module")
def out(session_bench: Callable[[], Bench]) -> Path:
    bench = session_bench()
    bench.rows(3)
    return bench.build()


@pytest.fixture
def locked(out: Path) -> duckdb.DuckDBPyConnection:
    connection = connect(out)
    lock(connection)
    return connection


@pytest.mark.parametrize(
    "question",
    [
        "COPY rows TO '{folder}/x.csv'",
        "COPY (SELECT 1) TO '{folder}/x.parquet' (FORMAT parquet)",
        "EXPLAIN ANALYZE COPY (SELECT 1) TO '{folder}/x.csv'",
        "EXPORT DATABASE '{folder}/x'",
        "ATTACH '{folder}/x.db'",
        "USE memory",
        "INSTALL fts",
        "LOAD fts",
        "FROM read_csv('/etc/passwd')",
        "FROM read_text('/etc/passwd')",
        "FROM read_blob('/etc/passwd')",
        "FROM read_parquet('{folder}/lineage/rows.parquet')",
        "FROM parquet_metadata('{folder}/lineage/rows.parquet')",
        "FROM sniff_csv('/etc/passwd')",
        "FROM glob('/*')",
        "FROM '/etc/passwd'",
        "FROM '{folder}/lineage/rows.parquet'",
        "FROM 'https://example.com/x.csv'",
        "SELECT * FROM connection",
        "SELECT * FROM secret",
        "SET enable_external_access = true",
        "SET threads = 1",
        "RESET enable_external_access",
        "PRAGMA enable_profiling",
        "PRAGMA database_list",
        "CALL enable_logging()",
        "FROM enable_logging()",
        "CREATE TABLE x (i INTEGER)",
        "CREATE OR REPLACE VIEW rows AS SELECT 1",
        "DROP VIEW rows",
        "INSERT INTO rows VALUES (1)",
        "UPDATE rows SET op = 'x'",
        "DELETE FROM rows",
        "VACUUM",
        "BEGIN",
        "PREPARE x AS SELECT 1",
        "SELECT 1; SELECT 2",
        "SELECT 1; DROP VIEW rows",
        "",
        "-- nothing",
        "SELECT ?",
        "SELEC 1",
    ],
)
def test_it_is_refused(locked: duckdb.DuckDBPyConnection, out: Path, question: str) -> None:
    secret = [{"password": "x"}]  # a name that a replacement scan would find
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    with pytest.raises(ProvkitError) as error:
        query(locked, question.format(folder=out))
    assert all(c.isprintable() or c == "\n" for c in str(error.value))
    assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == before
    assert secret
    assert query(locked, "SELECT count(*) AS n FROM rows").to_pylist() == [{"n": 3}]


@pytest.mark.parametrize(
    "question",
    ["SHOW TABLES", "DESCRIBE rows", "SUMMARIZE data", "EXPLAIN SELECT 1", "FROM data", "VALUES (1)", "TABLE rows",
     "WITH x AS (SELECT 1 AS i) FROM x", "SELECT 1;"],
)  # fmt: skip
def test_it_is_answered(locked: duckdb.DuckDBPyConnection, question: str) -> None:
    assert query(locked, question).num_rows >= 1


def test_columns_of_one_name_are_told_apart(locked: duckdb.DuckDBPyConnection) -> None:
    assert query(locked, "SELECT 1 AS a, 2 AS a, 3 AS a_1, 4 AS a").column_names == ["a", "a_1", "a_1_1", "a_2"]


def test_an_error_shows_hostile_text_and_does_not_obey_it(locked: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(ProvkitError) as error:
        query(locked, 'SELECT "\x1b[2J\u202e" FROM rows')
    assert "\x1b" not in str(error.value)
    assert "\u202e" not in str(error.value)
