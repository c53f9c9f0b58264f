"""The page of a trace: outputs with their spans, the documents that hold them, the way back to row, step and source."""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from provkit import facts
from provkit.attribution.model import TELLING
from provkit.attribution.tables import FILES
from provkit.index.model import RARE
from provkit.markup import clipped, cut, visible
from provkit.report.documents import Key, documents, within
from provkit.report.page import Asked, Page
from provkit.report.tables import Tables, read_tables

FILE = "trace.json"
PLAIN = re.compile(r"[\w./:-]+\Z")
SIZE = 50  # outputs on a page; the documents of as many make a block, read when one of its spans is opened
LONGEST = 20_000  # characters of an output that are in the page
NAME = 120  # characters of a policy's name
SPAN = 300  # characters of a span that are said again above its documents
SCORES: dict[str, tuple[str, tuple[float, ...]]] = {  # what tints spans: what it is called, where levels 1 to 4 begin
    "percentile": ("BCI percentile", TELLING),
    "conflict": ("belief conflict", (0, 0.1, 0.2, 0.3)),
    "count": ("occurrences in the corpus", RARE),  # the fewer the higher
}


@dataclass(frozen=True, slots=True)
class Content:
    """What the template lays out beside what its script does.

    Attributes:
        outputs: how many there are.
        size: outputs on a page.
        scores: what spans may be tinted by, with its name; without belief conflict where nothing was judged.
        policies: that documents stand against, with how many spans.
    """

    outputs: int
    size: int
    scores: list[tuple[str, str]]
    policies: list[tuple[str, int]]


def page(folder: Path, asked: Asked) -> Page:
    """The page of a trace directory.

    Raises:
        InputError: when a file of it is missing or changed, or its index is not among what `--with` names.
    """
    said = facts.read(folder / FILE, FILES, "trace again", FILES)
    read = read_tables(folder, said, asked.others)
    matches, most = within(read.matches)
    notes = read.notes
    if most is not None:
        kept = f"of each span the best {most:,} documents are in this page, so that it stays quick"
        notes.append(f"{kept}: {len(matches):,} of {len(read.matches):,} matches; matches.parquet has all")
    held = documents(matches, read.builds)
    judged, own = _judged(read.matches), _own(read.matches)
    made = [_output(one, read.spans.get(one["output_id"], []), judged, own) for one in read.outputs]
    policies = Counter(policy for one in made for span in one["spans"] for policy in span.get("policies", ()))
    content = Content(
        len(made),
        SIZE,
        [(name, label) for name, (label, _) in SCORES.items() if name != "conflict" or policies],
        sorted(policies.items(), key=lambda one: (-one[1], one[0])),
    )
    tints = {name: {"label": label, "bounds": bounds} for name, (label, bounds) in SCORES.items()}
    blocks: dict[str, Any] = {"outputs": {"size": SIZE, "tints": tints, "outputs": made}}
    for first in range(0, len(made), SIZE):
        blocks[f"documents-{first // SIZE}"] = [
            [held.get((one["output_id"], span["span"]), []) for span in read.spans.get(one["output_id"], [])]
            for one in read.outputs[first : first + SIZE]
        ]
    return Page(
        kind="trace",
        title=f"Trace of {said['outputs']['file']}",
        facts=_facts(said, read),
        notes=notes,
        content=content,
        next=f"provkit query {quote(str(folder))} \"FROM attribution('{_first(read.outputs)}')\"",
        blocks=blocks,
    )


def _first(outputs: Sequence[Mapping[str, Any]]) -> str:
    """The first output whose id a shell and SQL take as it stands."""
    return next((one["output_id"] for one in outputs if PLAIN.match(one["output_id"])), "out-1")


