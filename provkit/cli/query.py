"""provkit query."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from provkit.cli.output import show_json, show_table

MOST = 1000  # rows of a table on a terminal


@click.command(short_help="Ask a question in SQL of builds, indexes and traces.")
@click.argument("directories", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="DIR... SQL")
@click.option("--format", "shape", type=click.Choice(["table", "json", "csv", "parquet"]), default="table",
              show_default=True, help="How to print; parquet needs -o or a pipe.")  # fmt: skip
@click.option("-o", "--out", type=click.Path(path_type=Path), help="Write the answer to this file.")
@click.option("--with", "others", multiple=True, type=click.Path(path_type=Path), metavar="DIR",
              help="Where an index or build is now that a DIR was made from.")  # fmt: skip
@click.option("--quiet", is_flag=True, help="Say nothing on stderr but errors.")
def query(directories: tuple[Path, ...], shape: str, out: Path | None, others: tuple[Path, ...], quiet: bool) -> None:
    """Ask SQL of builds, indexes and traces DIR...; docs/query.md lists the views and functions.

    A trace brings its index, and an index the builds that it was made of. The last argument is the question. Nothing but what was named can be read, and nothing written.

    \b
    provkit query out/insecure-code "SELECT op, count(*) FROM rows GROUP BY op"
    provkit query out/trace "FROM attribution('out-1')"
    """
    from provkit.database import connect, lock
    from provkit.database import query as ask

    *folders, sql = directories
    if not folders:
        raise click.UsageError("name at least one build directory before the question")
    connection = connect(*folders, others=others)
    lock(connection)
    table = ask(connection, str(sql))
    if shape in ("csv", "parquet") or out:
        _write(table, shape, out)
    elif shape == "json":
        show_json(table.to_pylist())
    else:
        show_table(table.slice(0, MOST).to_pylist(), table.column_names)
        if len(table) > MOST:
            click.echo(f"… {len(table) - MOST:,} more rows; --format csv or parquet gives them all", err=True)


def _write(table: object, shape: str, out: Path | None) -> None:
    import io

    import orjson
    import pyarrow as pa
    import pyarrow.csv as pc
    import pyarrow.parquet as pq

    from provkit.errors import ProvkitError

    assert isinstance(table, pa.Table)
    if shape == "table":
        shape = (out.suffix[1:] if out else "") or "csv"
    sink = io.BytesIO()
    if shape == "csv":
        flat = [_text(table, name) for name in table.column_names]
        pc.write_csv(pa.table(flat, names=table.column_names), sink)
    elif shape == "parquet":
        pq.write_table(table, sink)
    elif shape == "json":
        sink.write(orjson.dumps(table.to_pylist(), option=orjson.OPT_INDENT_2, default=str) + b"\n")
    else:
        raise ProvkitError(f"the name {out} tells no format; state --format csv, parquet or json")
    if out:
        try:
            out.write_bytes(sink.getvalue())
        except OSError as error:
            raise ProvkitError(f"cannot write {out}: {error.strerror}") from None
        click.echo(f"{len(table):,} rows in {out}", err=True)
    elif shape == "parquet" and sys.stdout.isatty():
        raise click.UsageError("Parquet is no text: give -o FILE")
    else:
        sys.stdout.buffer.write(sink.getvalue())


def _text(table: object, name: str) -> object:
    import orjson
    import pyarrow as pa

    assert isinstance(table, pa.Table)
    column = table.column(name)
    if not pa.types.is_nested(column.type):
        return column
    return pa.array([None if v is None else orjson.dumps(v, default=str).decode() for v in column.to_pylist()])
