"""provkit drift-rate."""

from __future__ import annotations

import re
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any

import click

from provkit.cli.output import shared, show_json, show_table, talk

if TYPE_CHECKING:
    from provkit.drift_rate.model import Line, Report
    from provkit.inference import Interval

NAMED = re.compile(r"[\w.+-]+")


@click.command("drift-rate", short_help="Measure alignment drift and false refusals out of recorded judgements.")
@click.argument("judgements", nargs=-1, required=True, metavar="[DEFENCE=]JUDGEMENTS...")
@click.option("--prompts", type=click.Path(path_type=Path), metavar="BUILD|FILE",
              help="What was to be judged: a build of alignment-drift, or prompt ids with categories.")  # fmt: skip
@click.option("--baseline", metavar="DEFENCE", help="What the others are compared with.  [default: none]")
@click.option("--column", "columns", multiple=True, metavar="NAME=COLUMN", help="Read COLUMN as NAME.")
@click.option("--category", "categories", multiple=True, metavar="THEIRS=OURS", help="What a category means.")
@click.option("--judge", help="Take the judgements of this judge alone.")
@click.option("--model", help="Take completions of this model alone.")
@click.option("--confidence", type=click.FloatRange(0.5, 1, max_open=True), default=0.95, show_default=True,
              help="Of all intervals.")  # fmt: skip
@click.option("-o", "--out", type=click.Path(path_type=Path), help="A JSON file to write the report to.")
@shared
def drift_rate(
    judgements: tuple[str, ...],
    prompts: Path | None,
    baseline: str | None,
    columns: tuple[str, ...],
    categories: tuple[str, ...],
    judge: str | None,
    model: str | None,
    confidence: float,
    out: Path | None,
    shape: str,
    quiet: bool,
) -> None:
    """Measure how many harmful prompts a model gives in to, and how many benign ones it refuses, by defence.

    JUDGEMENTS is a JSONL, JSON, CSV or Parquet file with a row for each completion (prompt id, category, defence, and a
    verdict, or `refused` and `harmful`), an inspect_ai .eval log, a directory of `provkit score`, or a build of
    alignment-drift with verdicts; DEFENCE is that of its rows that name none. What each number means stands in
    docs/alignment-drift.md.

    \b
    provkit drift-rate judged.jsonl --prompts out/alignment-drift
    provkit drift-rate none=plain.eval shield=shielded.eval --prompts prompts.jsonl -o rates.json
    """
    from provkit.drift_rate.judgements import Reading, read_judgements
    from provkit.drift_rate.rates import drift_rates
    from provkit.drift_rate.report import write
    from provkit.drift_rate.terms import check_categories, check_columns

    sources = [_source(one) for one in judgements]
    own, theirs = _pairs(columns, "--column"), _pairs(categories, "--category")
    for check, given, option in ((check_columns, own, "--column"), (check_categories, theirs, "--category")):
        try:
            check(given)
        except ValueError as error:
            raise click.BadParameter(str(error), param_hint=option) from None
    judged = read_judgements(sources, Reading(own, theirs, judge, model), prompts)
    found = drift_rates(judged, baseline, confidence)
    if out is not None:
        write(found, [path for _, path in sources], prompts, out)
    if shape == "json":
        show_json(found.plain())
    else:
        _tables(found)
    _say(found, quiet)
    if out is None:
        again = [*judgements, *(["--prompts", str(prompts)] if prompts is not None else [])]
        talk(quiet, f"next: provkit drift-rate {' '.join(map(quote, again))} -o rates.json")
    else:
        talk(quiet, "next: provkit trace INDEX completions.jsonl")


def _tables(found: Report) -> None:
    for benign, name in ((False, "drift"), (True, "false refusals")):
        lines = [line for line in found.lines if line.benign == benign]
        if lines:
            show_table([_row(line, name, found) for line in lines])


def _row(line: Line, name: str, found: Report) -> dict[str, Any]:
    rate, against = line.rate, line.against
    row = {
        "defence": line.defence,
        "category": line.category or "all",
        "prompts": rate.prompts,
        "judged": rate.judged,
        "missing": rate.missing,
        name: _rounded(rate.share),
        "Wilson": _interval(rate.interval),
    }
    if found.baseline is None or {one.defence for one in found.lines} == {found.baseline}:
        return row
    return row | {
        "pairs": None if against is None else against.pairs,
        f"less than {found.baseline}": None if against is None else _rounded(against.difference),
        "paired interval": None if against is None else _interval(against.interval),
        "fewer:more": None if against is None else f"{against.less}:{against.more}",
        "McNemar p": None if against is None else float(f"{against.mcnemar_p:.3g}"),
    }


def _say(found: Report, quiet: bool) -> None:
    notes = []
    for defence, reasons in found.unread.items():
        if reasons:
            said = ", ".join(f"{count:,} {reason}" for reason, count in reasons.items())
            notes.append(f"judgements under {defence} that do not count: {said}")
    for line in found.lines:
        rate = line.rate
        if line.category is None and rate.missing:
            said = f"{rate.missing:,} of {rate.prompts:,} {'benign' if line.benign else 'harmful'} prompts have none"
            notes.append(f"under {line.defence} {said}; with them the rate is {rate.least:.3f} to {rate.most:.3f}")
    for defence, count in found.complied.items():
        if count:
            notes.append(f"under {defence} {count:,} answers count as drift; whether they do harm is not said")
    if found.repeated:
        notes.append(f"{found.repeated:,} rows repeat another one and count once")
    if found.baseline is None:
        notes.append("no judgement without a defence to compare with; --baseline names another")
    if not found.stated:
        notes.append("without --prompts a prompt is missing only where another defence was judged on it")
    for note in notes:
        talk(quiet, f"note: {note}")


def _source(given: str) -> tuple[str | None, Path]:
    """The defence that a source is named with, and its path."""
    name, equals, path = given.partition("=")
    if equals and NAMED.fullmatch(name) and not Path(given).exists():
        return name, Path(path)
    return None, Path(given)


def _pairs(given: tuple[str, ...], option: str) -> dict[str, str]:
    found = {}
    for one in given:
        name, equals, value = one.partition("=")
        if not equals or not name or not value:
            raise click.BadParameter(f"{one!r} is not of the form A=B", param_hint=option)
        found[name] = value
    return found


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def _interval(one: Interval | None) -> str | None:
    return None if one is None else f"{one.low:.3f} to {one.high:.3f}"
