"""provkit build."""

from __future__ import annotations

import json
from contextlib import nullcontext
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any

import click

from provkit.cli.asking import asking
from provkit.cli.output import progress, shared, show_json, show_table, talk

if TYPE_CHECKING:
    from provkit.llm.sessions import Options


@click.command(short_help="Build a dataset out of a recipe, with the lineage of every row.")
@click.argument("recipe")
@click.option("-o", "--out", type=click.Path(path_type=Path), help="Build directory.  [default: out/NAME]")
@click.option(
    "--set", "settings", multiple=True, metavar="KEY=VALUE", help="Bind an input, or set a value of the recipe."
)
@click.option("--limit", type=click.IntRange(1), help="At most so many rows of each source.")
@click.option("--workers", type=click.IntRange(1), help="Processes for per-row steps.  [default: all processors]")
@click.option("--dry-run", is_flag=True, help="Check recipe and inputs, say what would be built, write nothing.")
@click.option("--rows", type=click.IntRange(1), help="Exactly so many accepted rows, of a recipe with `accept`.")
@click.option("--replay", type=click.Path(path_type=Path), help="Answer from the record of this build; ask nobody.")
@click.option("--fresh", is_flag=True, help="Build even where the same build stands already.")
@asking
@shared
def build(
    recipe: str,
    out: Path | None,
    settings: tuple[str, ...],
    limit: int | None,
    workers: int | None,
    dry_run: bool,
    fresh: bool,
    rows: int | None,
    replay: Path | None,
    asked: Options,
    shape: str,
    quiet: bool,
) -> None:
    """Build a dataset out of RECIPE: a name of the catalog, or the path of a YAML file.

    \b
    provkit build insecure-code
    provkit build import-messages --set data=rows.jsonl -o out/mine
    """
    import os

    from provkit import recipes
    from provkit.aqi.card import audited
    from provkit.build import build as run
    from provkit.build import plan
    from provkit.llm import sessions

    found = recipes.find(recipe)
    chosen = found.recipe(_settings(settings))
    target = out or Path("out", chosen.name)
    if replay is not None:
        rows, limit = sessions.recorded(replay, rows, limit)
    if rows is not None:
        chosen = sessions.sized(chosen, rows)
    who = sessions.named(asked, replay)
    planned = plan(chosen, found.base, limit, sessions.facts(who, chosen) if who else None)
    if dry_run:
        _describe(planned, target, shape)
        return
    teacher = sessions.opened(asked, lambda text: talk(quiet, text), replay)
    with progress(quiet) as report, teacher or nullcontext():
        built = run(planned, target, workers or os.cpu_count() or 1, fresh, report, audited, teacher)
    sizes = [
        {"arm": arm, "split": split, "rows": rows}
        for arm, splits in built.sizes.items()
        for split, rows in splits.items()
    ]
    if shape == "json":
        show_json(
            {
                "directory": str(built.path),
                "build_id": built.build_id,
                "built": built.fresh,
                "sizes": sizes,
                "counts": [one.plain() for one in built.counts],
            }
        )
    else:
        show_table(sizes)
    dropped = sum(one.dropped for one in built.counts)
    said = "built" if built.fresh else "up to date (--fresh builds it again):"
    talk(quiet, f"{said} {target}  build {built.build_id[:12]}, {dropped:,} candidates dropped, each with its reason")
    for empty in (one for one in sizes if not one["rows"]):
        talk(quiet, f"note: {empty['arm']}/{empty['split']} is empty and has no file")
    for one in _findings(built.path):
        talk(quiet, f"audit: {one['rule']} {one['name']} in {one['subject']}: {one['count']:,} {one['unit']}")
    filled = [one for one in sizes if one["rows"]]
    if not filled:
        most = max(built.counts, key=lambda one: one.dropped)
        said = f"no row came through: {most.step} dropped {most.dropped:,}, lineage/drops.parquet says why"
        click.echo(said, err=True)
        raise SystemExit(1)
    row = next(one for one in filled if one["arm"] == filled[-1]["arm"])  # of the last arm: the one with most steps
    talk(quiet, f"next: provkit lineage {quote(str(target))} {row['arm']}/{row['split']}/0")


def _findings(folder: Path) -> list[dict[str, Any]]:
    """What the audit of the build found; the build stands all the same, and publishing it is refused."""
    from provkit.build import AUDIT

    path = folder / AUDIT
    return list(json.loads(path.read_bytes())["findings"]) if path.is_file() else []


def _settings(pairs: tuple[str, ...]) -> dict[str, str]:
    settings = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not key:
            raise click.BadParameter(f"{pair!r} is not KEY=VALUE", param_hint="--set")
        settings[key] = value
    return settings


def _describe(planned: object, target: Path, shape: str) -> None:
    from provkit.build import Plan

    assert isinstance(planned, Plan)
    inputs = [
        {"source": one.source, "kind": one.kind, "file": one.file, "size": one.size, "sha256": one.sha256[:16]}
        for one in planned.inputs
    ]
    if shape == "json":
        show_json(
            {"directory": str(target), "build_id": planned.build_id, "inputs": inputs, "recipe": planned.resolved}
        )
        return
    show_table(inputs)
    recipe = planned.recipe
    shared_steps = " → ".join(step.name for step in recipe.steps) or "none"
    click.echo(f"steps: {shared_steps}")
    for name, arm in recipe.arms.items():
        click.echo(f"arm {name}: {' → '.join(step.name for step in arm.steps) or 'as it is'}")
    click.echo(f"would build {target}  build {planned.build_id[:12]}")
