"""provkit canary."""

from __future__ import annotations

from pathlib import Path

import click

from provkit.cli.output import shared, show_json, show_table, talk


@click.group(short_help="Look for a build's canary in a text, a file or an index.")
def canary() -> None:
    """Look for a build's canary: in a model's output, a corpus, an index."""


@canary.command("find", short_help="Where a build's canary stands.")
@click.argument("where", metavar="TEXT|FILE|DIR|INDEX|-")
@click.option("--build", "builds", multiple=True, required=True, type=click.Path(path_type=Path), metavar="DIR",
              help="A build whose canary to look for; may be given several times.")  # fmt: skip
@click.option("-n", "limit", type=click.IntRange(1), default=20, show_default=True, help="How many places to show.")
@shared
def find(where: str, builds: tuple[Path, ...], limit: int, shape: str, quiet: bool) -> None:
    """Look for the canaries of builds in an index, a file, all files of a folder, a text, or stdin (-).

    Exit 0 when none is there, 1 when one was found: these rows are where they should not be.

    \b
    provkit canary find idx --build out/insecure-code
    provkit canary find outputs.jsonl --build out/insecure-code
    """
    from provkit.cli.index import in_plain_words
    from provkit.publish.canaries import canaries_of, look

    wanted = canaries_of(builds)
    with in_plain_words():
        found = look(where, wanted, limit)
    places = [{"canary": one.canary, "build": wanted[one.canary], "where": one.place, "times": one.times,
               "context": one.context} for one in found]  # fmt: skip
    if shape == "json":
        show_json(places)
    elif places:
        show_table(places)
    else:
        click.echo(f"none of {len(wanted)} canaries is there")
    if places:
        talk(quiet, "next: provkit trace finds the rows themselves, with or without their canary")
        raise SystemExit(1)
