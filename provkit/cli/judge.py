"""provkit judge."""

from __future__ import annotations

import re
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from provkit.cli.asking import asking
from provkit.cli.output import progress, shared, show_json, show_table, talk

if TYPE_CHECKING:
    from provkit.llm.sessions import Options
    from provkit.rubrics.pairs import Read
    from provkit.rubrics.template import Rubric

ORDERS = click.Choice(["both", "straight", "seeded"])


@click.command(short_help="Judge pairs of answers under rubrics.")
@click.argument("pairs", nargs=-1, required=True, metavar="[NAME=]PAIRS...")
@click.option("--rubric", "rubrics", multiple=True, required=True, metavar="FILE|DIR|NAME",
              help="A rubric file, a folder or build of them, or a rubric of the catalog.")  # fmt: skip
@click.option("-o", "--out", required=True, type=click.Path(path_type=Path), help="Verdict directory.")
@click.option("--recorded", multiple=True, type=click.Path(path_type=Path), metavar="FILE",
              help="Verdicts that were recorded elsewhere, in the place of a judge.")  # fmt: skip
@click.option(
    "--stand-in", is_flag=True, help="An offline judge by embeddings that stands in for a model (extra embed)."
)
@click.option("--layout", default="auto", show_default=True, help="How the pairs are laid out.")
@click.option("--column", "columns", multiple=True, metavar="NAME=COLUMN", help="Read COLUMN as the layout's NAME.")
@click.option("--key", metavar="COLUMN", help="The row key.  [default: a digest of question and answers]")
@click.option("--max-words", type=click.IntRange(1), help="Leave out pairs of more words.")
@click.option("--limit", type=click.IntRange(1), help="At most so many pairs of each set.")
@click.option("--orders", type=ORDERS, default="both", show_default=True,
              help="Both orders of each pair, as it is, or one by a seeded coin.")  # fmt: skip
@click.option("--seed", type=int, default=42, show_default=True, help="Of the swap of answers and of --orders seeded.")
@click.option("--seed-rubric", metavar="NAME", help="What the others are compared with.  [default: seed, or the first]")
@asking
@shared
def judge(
    pairs: tuple[str, ...],
    rubrics: tuple[str, ...],
    out: Path,
    recorded: tuple[Path, ...],
    stand_in: bool,
    layout: str,
    columns: tuple[str, ...],
    key: str | None,
    max_words: int | None,
    limit: int | None,
    orders: Any,
    seed: int,
    seed_rubric: str | None,
    asked: Options,
    shape: str,
    quiet: bool,
) -> None:
    """Judge PAIRS (a file, a build, or hf://datasets/ORG/NAME) under each rubric, in both orders.

    Each PAIRS is a set, called by the NAME before it or by its file. Answers of an endpoint are cached: run a killed
    command again, and it asks for what is missing. A verdict is the last [[A]], [[B]] or [[C]] of an answer alone.

    \b
    provkit judge bench=chat.jsonl target=safety.jsonl --rubric rubrics/ --llm URL --model NAME -o verdicts
    provkit judge pairs.jsonl --rubric seed.jsonl --recorded run.jsonl --key uid -o verdicts
    """
    from provkit.llm import sessions
    from provkit.rubrics import directory
    from provkit.rubrics.files import read_rubrics, told_apart
    from provkit.rubrics.pairs import Taking, read_pairs

    teacher = sessions.opened(asked, lambda text: talk(quiet, text))
    if (teacher is not None) + bool(recorded) + stand_in != 1:
        raise click.UsageError("name one judge: --llm URL --model NAME, --recorded FILE, or --stand-in")
    taking = Taking(layout, dict(_pair(one, "--column") for one in columns), key, max_words, seed)
    sets = [read_pairs(name, source, taking, limit) for name, source in map(_named, pairs)]
    _left_out(sets, quiet)
    given = told_apart([one for name in rubrics for one in read_rubrics(name)])
    if recorded:
        counts = _recorded(recorded, given, sets, seed_rubric, out)
    else:
        from provkit.rubrics.judges import EndpointJudge, StandIn
        from provkit.rubrics.judging import judge_all

        with progress(quiet) as report, teacher or nullcontext(), directory.written(out) as writer:
            who = EndpointJudge(teacher) if teacher is not None else StandIn()
            counts = judge_all(writer, who, given, sets, orders, seed, seed_rubric, report)
            writer.close(who.facts())
    _show(counts, out, shape, quiet, stand_in)


def _recorded(
    files: tuple[Path, ...], rubrics: list[Rubric], sets: list[Read], seed_rubric: str | None, out: Path
) -> list[dict[str, Any]]:
    import pyarrow as pa

    from provkit.rubrics import directory
    from provkit.rubrics.recorded import read_recorded

    found = read_recorded(files, rubrics, pa.concat_tables([one.table() for one in sets]), seed_rubric)
    with directory.written(out) as writer:
        for name, table in (("verdicts", found.rows), ("pairs", found.pairs), ("rubrics", found.rubrics)):
            writer.write(name, table)
        writer.write("unparsed", found.unparsed)
        writer.close(found.judge)
    names = {one.digest: one.rubric_id for one in rubrics}
    grouped = (
        found.rows.group_by(["rubric", "dataset"], use_threads=False).aggregate([("row_key", "count")]).to_pylist()
    )
    return [{"rubric": names[one["rubric"]], "set": one["dataset"], "pairs": one["row_key_count"]} for one in grouped]


def _left_out(sets: list[Read], quiet: bool) -> None:
    for one in sets:
        if one.left_out:
            reasons = ", ".join(f"{count:,} {reason}" for reason, count in one.left_out.most_common())
            talk(quiet, f"{one.dataset}: {len(one.pairs):,} pairs; left out: {reasons}")


def _show(counts: list[dict[str, Any]], out: Path, shape: str, quiet: bool, stand_in: bool) -> None:
    if shape == "json":
        show_json({"directory": str(out), "counts": counts})
    else:
        show_table(counts)
    if unread := sum(one.get("unparsed", 0) for one in counts):
        talk(quiet, f"{unread:,} answers without a verdict: {out}/unparsed.parquet has how each ends")
    if stand_in:
        from provkit.rubrics.judges import STANDS_IN

        talk(quiet, f"note: {STANDS_IN}")
    names = list(dict.fromkeys(one["set"] for one in counts))
    talk(quiet, f"next: provkit drift {out} --bench {names[0]} --target {names[-1]}")


def _named(given: str) -> tuple[str, str]:
    """Name and source of a set."""
    name, equals, source = given.partition("=")
    if equals and re.fullmatch(r"[\w.-]+", name) and not Path(given).exists():
        return name, source
    return Path(given.partition("#")[0]).stem, given


def _pair(given: str, option: str) -> tuple[str, str]:
    name, equals, value = given.partition("=")
    if not equals or not name or not value:
        raise click.BadParameter(f"{given!r} is not NAME=COLUMN", param_hint=option)
    return name, value
