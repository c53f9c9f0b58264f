"""provkit build."""

from __future__ import annotations

import json
from contextlib import nullcontext
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any

import click

from provkit.cli.asking import asking
from provkit.cli.elsewhere import Place, cluster, executor, staged, through
from provkit.cli.output import progress, shared, show_json, show_table, talk

if TYPE_CHECKING:
    from provkit.llm.sessions import Options


@click.command(short_help="Build a dataset out of a recipe, with the lineage of every row.")
@click.argument("recipe")
@click.option(
    "-o", "--out", type=Place(), help="Build directory, or a URL such as s3://BUCKET/NAME.  [default: out/NAME]"
)
@click.option(
    "--set", "settings", multiple=True, metavar="KEY=VALUE", help="Bind an input, or set a value of the recipe."
)
@click.option("--limit", type=click.IntRange(1), help="At most so many rows of each source.")
@click.option("--workers", type=click.IntRange(1), help="Processes for per-row steps.  [default: all processors]")
@click.option("--dry-run", is_flag=True, help="Check recipe and inputs, say what would be built, write nothing.")
@click.option("--rows", type=click.IntRange(1), help="Exactly so many accepted rows, of a recipe with `accept`.")
@click.option("--replay", type=click.Path(path_type=Path), help="Answer from the record of this build; ask nobody.")
@click.option("--fresh", is_flag=True, help="Build even where the same build stands already.")
@cluster
@asking
@shared
def build(
    recipe: str,
    out: Path | str | None,
    settings: tuple[str, ...],
    limit: int | None,
    workers: int | None,
    dry_run: bool,
    fresh: bool,
    rows: int | None,
    replay: Path | None,
    scheduler: str | None,
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

    from provkit import manifest, recipes
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
    several = workers or os.cpu_count() or 1
    with (
        executor(scheduler) as workers_there,
        progress(quiet) as report,
        teacher or nullcontext(),
        staged(target, manifest.FILE) as folder,
        through(target, workers_there) as pool,
    ):
        built = run(planned, folder, several, fresh, report, audited, teacher, pool)
        findings = _findings(built.path)
    sizes = [
        {"arm": arm, "split": split, "rows": rows}
        for arm, splits in built.sizes.items()
        for split, rows in splits.items()
    ]
    if shape == "json":
        show_json(
            {
                "directory": str(target),
                "build_id": built.build_id,
                "built": built.fresh,
                "sizes": sizes,
                "counts": [one.plain() for one in built.counts],
            }
        )
    else:
        show_table(sizes)
    dropped = sum(one.dropped for one in built.counts)
    lost = f"{dropped:,} candidates dropped, each with its reason" if dropped else "nothing dropped"
    said = "built" if built.fresh else "up to date (--fresh builds it again):"
    talk(quiet, f"{said} {target}  build {built.build_id[:12]}, {lost}")
    for empty in (one for one in sizes if not one["rows"]):
        talk(quiet, f"note: {empty['arm']}/{empty['split']} is empty and has no file")
    for one in findings:
        talk(quiet, f"audit: {one['rule']} {one['name']} in {one['subject']}: {one['count']:,} {one['unit']}")
    filled = [one for one in sizes if one["rows"]]
    if not filled:
        most = max(built.counts, key=lambda one: one.dropped)
        said = f"no row came through: {most.step} dropped {most.dropped:,}, lineage/drops.parquet says why"
        click.echo(said, err=True)
        raise SystemExit(1)
    if isinstance(target, str):
        talk(quiet, f"next: provkit index build {quote(target)} -o idx")
        return
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


def _describe(planned: object, target: Path | str, shape: str) -> None:
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
