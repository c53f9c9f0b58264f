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
@click.option("--passphrase-file", type=click.Path(path_type=Path), metavar="FILE",
              help="Passphrase of a sealed archive, or its sealed/README.md.")  # fmt: skip
@shared
def verify(
    directory: str, given: tuple[Path, ...], rebuild: bool, passphrase_file: Path | None, shape: str, quiet: bool
) -> None:
    """Check DIRECTORY against its provenance.json; exit 0 when it is whole, 1 when it is not.

    A build on the Hub is brought into a temporary folder and checked there, and so is one in a sealed archive.
    """
    from provkit.publish import hub, is_sealed, whole_in_archive, whole_on_hub
    from provkit.publish.sealed import passphrase_of
    from provkit.verify import verify as check

    on_hub = directory.startswith("hf://")
    passphrase = passphrase_of(passphrase_file)
    locked = not on_hub and is_sealed(Path(directory))
    if on_hub:
        findings = whole_on_hub(hub.client(None, quiet), directory, given, rebuild, passphrase)
    elif locked:
        findings = whole_in_archive(Path(directory), passphrase, given, rebuild)
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
    if on_hub or locked:
        more = " --passphrase-file FILE" if passphrase else ""
        talk(quiet, f"next: provkit pull {quote(directory.removeprefix('hf://datasets/'))}{more}")
        return
    talk(
        quiet, f"next: provkit query {quote(str(directory))} 'SELECT arm, split, count(*) AS n FROM rows GROUP BY ALL'"
    )
