"""What commands share: results on stdout as a table or JSON, talk and progress on stderr."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from collections.abc import Iterator

F = TypeVar("F", bound=Callable[..., Any])
WIDE = 240  # columns of a table that no terminal bounds


def shared(command: F) -> F:
    """The options that every command takes: --format and --quiet."""
    chosen = click.Choice(["table", "json"])
    command = click.option("--quiet", is_flag=True, help="Say nothing on stderr but errors.")(command)
    return click.option("--format", "shape", type=chosen, default="table", show_default=True, help="How to print.")(
        command
    )


def talk(quiet: bool, text: str) -> None:
    """A sentence to the person, on stderr."""
    if not quiet:
        from provkit.errors import plain

        click.echo(plain(text, len(text)), err=True)


def show_json(value: Any) -> None:
    """Plain data as indented JSON on stdout; what a terminal would not show as it is stands as an escape."""
    click.echo(re.sub(r"[^\x20-\x7e\n]", _shown, spell_json(value).decode()))


def spell_json(value: Any) -> bytes:
    """Plain data, and what DuckDB answers with, as indented JSON."""
    import orjson

    return orjson.dumps(value, option=orjson.OPT_INDENT_2, default=_json)


def _shown(found: re.Match[str]) -> str:
    return found[0] if found[0].isprintable() else json.dumps(found[0])[1:-1]


def _json(value: Any) -> Any:
    if isinstance(value, Decimal) and value != value.to_integral_value():
        return float(value)
    if isinstance(value, Decimal) and -(2**63) <= value < 2**64:
        return int(value)  # sums are wide integers
    return value.hex() if isinstance(value, bytes) else str(value)


def show_table(records: Sequence[Mapping[str, Any]], columns: Sequence[str] | None = None) -> None:
    """Records as a table on stdout; text from data is made safe for the terminal."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    names = list(columns if columns is not None else dict.fromkeys(key for record in records for key in record))
    table = Table(box=SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for name in names:
        numeric = any(_number(record.get(name)) for record in records)
        table.add_column(Text(_cell(name)), justify="right" if numeric else "left", overflow="fold")
    for record in records:
        table.add_row(*(Text(_cell(record.get(name))) for name in names))
    console = Console(file=sys.stdout, width=None if sys.stdout.isatty() else WIDE, highlight=False)
    console.print(table)


@contextmanager
def progress(quiet: bool) -> Iterator[Callable[[str, int, int], None]]:
    """Something to call with (step, rows done, rows in all): a bar on a terminal, plain lines elsewhere."""
    if quiet:
        yield lambda *_: None
    elif sys.stderr.isatty():
        with _bars() as report:
            yield report
    else:

        def line(step: str, done: int, total: int) -> None:
            if done and done >= total:
                click.echo(f"{step}: {done:,} rows", err=True)

        yield line


@contextmanager
def byte_progress(quiet: bool, total: int) -> Iterator[Callable[[Any], None]]:
    """Something to call with the progress of an index build: bytes with rate and time left, or plain lines."""
    if quiet:
        yield lambda _: None
    elif sys.stderr.isatty():
        from rich.console import Console
        from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn
        from rich.progress import TransferSpeedColumn as Speed

        columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), Speed(), TimeRemainingColumn())
        with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
            read, sorted_ = bars.add_task("read", total=None), bars.add_task("sorted", total=None)

            def report(one: Any) -> None:
                bars.update(read, completed=one.read, total=max(total, one.read))
                bars.update(sorted_, completed=one.indexed, total=max(total, one.read))

            yield report
    else:
        import time

        start = time.monotonic()
        shards = 0

        def line(one: Any) -> None:
            nonlocal shards
            if one.shards > shards:
                shards, rate = one.shards, one.indexed / 1e6 / (time.monotonic() - start)
                left = max(total - one.indexed, 0) / 1e6 / rate if rate else 0
                said = f"shard {shards}: {one.indexed / 1e6:,.0f} MB indexed, {rate:.1f} MB/s"
                click.echo(said + (f", about {left:.0f} s left" if left >= 1 else ""), err=True)

        yield line


@contextmanager
def _bars() -> Iterator[Callable[[str, int, int], None]]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        known: dict[str, Any] = {}

        def report(step: str, done: int, total: int) -> None:
            if step not in known:
                known[step] = bars.add_task(step, total=None)
            bars.update(known[step], completed=done, total=total or None)

        yield report


def _number(value: Any) -> bool:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def _cell(value: Any) -> str:
    from provkit.errors import plain

    if value is None:
        return ""
    if _number(value) and isinstance(value, int):
        return f"{value:,}" if abs(value) >= 10_000 else str(value)
    if isinstance(value, float):
        return f"{value:.6g}"
    return plain(str(value), 400)
