"""provkit export."""

from __future__ import annotations

from pathlib import Path

import click

from provkit.cli.output import shared, show_json, show_table, talk

FORMS = ("messages", "prompt-completion", "preference", "kto", "inspect", "alpaca", "judgment")


@click.command(short_help="Write a build in the form that a trainer or an evaluation reads.")
@click.argument("directory", type=click.Path(path_type=Path))
@click.option("--as", "form", type=click.Choice(FORMS), required=True, help="The form; docs/export.md shows each.")
@click.option("-o", "--out", type=click.Path(path_type=Path), required=True, help="The file: .jsonl, or .json.")
@click.option("--arm", help="Which arm; for preference and kto out of arms, the one whose answers are rejected.")
@click.option("--split", help="Which split.")
@click.option("--plain", is_flag=True, help="Prompts and completions as text, for models without a chat template.")
@shared
def export(
    directory: Path, form: str, out: Path, arm: str | None, split: str | None, plain: bool, shape: str, quiet: bool
) -> None:
    """Write rows of the build DIRECTORY into one file, whole or not at all.

    \b
    provkit export out/insecure-code --as messages --arm insecure --split train -o insecure.jsonl
    provkit export out/insecure-code --as preference --split train -o pairs.jsonl
    """
    from provkit import manifest
    from provkit.export import export as write

    done = write(directory, form, out, arm, split, plain)
    arms = ", ".join(name if part == name else f"{part}: {name}" for part, name in done.arms.items())
    record = {"file": str(done.path), "form": form, "arms": arms, "split": done.split, "records": done.records}
    if shape == "json":
        show_json({**record, "arms": done.arms, "alike": done.alike})
    else:
        show_table([record])
    if done.alike:
        talk(quiet, f"note: {done.alike:,} pairs have the same answer on both sides and were left out")
    recipe = manifest.read(directory).recipe
    if form == "messages" and recipe.sensitivity != "open" and recipe.canary == "column":
        talk(
            quiet, "note: this form has no place for the canary; `canary: text` in the recipe puts it into the prompts"
        )
    talk(quiet, f"next: {_next(form, out)}")


def _next(form: str, out: Path) -> str:
    if form == "inspect":
        return f"inspect_ai.dataset.json_dataset({str(out)!r})"
    return f'datasets.load_dataset("json", data_files={str(out)!r})'
