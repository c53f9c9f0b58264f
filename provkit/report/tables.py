"""The tables of a trace as its page needs them: matches with the way back, as far as index and builds are at hand."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from provkit.canary import canary_of
from provkit.canonical import digest_file
from provkit.report.page import canary_note

INDEX = "index.json"
WAY = pa.schema(
    [
        ("op", pa.string()),
        ("steps", pa.list_(pa.struct([("step", pa.string()), ("note", pa.string())]))),
        ("parents", pa.int64()),
        ("source_file", pa.string()),
        ("source_index", pa.int64()),
        ("source_line", pa.int64()),
        ("source_build", pa.string()),
        ("source_arm", pa.string()),
        ("source_split", pa.string()),
    ]
)  # what the view `attributions` knows beside the columns of a trace's own matches
KNOWN = {
    "source_file": "source",
    "source_index": "row",
    "source_line": "line",
}  # and what a trace knows of it by itself


@dataclass(frozen=True, slots=True)
class Build:
    """A build that is at hand: where it stands, what it is called, and the canary of its rows."""

    directory: str
    name: str
    canary: str | None


@dataclass(frozen=True, slots=True)
class Tables:
    """The tables of a trace.

    Attributes:
        outputs: rows of outputs.parquet.
        spans: rows of spans.parquet by output.
        matches: matches.parquet with the columns of WAY.
        builds: those at hand, by build_id.
        notes: what is not at hand, and the canaries of rows that are not open.
    """

    outputs: list[dict[str, Any]]
    spans: dict[str, list[dict[str, Any]]]
    matches: pa.Table
    builds: dict[str, Build]
    notes: list[str]


def read_tables(folder: Path, said: Mapping[str, Any], others: Sequence[Path]) -> Tables:
    """The tables of a trace directory, of which trace.json says `said`.

    Raises:
        InputError: when `others` are given and its index is not among them.
    """
    outputs = pq.read_table(folder / "outputs.parquet").to_pylist()
    spans: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for one in pq.read_table(folder / "spans.parquet").to_pylist():
        spans[one["output_id"]].append(one)
    index = Path(said["index"]["path"]) / INDEX
    if others or (index.is_file() and digest_file(index)[0] == said["index"]["digest"]):
        matches, builds = _followed(folder, others)
        held = set(pc.unique(matches.column("build_id")).to_pylist()) - {None}
        missing = sorted(one[:12] for one in held - builds.keys())
        lacking = f"build {', '.join(missing)} is not at hand, so its rows have no steps here" if missing else None
        canaries = sorted({one.canary for name, one in builds.items() if name in held and one.canary is not None})
    else:
        matches, builds, canaries = _alone(folder), {}, []
        lacking = f"the index of this trace is not at {said['index']['path']}, so rows have no steps here"
    notes = [f"{lacking}; --with DIR names where it is now"] if lacking else []
    return Tables(outputs, spans, matches, builds, notes + [canary_note(one) for one in canaries])


def _followed(folder: Path, others: Sequence[Path]) -> tuple[pa.Table, dict[str, Build]]:
    """The matches with the way back through index and builds, and these."""
    from provkit.database import connect

    connection = connect(folder, others=others)
    matches = connection.view("attributions").to_arrow_table()
    builds = {
        one["build_id"]: Build(one["directory"], one["name"], canary_of(one["sensitivity"], one["build_id"]))
        for one in connection.view("builds").to_arrow_table().to_pylist()
    }
    connection.close()
    return matches, builds


def _alone(folder: Path) -> pa.Table:
    """The matches with as much of the way back as a trace knows by itself."""
    matches = pq.read_table(folder / "matches.parquet")
    for field in WAY:
        known = KNOWN.get(field.name)
        column = matches.column(known) if known else pa.nulls(len(matches), field.type)
        matches = matches.append_column(field.name, column)
    return matches
