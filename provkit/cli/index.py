"""provkit index."""

from __future__ import annotations

import re
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any

import click

from provkit.cli.elsewhere import Place, cluster, executor
from provkit.cli.output import byte_progress, shared, show_json, show_table, talk

if TYPE_CHECKING:
    from provkit.index import Manifest

UNITS = {"": 1, "kb": 2**10, "mb": 2**20, "gb": 2**30}


class Size(click.ParamType[int]):
    """Bytes, as `256MB`."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        found = re.fullmatch(r"(\d+)\s*(kb|mb|gb|)b?", str(value).strip().lower())
        if not found:
            self.fail(f"{value!r} is no size; write it as 256MB", param, ctx)
        return int(found[1]) * UNITS[found[2]]


@click.group(short_help="Index a corpus for exact search: build, add, drop, info.")
def index() -> None:
    """Index a corpus for exact search."""


@index.command()
@click.argument("sources", nargs=-1, required=True)
@click.option("-o", "--out", required=True, type=Place(), help="Index directory, or a URL such as s3://BUCKET/NAME.")
@click.option("--field", "fields", multiple=True, help="Text column.  [default: messages, or text]")
@click.option("--shard-size", type=Size(), default="256MB", show_default=True, help="Bytes of text in a shard.")
@click.option("--fold", type=click.Choice(["none", "case", "space", "case,space"]), default="none", show_default=True,
              help="What is not told apart when searching.")  # fmt: skip
@click.option("--workers", type=click.IntRange(1), default=1, show_default=True, help="Shards sorted at a time.")
@cluster
@shared
def build(
    sources: tuple[str, ...],
    out: Path | str,
    fields: tuple[str, ...],
    shard_size: int,
    fold: str,
    workers: int,
    scheduler: str | None,
    shape: str,
    quiet: bool,
) -> None:
    """Index SOURCES: build directories, data or text files, folders, globs, their URLs, hf://datasets/ORG/NAME.

    A build that was killed goes on with the finished shards when it is started again.

    \b
    provkit index build out/insecure-code -o idx
    """
    from provkit.corpus import open_corpus
    from provkit.index import build_index

    corpus = open_corpus(sources, fields)
    with executor(scheduler) as pool, byte_progress(quiet, corpus.size) as report, in_plain_words():
        made = build_index(
            corpus.batches(),
            out,
            inputs=corpus.inputs,
            shard_bytes=shard_size,
            fold=fold,
            workers=workers,
            executor=pool,
            progress=report,
        )
    _show(out, made, shape)
    talk(quiet, f"next: provkit count {quote(str(out))} 'some text'")


@index.command()
@click.argument("directory", type=click.Path(path_type=Path))
@click.argument("sources", nargs=-1, required=True)
@click.option("--field", "fields", multiple=True, help="Text column.  [default: messages, or text]")
@click.option("--workers", type=click.IntRange(1), default=1, show_default=True, help="Shards sorted at a time.")
@shared
def add(
    directory: Path, sources: tuple[str, ...], fields: tuple[str, ...], workers: int, shape: str, quiet: bool
) -> None:
    """Add SOURCES to the index DIRECTORY, in shards of their own."""
    from provkit.corpus import open_corpus
    from provkit.index import add_documents

    corpus = open_corpus(sources, fields)
    with byte_progress(quiet, corpus.size) as report, in_plain_words():
        made = add_documents(corpus.batches(), directory, inputs=corpus.inputs, workers=workers, progress=report)
    _show(directory, made, shape)


@index.command()
@click.argument("directory", type=click.Path(path_type=Path))
@click.argument("shard", type=int)
@shared
def drop(directory: Path, shard: int, shape: str, quiet: bool) -> None:
    """Remove the shard SHARD, and what it holds, from the index DIRECTORY."""
    from provkit.index import drop_shard

    with in_plain_words():
        made = drop_shard(directory, shard)
    _show(directory, made, shape)


@index.command()
@click.argument("directory", type=Place())
@shared
def info(directory: Path | str, shape: str, quiet: bool) -> None:
    """Say what the index DIRECTORY, or the one at a URL, holds."""
    from provkit.index import Manifest

    with in_plain_words():
        if isinstance(directory, str):
            from provkit.index.distant import manifest_at

            found = manifest_at(directory)
        else:
            found = Manifest.read(directory)
        _show(directory, found, shape)


def _show(directory: Path | str, made: Manifest, shape: str) -> None:
    shards = [
        {"shard": int(one.name), "documents": one.documents, "text_bytes": one.text_bytes, "tokens": one.tokens,
         "bytes": sum(file.size for file in one.files.values())}
        for one in made.shards
    ]  # fmt: skip
    if shape == "json":
        inputs = [{"path": one.path, "sha256": one.sha256, "size": one.size} for one in made.inputs]
        options = {"fold": list(made.options.fold), "shard_bytes": made.options.shard_bytes, "unicode": made.unicode}
        show_json({"directory": str(directory), **options, "inputs": inputs, "shards": shards})
        return
    show_table(shards)
    click.echo(f"{directory}: {made.documents:,} documents, {made.text_bytes:,} bytes of text, {made.tokens:,} tokens")


class in_plain_words:  # noqa: N801  (reads as what it does)
    """Turns what the index raises into an error for the person at the keyboard."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        from provkit.database import plain_lines
        from provkit.errors import ProvkitError

        if isinstance(error, ValueError | LookupError | FileExistsError | FileNotFoundError | BlockingIOError):
            said = error.strerror or str(error) if isinstance(error, OSError) and error.errno else str(error)
            name = f"{error.filename}: " if isinstance(error, OSError) and error.filename else ""
            raise ProvkitError(plain_lines(name + said)) from error
