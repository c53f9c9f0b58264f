"""Rows of distilabel and datatrove: what these tools say of where a row came from goes into its lineage note.

The form is thin: their ids, model names and digests of what went in and came out are kept as they stand, beside the
file and line that provkit reads itself. Nothing of it is checked against the run that made it, which is not at hand.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from provkit.canonical import digest
from provkit.registry import builder
from provkit.row import Drop, Row

METADATA = "distilabel_metadata"
RAW_INPUT, RAW_OUTPUT, STATISTICS = "raw_input_", "raw_output_", "statistics_"


class NotForeign(ValueError):
    """A row is not of the tool that was named; the message says what is missing."""


@dataclass(frozen=True, slots=True)
class Foreign:
    """A row of another tool: its content without that tool's own columns, and what the tool says of its origin."""

    content: dict[str, Any]
    note: dict[str, Any]


def read_distilabel(row: Mapping[str, Any]) -> Foreign:
    """A row of a distilabel dataset (1.4 and later), whose tasks write `raw_input_TASK` and the like.

    The note has the tasks, the model, each task's token counts, the digest of each raw input and output, and
    `as_generated`: whether the generation is still what a task put out. `generation` becomes `response`.

    Raises:
        NotForeign: when the row has no metadata, or its generation failed.
    """
    metadata = row.get(METADATA)
    if not isinstance(metadata, Mapping):
        raise NotForeign(f"no {METADATA}")
    said = {name: value for name, value in metadata.items() if value is not None}
    tasks = sorted({name.removeprefix(kind) for name in said for kind in (RAW_INPUT, RAW_OUTPUT) if _is(name, kind)})
    raw = {name: digest(value) for name, value in sorted(said.items()) if _is(name, RAW_INPUT) or _is(name, RAW_OUTPUT)}
    tokens = {name.removeprefix(STATISTICS): value for name, value in sorted(said.items()) if _is(name, STATISTICS)}
    note: dict[str, Any] = {"tool": "distilabel", "tasks": tasks}
    note |= {"model": row["model_name"]} if row.get("model_name") else {}
    note |= {"tokens": tokens} if tokens else {}
    note |= {"sha256": raw} if raw else {}
    content = {name: value for name, value in row.items() if name not in (METADATA, "model_name")}
    if "generation" in content:
        text = content.pop("generation")
        if not isinstance(text, str) or not text:
            raise NotForeign("the generation is empty: the model gave none")
        outputs = [value for name, value in said.items() if _is(name, RAW_OUTPUT)]
        note |= {"as_generated": text in outputs} if outputs else {}
        content["response"] = text
    return Foreign(content, note)


def read_datatrove(row: Mapping[str, Any]) -> Foreign:
    """A datatrove Document as its JsonlWriter writes it: text, id, and metadata, nested or expanded into columns.

    The content is the text alone; the note has the id, the metadata without nulls, and how many media there were.

    Raises:
        NotForeign: when the row has no text or no id.
    """
    text, name = row.get("text"), row.get("id")
    if not isinstance(text, str) or not text:
        raise NotForeign("no text")
    if name is None:
        raise NotForeign("no id")
    nested = row.get("metadata")
    rest = nested if isinstance(nested, Mapping) else {k: v for k, v in row.items() if k not in DOCUMENT}
    metadata = {key: value for key, value in rest.items() if value is not None}
    note: dict[str, Any] = {"tool": "datatrove", "id": name}
    note |= {"metadata": metadata} if metadata else {}
    note |= {"media": len(row["media"])} if row.get("media") else {}
    return Foreign({"text": text}, note)


DOCUMENT = ("text", "id", "media", "metadata")


@builder
class ImportDistilabel:
    """Takes rows of a distilabel dataset; what `distilabel_metadata` says of their origin goes into the note.

    The columns distilabel_metadata and model_name go, `generation` becomes `response`, all others stay. A row without
    metadata is dropped as "no distilabel row", one whose generation failed too.
    """

    def apply(self, row: Row) -> Row | Drop:
        """The row without distilabel's own columns."""
        return _taken(row, read_distilabel, "no distilabel row")


@builder
class ImportDatatrove:
    """Takes datatrove Documents (text, id, media, metadata); id and metadata go into the note, the text stays.

    A row without text or id is dropped as "no document". Documents without metadata lack that field in the file: read
    the source with `fill: true`.
    """

    def apply(self, row: Row) -> Row | Drop:
        """The row with its text alone."""
        return _taken(row, read_datatrove, "no document")


def _taken(row: Row, read: Any, reason: str) -> Row | Drop:
    try:
        found: Foreign = read(row)
    except NotForeign as error:
        return row.drop(reason, str(error))
    without = [name for name in row if name not in found.content]
    return row.derive(found.content, note=found.note, without=without)


def _is(name: str, kind: str) -> bool:
    return name.startswith(kind)
