"""provkit report."""

from __future__ import annotations

from pathlib import Path

import click

from provkit.cli.output import shared, show_json, show_table, talk


@click.command(short_help="Make one HTML page of a trace, build, audit, drift or AQI result.")
@click.argument("directory", metavar="DIR|FILE", type=click.Path(path_type=Path))
@click.option("-o", "--out", type=click.Path(path_type=Path), help="The page.  [default: DIR.html, beside DIR]")
@click.option("--open", "opening", is_flag=True, help="Open it in the browser.")
@click.option("--with", "others", multiple=True, type=click.Path(path_type=Path), metavar="DIR",
              help="Where the index or build of a trace is now.")  # fmt: skip
@click.option("--excerpts", is_flag=True, help="Show the rows of a build that is not open instead of masking them.")
@click.option("--bench", metavar="NAME", help="Of verdicts: the set that a variant has to do well on.")
@click.option("--target", metavar="NAME", help="Of verdicts: the set that drift is measured on.")
@shared
def report(
    directory: Path,
    out: Path | None,
    opening: bool,
    others: tuple[Path, ...],
    excerpts: bool,
    bench: str | None,
    target: str | None,
    shape: str,
    quiet: bool,
) -> None:
    """Make one self-contained HTML page of what `trace`, `build`, `judge` or `aqi` wrote into DIR, or of a FILE of
    `provkit audit --format json`. It needs no network and loads nothing.

    \b
    provkit report out/trace --open
    provkit report out/insecure-code -o page.html
    """
    from provkit.report import Asked, read, write

    page = read(directory, Asked(others, excerpts, bench, target))
    if out is None:
        named = directory if directory.name not in ("", "..") else directory.resolve()
        out = named.with_name((named.stem if named.is_file() else named.name) + ".html")
    write(page, out)
    made = {"report": str(out), "of": page.kind, "bytes": out.stat().st_size}
    if shape == "json":
        show_json(made)
    else:
        show_table([made])
    for note in page.notes:
        talk(quiet, f"note: {note}")
    if opening:
        import webbrowser

        webbrowser.open(out.resolve().as_uri())
    talk(quiet, f"next: {page.next}")
