"""provkit verify."""

from __future__ import annotations

from pathlib import Path
from shlex import quote

import click

from provkit.cli.output import shared, show_json, show_table, talk


@click.command(short_help="Check a build directory: digests, identities, parents, counts.")
@click.argument("directory", metavar="DIRECTORY|hf://datasets/ORG/NAME[@REVISION]")
@click.option("--with", "given", multiple=True, type=click.Path(path_type=Path), metavar="FILE",
              help="An input at hand (a file or a build directory): its rows are compared too.")  # fmt: skip
@click.option("--rebuild", is_flag=True, help="Run the recipe again and compare data/ and lineage/ byte by byte.")
@shared
def verify(directory: str, given: tuple[Path, ...], rebuild: bool, shape: str, quiet: bool) -> None:
    """Check DIRECTORY against its provenance.json; exit 0 when it is whole, 1 when it is not.

    A build on the Hub is brought into a temporary folder and checked there.
    """
    from provkit.verify import verify as check

    on_hub = directory.startswith("hf://")
    if on_hub:
        from provkit.publish import hub, whole_on_hub

        findings = whole_on_hub(hub.client(None, quiet), directory, given, rebuild)
    else:
        findings = check(Path(directory), given, rebuild)
    if shape == "json":
        show_json([{"file": one.file, "problem": one.problem} for one in findings])
    elif findings:
        show_table([{"file": one.file, "problem": one.problem} for one in findings])
    else:
        click.echo(f"{directory}: whole" + (", and a rebuild gives the same bytes" if rebuild else ""))
    if findings:
        raise SystemExit(1)
    if on_hub:
        talk(quiet, f"next: provkit pull {directory.removeprefix('hf://datasets/')}")
        return
    talk(
        quiet, f"next: provkit query {quote(str(directory))} 'SELECT arm, split, count(*) AS n FROM rows GROUP BY ALL'"
    )
