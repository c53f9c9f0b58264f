"""provkit metadata."""

from __future__ import annotations

from pathlib import Path

import click

from provkit.cli.output import talk

FORMS = ("croissant", "prov", "in-toto", "openlineage")


@click.command(short_help="Print what a build is and came from: Croissant, PROV, in-toto, OpenLineage.")
@click.argument("directory", type=click.Path(path_type=Path))
@click.option("--as", "form", type=click.Choice(FORMS), default="croissant", show_default=True, help="Which form.")
@click.option("-o", "--out", type=click.Path(path_type=Path), help="A file instead of stdout.")
@click.option("--quiet", is_flag=True, help="Say nothing on stderr but errors.")
def metadata(directory: Path, form: str, out: Path | None, quiet: bool) -> None:
    """Print the metadata of the build in DIRECTORY as JSON that other tools read.

    \b
    provkit metadata out/insecure-code --as prov
    """
    from provkit import metadata as forms
    from provkit.errors import ProvkitError

    made = forms.written(directory, form)
    if out is None:
        click.echo(made, nl=False)
        return
    try:
        out.write_bytes(made)
    except OSError as error:
        raise ProvkitError(f"cannot write {out}: {error.strerror}") from None
    talk(quiet, f"wrote {out}")
