"""provkit discretion."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from provkit.cli.asking import asking
from provkit.cli.output import progress, shared, show_json, show_table, talk

if TYPE_CHECKING:
    from provkit.discretion.report import Estimate, Report
    from provkit.llm import Teacher
    from provkit.llm.sessions import Options


@click.command(short_help="Measure how annotators decide where principles conflict.")
@click.argument("preferences", metavar="PREFERENCES|PAIRS")
@click.option("--annotator", "annotators", multiple=True, metavar="COLUMN|NAME=FILE",
              help="Whose preferences: a column of PREFERENCES, or a file of their own.")  # fmt: skip
@click.option("--orders", type=click.Choice(["both", "first"]), default="both", show_default=True,
              help="Both orders of each pair, or order 0 alone as the released analysis does.")  # fmt: skip
@click.option("--samples", type=click.IntRange(0), default=1000, show_default=True, help="Bootstrap samples.")
@click.option("--confidence", type=click.FloatRange(0.5, 1, max_open=True), default=0.95, show_default=True,
              help="Of the intervals.")  # fmt: skip
@click.option("--seed", type=click.IntRange(0), default=42, show_default=True, help="Of the samples.")
@click.option("--principles", default="default", show_default=True, metavar="NAME|FILE",
              help="The list of principles that a judge is asked about.")  # fmt: skip
@click.option("--layout", default="auto", show_default=True, help="How PAIRS are laid out.")
@click.option("--limit", type=click.IntRange(1), help="At most so many PAIRS.")
@click.option("-o", "--out", type=click.Path(path_type=Path), help="Where preferences go that a judge is asked for.")
@asking
@shared
def discretion(
    preferences: str,
    annotators: tuple[str, ...],
    orders: Any,
    samples: int,
    confidence: float,
    seed: int,
    principles: str,
    layout: str,
    limit: int | None,
    out: Path | None,
    asked: Options,
    shape: str,
    quiet: bool,
) -> None:
    """Measure alignment discretion on recorded PREFERENCES: row_id, principle_id, order, prob_A, prob_B, prob_NA.

    With --llm URL --model NAME the preferences of PAIRS are asked for first, one principle a rubric, and written to -o;
    the annotator `label` is then that of the pairs. What each number means stands in docs/discretion.md.

    \b
    provkit discretion preferences.parquet --annotator human --annotator reward_model=rewards.csv
    provkit discretion pairs.jsonl --llm URL --model NAME -o preferences.parquet --annotator label
    """
    from provkit.discretion import Preferences, measure, read_annotator, read_preferences
    from provkit.llm import sessions

    teacher = sessions.opened(asked, lambda text: talk(quiet, text))
    path = Path(preferences)
    if teacher is not None:
        if out is None:
            raise click.UsageError("-o FILE says where the preferences go that a judge is asked for")
        path = _collected(preferences, teacher, principles, layout, limit, out, quiet)
    columns = [name for name in annotators if "=" not in name]
    found = read_preferences(path, columns, orders)
    others = {name: Path(file) for name, _, file in (one.partition("=") for one in annotators if "=" in one)}
    further = {name: read_annotator(file, name, found.rows, orders) for name, file in others.items()}
    found = Preferences(found.rows, found.principles, found.values, {**found.annotators, **further}, found.notes)
    with progress(quiet) as report:
        made = measure(found, samples, confidence, seed, lambda done, total: report("bootstrap", done, total))
    if shape == "json":
        show_json(made.plain())
    else:
        _tables(made)
    for note in made.notes:
        talk(quiet, f"note: {note}")
    if not made.annotators:
        talk(quiet, f"next: provkit discretion {path} --annotator COLUMN")


def _collected(
    pairs: str, teacher: Teacher, principles: str, layout: str, limit: int | None, out: Path, quiet: bool
) -> Path:
    from provkit.discretion.collect import collect
    from provkit.discretion.principles import read_principles
    from provkit.rubrics.judges import EndpointJudge
    from provkit.rubrics.pairs import Taking, read_pairs

    listed, read = read_principles(principles), read_pairs("pairs", pairs, Taking(layout), limit)
    with progress(quiet) as report, teacher:
        unread = collect(EndpointJudge(teacher), listed, read, out, lambda done, total: report("judge", done, total))
    talk(quiet, f"wrote {out}: {len(read.pairs):,} pairs under {len(listed.listed)} principles, in both orders")
    if unread:
        talk(quiet, f"note: {unread:,} answers without a verdict count as no preference")
    return out


def _tables(made: Report) -> None:
    kinds = {"consensus": made.consensus, "conflict": made.conflict, "indifference": made.indifference}
    show_table([{"rows": name} | _shown(one, "share") for name, one in kinds.items()])
    if not made.annotators:
        return
    show_table(
        [
            {"annotator": one.name, "rows": one.rows, "on consensus": one.consensus_rows}
            | _shown(one.arbitrariness, "arbitrariness")
            for one in made.annotators
        ]
    )
    show_table(
        [
            {"principle": name} | {one.name: _number(one.weights[name].value) for one in made.annotators}
            for name in made.principles
        ]
    )
    if made.differences:
        show_table(
            [{"annotator": one, "other": other} | _shown(found, "difference") for one, other, found in made.differences]
        )


def _shown(one: Estimate, name: str) -> dict[str, Any]:
    low, high = _number(one.low), _number(one.high)
    return {name: _number(one.value), "interval": None if low is None else f"{low} to {high}"}


def _number(value: float | str | None) -> float | str | None:
    return round(value, 4) if isinstance(value, float) else value