def _judged(matches: pa.Table) -> dict[Key, list[tuple[str, float]]]:
    """Of each span, the policies that its documents stand against, and how much."""
    judged = matches.filter(pc.is_valid(matches.column("policy")))
    columns = (judged.column(name).to_pylist() for name in ("output_id", "span", "policy", "conflict"))
    found: dict[Key, list[tuple[str, float]]] = defaultdict(list)
    for output_id, span, policy, conflict in zip(*columns, strict=True):
        found[output_id, span].append((policy, conflict))
    return found


def _own(matches: pa.Table) -> dict[Key, dict[str, Any]]:
    """Of each span, the policy that the sentences of the output around it stand against, with score and statement."""
    names = ("output_policy", "output_conflict", "output_nearest")
    judged = matches.filter(pc.is_valid(matches.column(names[0])))
    rows = zip(*(judged.column(name).to_pylist() for name in ("output_id", "span", *names)), strict=True)
    return {
        (output_id, span): {"policy": clipped(policy, NAME), "conflict": conflict, "nearest": clipped(nearest, SPAN)}
        for output_id, span, policy, conflict, nearest in rows
    }


def _output(
    one: Mapping[str, Any],
    spans: Sequence[Mapping[str, Any]],
    judged: Mapping[Key, Sequence[tuple[str, float]]],
    own: Mapping[Key, Mapping[str, Any]],
) -> dict[str, Any]:
    """An output as its script reads it: parts of the text with the span of each (-1: none), and the spans."""
    text = one["text"] or ""
    keys = [(one["output_id"], span["span"]) for span in spans]
    listed = [_span(span, judged.get(key, ()), own.get(key)) for key, span in zip(keys, spans, strict=True)]
    shown = text[:LONGEST]
    scores = [-math.inf if span["percentile"] is None else span["percentile"] for span in listed]
    parts = cut(len(shown), [(span["start"], span["end"]) for span in spans], scores)
    return {
        "id": clipped(one["output_id"], SPAN),
        "place": visible(one["file"] or "") + ("" if one["line"] is None else f", line {one['line']}"),
        "tokens": one["tokens"],
        "covered": one["covered_tokens"],
        "characters": len(text),
        "shown": len(shown),
        "parts": [[visible(shown[start:end]), -1 if span is None else span] for start, end, span in parts],
        "spans": listed,
    }


def _span(one: Mapping[str, Any], judged: Sequence[tuple[str, float]], own: Mapping[str, Any] | None) -> dict[str, Any]:
    said = {
        "start": one["start"],
        "end": one["end"],
        "text": clipped(one["text"], SPAN),
        "tokens": one["tokens"],
        "count": one["count"],
        "bci": _number(one["bci"]),
        "density": _number(one["bci_density"]),
        "percentile": _number(one["bci_percentile"]),
        "beyond": one["beyond_background"],
        "selected": one["selected"],
    }
    if own is not None:
        said["own"] = own
    if judged:
        said["conflict"] = max(conflict for _, conflict in judged)
        said["policies"] = list(dict.fromkeys(clipped(policy, NAME) for policy, _ in judged))
    return said


def _number(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else value


def _facts(said: Mapping[str, Any], read: Tables) -> list[tuple[str, str]]:
    tokens, covered = (sum(one[name] for one in read.outputs) for name in ("tokens", "covered_tokens"))
    options = ", ".join(f"{name} {value}" for name, value in said["options"].items() if value is not None)
    number = sum(map(len, read.spans.values()))
    share = f" ({100 * covered / tokens:.3g} %)" if tokens else ""
    return [
        ("outputs", f"{len(read.outputs):,} of {said['outputs']['file']}"),
        ("tokens in a span", f"{covered:,} of {tokens:,}{share}"),
        ("spans", f"{number:,}, with {len(read.matches):,} documents"),
        ("index", f"{said['index']['path']}, sha256 {said['index']['digest'][:16]}…"),
        ("policies", said.get("conflict") or "no belief conflict was judged"),
        ("options", options),
        ("made by", f"provkit {said['provkit']}"),
    ]
