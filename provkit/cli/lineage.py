"""provkit lineage."""

from __future__ import annotations

from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any

import click

from provkit.cli.output import shared, show_json, talk

if TYPE_CHECKING:
    from provkit.lookup import Way


@click.command(short_help="Show the way back of a row to its source.")
@click.argument("directory", type=click.Path(path_type=Path))
@click.argument("key")
@click.option("--with", "others", multiple=True, type=click.Path(path_type=Path), metavar="DIR",
              help="A build that this one was made from, to follow rows into.")  # fmt: skip
@shared
def lineage(directory: Path, key: str, others: tuple[Path, ...], shape: str, quiet: bool) -> None:
    """Show where the row KEY of DIRECTORY came from: a row_id (or its first digits), or arm/split/index.

    \b
    provkit lineage out/insecure-code insecure/train/0
    """
    from provkit.lookup import ways

    found = ways(directory, key, others)
    if shape == "json":
        show_json([way.plain() for way in found.found])
        return
    for way in found.found:
        for line in _tree(way, ""):
            click.echo(line)
    if found.rows > len(found.found):
        talk(quiet, f"… {found.rows - len(found.found):,} more rows have this row_id")
    place = quote(str(directory))
    if way.row["pair_id"]:
        pair = way.row["pair_id"]
        talk(quiet, f"next: provkit query {place} \"SELECT arm, index, row_id FROM rows WHERE pair_id = '{pair}'\"")
    else:
        talk(quiet, f"next: provkit query {place} \"FROM lineage('{way.row['row_id']}')\"")


def _tree(way: Way, indent: str) -> list[str]:
    from provkit.errors import plain

    row = way.row
    said = [f"{row['arm']}/{row['split']}/{row['index']}  row {row['row_id']}  build {way.build_id[:12]}"]
    content = {name: value for name, value in way.content.items() if name not in ("row_id", "pair_id")}
    said += [f"{plain(name, 60)}: {plain(_text(value), 160)}" for name, value in content.items()]
    facts = [f"{row['op']}", f"seed {row['seed']}"]
    facts += [f"{name} {row[name]}" for name in ("model", "licence") if row[name]]
    said += [", ".join(facts)]
    said += [f"step {step['step']}  {plain(step['note'] or '', 160)}".rstrip() for step in reversed(row["steps"])]
    said = [plain(text, len(text)) for text in said]
    lines = [indent + said[0]]
    lines += [f"{indent}├─ {text}" for text in said[1:]]
    for parent in way.parents:
        if isinstance(parent, dict):
            lines.append(f"{indent}└─ from {_locator(parent)}")
        else:
            lines += [f"{indent}└─ from", *_tree(parent, indent + "   ")]
    return lines


def _locator(parent: dict[str, Any]) -> str:
    from provkit.errors import plain

    if "build_id" in parent:
        key = f"{parent['arm']}/{parent['split']}/{parent['index']}"
        return plain(f"build {parent['build_id'][:12]} {key}  row {parent.get('row_id')}  (--with DIR follows it)")
    name = parent.get("file") or parent["source"]
    at = f"{name}:{parent['line']}" if "line" in parent else f"{name}[{parent['index']}]"
    return plain(f"{at}  source {parent['source']}, sha256 {parent['sha256'][:16]}…")


def _text(value: Any) -> str:
    if isinstance(value, list) and value and isinstance(value[0], dict) and "role" in value[0]:
        return " ¦ ".join(f"{turn['role']}: {turn.get('content')}" for turn in value)
    return str(value)
