"""The documents of a trace's spans as its page shows them: context, scores, policy, and the way back."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from shlex import quote
from typing import Any

import numpy as np
import pyarrow as pa

from provkit.markup import clipped, visible
from provkit.report.tables import Build

MOST = 60_000  # documents in a page, at about 800 bytes each
AROUND, MATCH, NOTE = 300, 600, 300  # characters of a document on each side of a match, of the match, of a step's note
Key = tuple[str, int]  # an output and the number of a span


def within(matches: pa.Table, most: int = MOST) -> tuple[pa.Table, int | None]:
    """The matches of the best documents of each span, at most about `most`, by output, span and rank.

    Returns:
        The matches, and how many documents a span may have; None where all are there.
    """
    ordered = matches.sort_by([(name, "ascending") for name in ("output_id", "span", "rank")])
    if len(ordered) <= most:
        return ordered, None
    ids = ordered.column("output_id").combine_chunks().dictionary_encode().indices.to_numpy()
    spans = ordered.column("span").to_numpy()
    fresh = np.append(True, (np.diff(ids) != 0) | (np.diff(spans) != 0))
    starts = np.maximum.accumulate(np.where(fresh, np.arange(len(fresh)), 0))
    place = np.arange(len(fresh)) - starts  # of a match among those of its span
    sizes = np.cumsum(np.bincount(place))  # matches when each span may have 1, 2, … documents
    documents = max(1, int(np.searchsorted(sizes, most, "right")))
    return ordered.filter(pa.array(place < documents)), documents


def documents(matches: pa.Table, builds: Mapping[str, Build]) -> dict[Key, list[dict[str, Any]]]:
    """The documents of each span, best first, as plain data with visible texts; what is not known is left out."""
    found: dict[Key, list[dict[str, Any]]] = defaultdict(list)
    for one in matches.to_pylist():
        found[one["output_id"], one["span"]].append(_document(one, builds))
    return found


def _document(one: Mapping[str, Any], builds: Mapping[str, Build]) -> dict[str, Any]:
    left, right = one["left"] or "", one["right"] or ""
    said = {
        "id": one["doc_id"],
        "rank": one["rank"],
        "left": visible(left[-AROUND:]),
        "match": clipped(one["match"] or "", MATCH),
        "right": visible(right[:AROUND]),
        "evidence": one["evidence"],
        "bm25": one["bm25"],
        "policy": one["policy"],
        "category": one["category"],
        "conflict": one["conflict"],
        "nearest": one["nearest"],
        "role": one["role"],
        "message": one["message"],
        "columns": one["columns"],
        "row": _row(one, builds),
        "row_id": one["row_id"],
        "op": one["op"],
        "steps": [[clipped(step["step"], NOTE), clipped(step["note"] or "", NOTE)] for step in one["steps"] or ()],
        "source": _source(one),
        "more": max((one["parents"] or 0) - 1, 0) or None,
        "command": _command(one, builds),
    }
    for name in ("id", "policy", "category", "nearest", "role", "columns", "row", "row_id", "op"):
        said[name] = None if said[name] is None else clipped(said[name], NOTE)
    return {name: value for name, value in said.items() if value is not None and value != []}


def _key(one: Mapping[str, Any]) -> str | None:
    return None if one["build_id"] is None else f"{one['arm']}/{one['split']}/{one['row']}"


def _row(one: Mapping[str, Any], builds: Mapping[str, Build]) -> str | None:
    key = _key(one)
    if key is None:
        return None
    build = builds.get(one["build_id"])
    return f"{key} of {build.name if build else 'build'} {one['build_id'][:12]}"


def _source(one: Mapping[str, Any]) -> str | None:
    """Where the row was read from: file and line, or the row of another build, or of a generator."""
    name = one["source_file"]
    if name is None:
        return None
    if one["source_build"] is not None:
        key = f"{one['source_arm']}/{one['source_split']}/{one['source_index']}"
        return clipped(f"{key} of build {one['source_build'][:12]}", NOTE)
    at = "" if one["source_index"] is None else f", row {one['source_index']}"
    return f"{clipped(name, NOTE)}{at}" + ("" if one["source_line"] is None else f", line {one['source_line']}")


def _command(one: Mapping[str, Any], builds: Mapping[str, Build]) -> str | None:
    build = builds.get(one["build_id"])
    return None if build is None else visible(f"provkit lineage {quote(build.directory)} {_key(one)}")
