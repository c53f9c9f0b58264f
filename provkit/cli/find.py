"""provkit find."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from provkit.cli.elsewhere import Place
from provkit.cli.index import in_plain_words
from provkit.cli.output import shared, show_json, talk


@click.command(short_help="Show a text in its contexts in an indexed corpus.")
@click.argument("index", type=Place())
@click.argument("text")
@click.option("-n", "limit", type=click.IntRange(1), default=10, show_default=True, help="How many occurrences.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of the sample, where there are more.")
@click.option("--context", "width", type=click.IntRange(0), default=60, show_default=True, help="Characters each side.")
@shared
def find(index: Path | str, text: str, limit: int, seed: int, width: int, shape: str, quiet: bool) -> None:
    """Show where TEXT stands in INDEX: the document, and the text around it."""
    from provkit.errors import plain
    from provkit.index import open_index

    with in_plain_words():
        opened = open_index(index)
        found = opened.find(text, limit, seed)
        total = opened.count(text)
        contexts = [opened.context(one, width) for one in found]
    if shape == "json":
        show_json(
            [
                {"doc_id": one.doc_id, "shard": one.shard, "document": one.document, "start": one.start,
                 "end": one.end, "left": around.left, "match": around.match, "right": around.right}
                for one, around in zip(found, contexts, strict=True)
            ]
        )  # fmt: skip
        return
    bold = sys.stdout.isatty()
    for one, around in zip(found, contexts, strict=True):
        match = plain(around.match, 4000)
        shown = click.style(match, bold=True, fg="yellow") if bold else f"«{match}»"
        left = plain(around.left, 4000).rjust(width)
        click.echo(f"{left}{shown}{plain(around.right, 4000)}  {plain(one.doc_id)}")
    talk(quiet, f"{len(found):,} of {total:,} occurrences" + ("" if total <= limit else f", sampled with seed {seed}"))
