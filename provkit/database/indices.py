"""Reports of the Alignment Quality Index in DuckDB: the tables that sql/ reads for them."""

from __future__ import annotations

from collections.abc import Sequence

import duckdb
import pyarrow as pa
import pyarrow.dataset as ds

from provkit.aqi.report import Opened
from provkit.aqi.tables import FIGURES, PROBES, ROWS

REPORTS = pa.schema(
    [
        ("report", pa.string()),
        ("subject", pa.string()),
        ("representation", pa.string()),
        ("rows", pa.int64()),
        ("rows_digest", pa.string()),
        ("build_id", pa.string()),
        ("clustered_by", pa.string()),
        ("best", pa.string()),
        ("warnings", pa.list_(pa.string())),
    ]
)


def register(connection: duckdb.DuckDBPyConnection, reports: Sequence[Opened]) -> None:
    """Makes the tables that sql/ reads: _aqi_reports, and _aqi_figures, _aqi_probes and _aqi_rows with their report."""
    facts = [{**{name: one.facts.get(name) for name in REPORTS.names}, "report": str(one.path)} for one in reports]
    connection.register("_aqi_reports", pa.Table.from_pylist(facts, schema=REPORTS))
    for name, schema in (("figures", FIGURES), ("probes", PROBES), ("rows", ROWS)):
        selects = []
        for number, one in enumerate(reports):
            table = f"_aqi_{name}_{number}"
            connection.register(table, ds.dataset(one.path / f"{name}.parquet", format="parquet", schema=schema))
            quoted = str(one.path).replace("'", "''")
            selects.append(f"SELECT '{quoted}' AS report, * FROM {table}")
        if not selects:
            connection.register(f"_aqi_{name}_none", schema.empty_table())
            selects = [f"SELECT '' AS report, * FROM _aqi_{name}_none"]
        connection.execute(f"CREATE VIEW _aqi_{name} AS " + " UNION ALL ".join(selects))
