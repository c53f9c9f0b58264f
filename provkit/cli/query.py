"""provkit query."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from provkit.cli.output import show_json, show_table, spell_json, talk

if TYPE_CHECKING:
    import pyarrow as pa

MOST = 1000  # rows of a table on a terminal


@click.command(short_help="Ask a question in SQL of builds, indexes and traces.")
@click.argument("words", nargs=-1, required=True, metavar="DIR... SQL")  # as text: a Path would mend `//` in SQL
@click.option("--format", "shape", type=click.Choice(["table", "json", "csv", "parquet"]), default="table",
              show_default=True, help="How to print; parquet needs -o or a pipe.")  # fmt: skip
@click.option("-o", "--out", type=click.Path(path_type=Path), help="Write the answer to this file.")
@click.option("--with", "others", multiple=True, type=click.Path(path_type=Path), metavar="DIR",
              help="Where an index or build is now that a DIR was made from.")  # fmt: skip
@click.option("--quiet", is_flag=True, help="Say nothing on stderr but errors.")
def query(words: tuple[str, ...], shape: str, out: Path | None, others: tuple[Path, ...], quiet: bool) -> None:
    """Ask SQL of builds, indexes and traces DIR...; docs/query.md lists the views and functions.

    A trace brings its index, and an index the builds that it was made of. The last argument is the question.
    Nothing but what was named can be read, and nothing written.

    \b
    provkit query out/insecure-code "SELECT op, count(*) FROM rows GROUP BY op"
    provkit query out/trace "FROM attribution('out-1')"
    """
    from provkit.database import connect, lock
    from provkit.database import query as ask

    *folders, sql = words
    if not folders:
        raise click.UsageError("name at least one directory before the question")
    connection = connect(*folders, others=others)
    lock(connection)
    table = ask(connection, sql)
    if shape in ("csv", "parquet") or out:
        _write(table, shape, out, quiet)
    elif shape == "json":
        show_json(table.to_pylist())
    else:
        show_table(table.slice(0, MOST).to_pylist(), table.column_names)
        if len(table) > MOST:
            talk(quiet, f"… {len(table) - MOST:,} more rows; --format csv or parquet gives them all")


def _write(table: pa.Table, shape: str, out: Path | None, quiet: bool) -> None:
    from provkit.errors import ProvkitError, plain

    if shape == "table":
        shape = (out.suffix[1:] if out else "") or "csv"
    if shape not in ("csv", "json", "parquet"):
        raise ProvkitError(f"the name {out} tells no format; state --format csv, parquet or json")
    if shape == "parquet" and not out and sys.stdout.isatty():
        raise click.UsageError("Parquet is no text: give -o FILE")
    content = _spelled(table, shape)
    if out:
        try:
            out.write_bytes(content)
        except OSError as error:
            raise ProvkitError(f"cannot write {out}: {error.strerror}") from None
        talk(quiet, f"{len(table):,} rows in {out}")
    elif sys.stdout.isatty():
        for line in content.decode().splitlines():
            click.echo(plain(line, len(line)))
    else:
        sys.stdout.buffer.write(content)


def _spelled(table: pa.Table, shape: str) -> bytes:
    import io

    import pyarrow as pa
    import pyarrow.csv as csv
    import pyarrow.parquet as pq

    from provkit.errors import ProvkitError, plain

    if shape == "json":
        return spell_json(table.to_pylist()) + b"\n"
    sink = io.BytesIO()
    try:
        if shape == "csv":
            csv.write_csv(pa.table([_flat(column) for column in table.columns], names=table.column_names), sink)
        else:
            pq.write_table(table, sink)
    except pa.ArrowException as error:
        said = f"{shape} has no form for this answer: {plain(str(error))}"
        raise ProvkitError(f"{said}\n  cast the column in the question, for example to VARCHAR") from None
    return sink.getvalue()


def _flat(column: pa.ChunkedArray) -> pa.ChunkedArray | pa.Array:
    """A column that CSV can hold: lists and structs as JSON."""
    import orjson
    import pyarrow as pa

    if not pa.types.is_nested(column.type):
        return column
    return pa.array([None if v is None else orjson.dumps(v, default=str).decode() for v in column.to_pylist()])
