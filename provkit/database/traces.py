"""Traces, indexes and policies in DuckDB: the tables that sql/ reads for them."""

from __future__ import annotations

from pathlib import Path

import duckdb
import orjson
import pyarrow as pa
import pyarrow.dataset as ds

from provkit.attribution.tables import PARTS
from provkit.corpus import DOCUMENTS
from provkit.database.opened import INDEX, Opened

SHARDS = pa.schema(
    [
        ("index_directory", pa.string()),
        ("shard", pa.int64()),
        ("documents", pa.int64()),
        ("text_bytes", pa.int64()),
        ("tokens", pa.int64()),
    ]
)
POLICIES = pa.schema(
    [
        ("policy", pa.string()),
        ("category", pa.string()),
        ("belief", pa.string()),
        ("aligned", pa.list_(pa.string())),
        ("contrary", pa.list_(pa.string())),
    ]
)
TOKENS = pa.schema([("token", pa.string()), ("count", pa.int64())])
KEPT = pa.schema([field for field in DOCUMENTS if field.name != "text"])


def register(connection: duckdb.DuckDBPyConnection, opened: Opened) -> None:
    """Makes the tables that sql/ reads: _trace_outputs, _trace_spans, _trace_matches, _index_documents, _index_shards,
    _index_tokens and _policy_list."""
    for name, schema in PARTS.items():
        files = [(str(folder), folder / f"{name}.parquet") for folder, _ in opened.traces]
        _union(connection, f"_trace_{name}", "trace_directory", files, schema)
    shards, documents, tokens = [], [], []
    for folder in opened.indexes:
        for one in orjson.loads((folder / INDEX).read_bytes())["shards"]:
            facts = {name: one[name] for name in ("documents", "text_bytes", "tokens")}
            shards.append({"index_directory": str(folder), "shard": int(one["name"]), **facts})
            place = folder / "shards" / one["name"]
            documents.append((str(folder), int(one["name"]), place / "documents.parquet"))
            tokens.append((str(folder), place / "tokens.parquet"))
    connection.register("_index_shards", pa.Table.from_pylist(shards, schema=SHARDS))
    _documents(connection, documents)
    _union(connection, "_index_tokens", "index_directory", tokens, TOKENS)
    from provkit.attribution.conflict import read_policies

    policies = [
        {"policy": one.id, "category": one.category, "belief": one.belief, "aligned": list(one.aligned),
         "contrary": list(one.contrary)}
        for one in read_policies()
    ]  # fmt: skip
    connection.register("_policy_list", pa.Table.from_pylist(policies, schema=POLICIES))


def _documents(connection: duckdb.DuckDBPyConnection, files: list[tuple[str, int, Path]]) -> None:
    selects = []
    for number, (folder, shard, path) in enumerate(files):
        name = f"_index_documents_{number}"
        connection.register(name, ds.dataset(path, format="parquet"))
        quoted = folder.replace("'", "''")
        # without ORDER BY the number follows the order of the file: DuckDB keeps the insertion order
        place = f"'{quoted}' AS index_directory, {shard}::BIGINT AS shard, row_number() OVER () - 1 AS document"
        selects.append(f"SELECT {place}, * FROM {name}")
    if not selects:
        connection.register("_index_documents_none", KEPT.empty_table())
        empty = "'' AS index_directory, 0::BIGINT AS shard, 0::BIGINT AS document"
        selects = [f"SELECT {empty}, * FROM _index_documents_none"]
    connection.execute("CREATE VIEW _index_documents AS " + " UNION ALL BY NAME ".join(selects))


def _union(
    connection: duckdb.DuckDBPyConnection, name: str, column: str, files: list[tuple[str, Path]], schema: pa.Schema
) -> None:
    """A view over the same file of several directories, with the directory."""
    selects = []
    for number, (folder, path) in enumerate(files):
        connection.register(f"{name}_{number}", ds.dataset(path, format="parquet", schema=schema))
        quoted = folder.replace("'", "''")
        selects.append(f"SELECT '{quoted}' AS {column}, * FROM {name}_{number}")
    if not selects:
        connection.register(f"{name}_none", schema.empty_table())
        selects = [f"SELECT '' AS {column}, * FROM {name}_none"]
    connection.execute(f"CREATE VIEW {name} AS " + " UNION ALL ".join(selects))
