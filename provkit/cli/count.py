"""provkit count."""

from __future__ import annotations

from pathlib import Path

import click

from provkit.cli.elsewhere import Place
from provkit.cli.index import in_plain_words
from provkit.cli.output import shared, show_json


@click.command(short_help="Count how often a text stands in an indexed corpus.")
@click.argument("index", type=Place())
@click.argument("text")
@shared
def count(index: Path | str, text: str, shape: str, quiet: bool) -> None:
    """Count, exactly, how often TEXT stands in INDEX, beginning and ending at token boundaries."""
    from provkit.index import open_index

    with in_plain_words():
        number = open_index(index).count(text)
    if shape == "json":
        show_json({"text": text, "count": number})
    else:
        click.echo(number)
