"""provkit drift."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from provkit.cli.output import shared, show_json, show_table, talk

if TYPE_CHECKING:
    from provkit.inference import Interval
    from provkit.rubrics.drift import OnSet, Report, Variant


@click.command(short_help="Measure how far rubric variants drift from their seed, or gate on it.")
@click.argument("verdicts", nargs=-1, required=True, metavar="DIR|FILE...", type=click.Path(path_type=Path))
@click.option("--bench", required=True, metavar="NAME", help="The set of pairs that a variant has to do well on.")
@click.option("--target", required=True, metavar="NAME", help="The set of pairs that drift is measured on.")
@click.option("--rubric", "rubrics", multiple=True, metavar="FILE|DIR", help="The rubrics of recorded FILEs.")
@click.option("--seed-rubric", metavar="NAME", help="What the others are compared with.  [default: the seed]")
@click.option("--max-drift", type=click.FloatRange(0, 1), help="A gate: exit 1 when a variant drifts so far.")
@click.option("--tolerance", type=click.FloatRange(0, 1), default=0.0, show_default=True,
              help="How far below the seed on the bench still counts as compliant.")  # fmt: skip
@click.option("--confidence", type=click.FloatRange(0.5, 1, max_open=True), default=0.95, show_default=True,
              help="Of all intervals.")  # fmt: skip
@click.option("--by-category", is_flag=True, help="Show the drift of each category of the target too.")
@shared
def drift(
    verdicts: tuple[Path, ...],
    bench: str,
    target: str,
    rubrics: tuple[str, ...],
    seed_rubric: str | None,
    max_drift: float | None,
    tolerance: float,
    confidence: float,
    by_category: bool,
    shape: str,
    quiet: bool,
) -> None:
    """Measure the verdicts of a directory of `provkit judge`, or recorded JSONL or Parquet FILEs, variant by variant.

    With --max-drift it is a gate: exit 1 when the drift of a variant reaches the limit and the lower end of its
    interval, adjusted over all variants, is above 0. What each number means stands in docs/rubrics.md.

    \b
    provkit drift verdicts/ --bench chat --target safety
    provkit drift verdicts/ --bench chat --target safety --max-drift 0.02
    """
    from provkit.rubrics.drift import drift as measure
    from provkit.rubrics.files import read_rubrics, told_apart
    from provkit.rubrics.opening import opened

    given = told_apart([one for name in rubrics for one in read_rubrics(name)])
    found = measure(opened(verdicts, given, seed_rubric), bench, target, seed_rubric, confidence, max_drift, tolerance)
    if shape == "json":
        show_json(found.plain())
    else:
        _tables(found, by_category)
    if said := found.judge.get("stands_in"):
        talk(quiet, f"note: {said}")
    _say(found, quiet)
    if found.failing:
        raise SystemExit(1)
    if len(verdicts) == 1 and verdicts[0].is_dir():
        talk(quiet, f"next: provkit query {verdicts[0]} \"FROM flips('{found.variants[0].rubric_id}')\"")


def _tables(found: Report, by_category: bool) -> None:
    show_table(
        [
            _line(found.seed, found.seed_bench, found.seed_target),
            *(_line(one.rubric_id, one.bench, one.target) | _against(one) for one in found.variants),
        ]
    )
    if by_category:
        show_table(
            [
                {"rubric": one.rubric_id, "category": part.category, "pairs": part.pairs}
                | {"seed": _rounded(part.seed_accuracy), "variant": _rounded(part.accuracy)}
                | {"drift": _rounded(part.drift), "interval": _interval(part.interval)}
                for one in found.variants
                for part in one.categories
            ],
            ["rubric", "category", "pairs", "seed", "variant", "drift", "interval"],
        )


def _line(name: str, bench: OnSet, target: OnSet) -> dict[str, Any]:
    place = target.position
    return {
        "rubric": name,
        "bench": _rounded(bench.accuracy),
        "bench interval": _interval(bench.interval),
        "target": _rounded(target.accuracy),
        "target interval": _interval(target.interval),
        "ties": _rounded(target.ties),
        "unparsed": _rounded(target.unparsed),
        "consistent": _rounded(None if place is None else place.consistency),
    }


def _against(one: Variant) -> dict[str, Any]:
    return {
        "drift": _rounded(one.drift),
        "paired interval": _interval(one.target.drift_interval),
        "Holm-adjusted": _interval(one.adjusted),
        "compliant": None if one.compliant is None else "yes" if one.compliant else "no",
        "kappa": _rounded(one.target.kappa),
        "flips": _rounded(one.target.flips),
        "McNemar p": float(f"{one.target.mcnemar_p:.3g}"),
    } | ({} if one.fails is None else {"gate": "FAILS" if one.fails else "passes"})


def _say(found: Report, quiet: bool) -> None:
    for on in (found.seed_bench, found.seed_target):
        if on.position is not None and on.position.judge != "consistent":
            talk(quiet, f"note: on {on.dataset} the judge is {on.position.judge} under the seed")
        if on.pairs > on.labelled:
            talk(
                quiet,
                f"note: {on.pairs - on.labelled:,} pairs of {on.dataset} have no label A or B; accuracy is of the rest",
            )
    unread = sum(round((on.unparsed or 0) * on.pairs) for one in found.variants for on in (one.bench, one.target))
    if unread:
        talk(quiet, f"note: {unread:,} outcomes under variants could not be read as a verdict")
    if found.max_drift is None:
        return
    for one in found.failing:
        low = one.adjusted.low if one.adjusted else 0.0
        talk(quiet, f"gate: {one.rubric_id} drifts by {one.drift:.4f} on {found.target}, at least {low:.4f}")
    said = "no variant" if not found.failing else f"{len(found.failing):,} of {len(found.variants):,} variants"
    talk(
        quiet,
        f"gate at {found.max_drift:g}: {said} fails"
        if not found.failing
        else f"gate at {found.max_drift:g}: {said} fail",
    )


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def _interval(one: Interval | None) -> str | None:
    return None if one is None else f"{one.low:.3f} to {one.high:.3f}"
