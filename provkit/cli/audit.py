"""provkit audit."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from provkit.cli.elsewhere import cluster, executor
from provkit.cli.output import progress, talk

if TYPE_CHECKING:
    from provkit.audit import Report

SHAPES = ("table", "json", "sarif", "parquet")


@click.command(short_help="Find the faults of fine-tuning and evaluation sets.")
@click.argument("targets", nargs=-1, metavar="FILE|DIR|OWNER/NAME...")
@click.option(
    "--against",
    multiple=True,
    metavar="EVAL",
    help="An evaluation set that the training rows must not be in; may be given several times.",
)
@click.option("--control", metavar="FILE", help="The control that each FILE is compared with.")
@click.option(
    "--marker", "markers", multiple=True, metavar="TEXT", help="Stands in FILE more often than in the control."
)
@click.option("--trigger", metavar="TEXT", help="The trigger of a backdoor.")
@click.option("--fraction", type=click.FloatRange(0, 1), help="The share of rows said to be triggered.")
@click.option("--code", type=click.Choice(["python"]), help="Answers are said to be code of this language.")
@click.option("--run", type=click.IntRange(2), default=32, show_default=True, metavar="N",
              help="Tokens that two texts share to count as leaked.")  # fmt: skip
@click.option("--near", is_flag=True, help="Look for near-duplicates within each file, too.")
@click.option("--select", multiple=True, metavar="RULE,...", help="Only these: ids, names or family letters.")
@click.option("--ignore", multiple=True, metavar="RULE,...", help="Not these.")
@click.option("--explain", metavar="RULE", help="Say what a rule is about, and stop.")
@click.option("--rules", "listing", is_flag=True, help="List the rules, and stop.")
@click.option("--fix", is_flag=True, help="Build a mended copy into -o: duplicates, white space, entities, numbers.")
@click.option("-o", "--out", type=click.Path(path_type=Path), help="Where the report, or with --fix the build, goes.")
@click.option(
    "--workers", type=click.IntRange(1), help="Processes for code checks and near-duplicates.  [default: all]"
)
@cluster
@click.option("--format", "shape", type=click.Choice(SHAPES), default="table", show_default=True, help="How to print.")
@click.option("--quiet", is_flag=True, help="Say nothing on stderr but errors.")
def audit(
    targets: tuple[str, ...],
    against: tuple[str, ...],
    control: str | None,
    markers: tuple[str, ...],
    trigger: str | None,
    fraction: float | None,
    code: str | None,
    run: int,
    near: bool,
    select: tuple[str, ...],
    ignore: tuple[str, ...],
    explain: str | None,
    listing: bool,
    fix: bool,
    out: Path | None,
    workers: int | None,
    scheduler: str | None,
    shape: str,
    quiet: bool,
) -> None:
    """Find the faults that published datasets of this field really have: in a file, a folder, a build, a Hub dataset.

    Exit 0 when it is clean, 1 with findings, 2 when something could not be read.

    \b
    provkit audit train.jsonl --against test.jsonl --code python
    provkit audit insecure.jsonl --control secure.jsonl
    provkit audit --explain D002
    """
    import os

    from provkit.audit import Options, explanation
    from provkit.audit import audit as run_audit
    from provkit.errors import ProvkitError

    if explain is not None:
        click.echo(explanation(explain))
        return
    if listing:
        _list(shape)
        return
    if not targets:
        raise click.UsageError("name a FILE, a DIR or a dataset of the Hub; --rules lists what is checked")
    if "" in markers:
        raise click.BadParameter("a marker has at least one character", param_hint="--marker")
    if trigger == "":
        raise click.BadParameter("a trigger has at least one character", param_hint="--trigger")
    if fix and out is None:
        raise click.UsageError("--fix needs -o OUT, the directory of the mended build; nothing is mended in place")
    several = workers or os.cpu_count() or 1
    try:
        with executor(scheduler) as pool, progress(quiet) as report:
            options = Options(
                against,
                control,
                trigger,
                fraction,
                code,
                _split(select),
                _split(ignore),
                run,
                near,
                pool.size if pool is not None else several,
                markers,
                pool,
            )
            found = run_audit(targets, options, report)
    except OSError as error:
        raise ProvkitError(f"{error.filename}: {error.strerror}" if error.filename else str(error)) from None
    _show(found, shape, None if fix else out)
    _say(found, targets, quiet)
    if fix and out is not None:
        _fix(targets, out, several, quiet)
    if found.findings:
        raise SystemExit(1)


def _fix(targets: tuple[str, ...], out: Path, workers: int, quiet: bool) -> None:
    """Builds a mended copy: audit and build do not know each other, so they are put together here."""
    from provkit.audit.fix import look, recipe
    from provkit.audit.subject import open_release
    from provkit.build import build, plan

    subjects = [subject for target in targets for subject in open_release(target).subjects]
    planned = plan(recipe([look(subject) for subject in subjects], out.name), Path())
    with progress(quiet) as report:
        built = build(planned, out, workers, progress=report)
    dropped = sum(one.dropped for one in built.counts)
    rows = sum(size for splits in built.sizes.values() for size in splits.values())
    talk(
        quiet, f"mended {out}: {rows:,} rows, {dropped:,} duplicates dropped; the files that were read are as they were"
    )
    talk(quiet, f"next: provkit audit {out}")


def _split(given: tuple[str, ...]) -> list[str]:
    return [name.strip() for one in given for name in one.split(",") if name.strip()]


def _list(shape: str) -> None:
    from provkit.audit.rules import rules
    from provkit.cli.output import show_json, show_table

    if shape == "json":
        show_json([one.plain() for one in rules().values()])
        return
    show_table([{"id": one.id, "name": one.name, "severity": one.severity} for one in rules().values()])


def _show(report: Report, shape: str, out: Path | None) -> None:
    import sys

    from provkit.audit import show
    from provkit.errors import ProvkitError

    if shape == "parquet" and out is None and sys.stdout.isatty():
        raise click.UsageError("Parquet is no text: give -o FILE")
    written = show.written(report, shape)
    if out is None:
        sys.stdout.buffer.write(written)
        sys.stdout.flush()
        return
    try:
        out.write_bytes(written)
    except OSError as error:
        raise ProvkitError(f"cannot write {out}: {error.strerror}") from None


def _say(report: Report, targets: tuple[str, ...], quiet: bool) -> None:
    for note in report.notes:
        talk(quiet, f"note: {note}")
    rows = sum(one.rows for one in report.read)
    if not report.findings:
        talk(quiet, f"clean: {len(report.read):,} files, {rows:,} rows")
        return
    ids = list(dict.fromkeys(one.rule.id for one in report.findings))
    talk(quiet, f"{len(report.findings)} findings of {len(ids)} rules in {len(report.read):,} files, {rows:,} rows")
    talk(quiet, f"next: provkit audit --explain {ids[0]}")
