"""The command line: each command is loaded when it is called, so that `provkit --help` loads click alone."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import click

from provkit import __version__

COMMANDS = {
    "ask": "Ask a model free-form evaluation questions, many times each.",
    "aqi": "Measure how far a model holds safe and unsafe rows apart: the Alignment Quality Index.",
    "audit": "Find the faults of fine-tuning and evaluation sets.",
    "build": "Build a dataset out of a recipe, with the lineage of every row.",
    "canary": "Look for a build's canary in a text, a file or an index.",
    "catalog": "The recipes that provkit ships.",
    "count": "Count how often a text stands in an indexed corpus.",
    "describe": "Measure the structure of a build: lengths, diversity, entropy, nearness to an evaluation.",
    "discretion": "Measure how annotators decide where principles conflict.",
    "drift": "Measure how far rubric variants drift from their seed, or gate on it.",
    "drift-rate": "Measure alignment drift and false refusals out of recorded judgements.",
    "export": "Write a build in the form that a trainer or an evaluation reads.",
    "find": "Show a text in its contexts in an indexed corpus.",
    "index": "Index a corpus for exact search: build, add, drop, info.",
    "judge": "Judge pairs of answers under rubrics.",
    "lineage": "Show the way back of a row to its source.",
    "metadata": "Print what a build is and came from: Croissant, PROV, in-toto, OpenLineage.",
    "publish": "Put a build on the Hugging Face Hub in one commit.",
    "pull": "Bring a published build back, byte for byte, and check it.",
    "query": "Ask a question in SQL of builds, indexes and traces.",
    "report": "Make one HTML page of a trace, build, audit, drift or AQI result.",
    "score": "Have a judge score answers, and print the misalignment rates.",
    "shield": "Hold back texts that repeat training text against a policy.",
    "trace": "Trace outputs of a model to the documents that they repeat.",
    "verify": "Check a build directory: digests, identities, parents, counts.",
}


class Failure(click.ClickException):
    """Something that the person at the keyboard can mend; exit 1 is kept for findings."""

    exit_code = 2


class Lazy(click.Group):
    """A group whose commands are modules of this package, imported when they are run or asked for help."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        module = name.replace("-", "_")
        command: click.Command = getattr(import_module(f"provkit.cli.{module}"), module)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name]) for name in sorted(COMMANDS)])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            import difflib

            near = difflib.get_close_matches(args[0], COMMANDS, n=1)
            raise click.UsageError(error.message + (f" Did you mean {near[0]!r}?" if near else ""), ctx) from None

    def invoke(self, ctx: click.Context) -> Any:
        from provkit.errors import ProvkitError

        try:
            return super().invoke(ctx)
        except ProvkitError as error:
            raise Failure(str(error)) from error


@click.group(cls=Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="provkit")
def main() -> None:
    """Datasets for alignment research with the provenance of every row.

    Start with: provkit build insecure-code
    """
