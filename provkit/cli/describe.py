"""provkit describe."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from provkit.cli.output import shared, show_json, show_table, talk

if TYPE_CHECKING:
    from provkit.describe import Description


@click.command(short_help="Measure the structure of a build: lengths, diversity, entropy, nearness to an evaluation.")
@click.argument("directory", type=click.Path(path_type=Path))
@click.option("--eval", "evaluation", type=click.Path(path_type=Path), metavar="FILE",
              help="Evaluation prompts; how near the training prompts lie to them.")  # fmt: skip
@click.option("--embed", is_flag=True, help="Measure that nearness by embeddings too (extra embed).")
@click.option("--plot", type=click.Path(path_type=Path), metavar="FILE",
              help="Draw the measures into a .png, .svg or .pdf (extra plot).")  # fmt: skip
@shared
def describe(directory: Path, evaluation: Path | None, embed: bool, plot: Path | None, shape: str, quiet: bool) -> None:
    """Measure the build DIRECTORY, arm by arm. What each number means stands in docs/describe.md.

    \b
    provkit describe out/insecure-code
    provkit describe out/insecure-code --eval questions.yaml --plot out/insecure-code.png
    """
    from provkit.describe import describe as measure
    from provkit.describe import draw

    if embed and evaluation is None:
        raise click.UsageError("--embed compares with the prompts of --eval FILE")
    encode = None
    if embed:
        from provkit.embed import Embedder

        encode = Embedder().encode
    found = measure(directory, evaluation, encode)
    if plot is not None:
        draw(found, plot)
    if shape == "json":
        show_json(found.plain())
    else:
        _tables(found)
    if plot is not None:
        talk(quiet, f"drawn into {plot}")
    elif evaluation is None:
        talk(quiet, f"next: provkit describe {directory} --eval FILE --plot {directory.name}.png")


def _tables(found: Description) -> None:
    show_table(
        [{"arm": arm.arm, "split": name, "rows": rows} for arm in found.arms for name, rows in arm.splits.items()]
    )
    sides: list[dict[str, Any]] = []
    for arm in found.arms:
        for name, side in (("prompts", arm.prompts), ("answers", arm.answers)):
            if side is None:
                continue
            long = side.lengths
            sides.append(
                {"arm": arm.arm, "side": name, "texts": side.texts, "distinct": side.distinct, "tokens": side.tokens}
                | {"types": side.types, "mean": round(long.mean, 2), "sd": round(long.sd, 2), "min": long.least}
                | {"p5": long.p05, "median": long.median, "p95": long.p95, "max": long.most}
                | {f"distinct-{n}": round(share, 4) for n, share in enumerate(side.distinct_n, 1)}
                | {"token bits": round(side.token_entropy, 3), "text bits": round(side.text_entropy, 3)}
                | {"freedom": None if name == "prompts" or arm.freedom is None else round(arm.freedom, 4)}
            )
    show_table(sides)
    near = [
        {"arm": arm.arm, "by": one.by, "evaluation": one.evaluation, "mean": round(one.mean, 4)}
        | {"median": round(one.median, 4), "p95": round(one.p95, 4), "most": round(one.most, 4)}
        | {"at 0.5 or more": round(one.half, 4), "equal": one.equal, "nearest pair": f"{one.pair[0]} ~ {one.pair[1]}"}
        for arm in found.arms
        for one in arm.near
    ]
    if near:
        show_table(near)
