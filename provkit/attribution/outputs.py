"""The outputs that are traced: read from data files, chat rows or an inspect_ai log."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from provkit import eval_log
from provkit.errors import InputError, plain
from provkit.row import ANSWER_COLUMNS
from provkit.sources import FileOrigin, expand

IDS = ("output_id", "id", "sample_id", "prompt_id", "row_id")
TEXTS = ("output", *ANSWER_COLUMNS, "text", "content")


@dataclass(frozen=True, slots=True)
class Output:
    """One output of a model: its id (`out-1`, `out-2` … where the file has none), file, line and text."""

    output_id: str
    file: str
    line: int | None
    text: str


def read_outputs(path: Path, field: str | None = None) -> list[Output]:
    """The outputs of a file: JSONL, JSON, CSV, Parquet, Arrow or YAML rows, or an inspect_ai `.eval` log.

    Args:
        path: the file.
        field: the text column; the last answer of a chat, or the first of `output`, `answer`, `response`,
            `completion`, `text` and `content` that the rows have, when None.

    Raises:
        InputError: when the file is unreadable, has no such column, or names an output twice.
    """
    rows = _eval_log(path) if path.suffix == ".eval" else _rows(path)
    outputs: list[Output] = []
    seen: dict[str, int] = {}
    for number, (row, line) in enumerate(rows, 1):
        name = next((str(row[column]) for column in IDS if row.get(column) is not None), f"out-{number}")
        if (before := seen.setdefault(name, number)) != number:
            said = f"output {number} has the id {plain(name)!r} of output {before}"
            raise InputError(said, file=path.name, line=line, do="give each its own `output_id`, or none")
        outputs.append(Output(name, path.name, line, _text(row, field, path, line)))
    return outputs


def _rows(path: Path) -> Iterator[tuple[dict[str, Any], int | None]]:
    (file,) = expand(str(path), Path())
    for chunk in FileOrigin.open(path.name, file, None, True, None).chunks():
        lines = chunk.lines.tolist() if chunk.lines is not None else [None] * len(chunk.batch)
        yield from zip(chunk.batch.to_pylist(), lines, strict=True)


def _text(row: dict[str, Any], field: str | None, path: Path, line: int | None) -> str:
    if field is None and row.get("messages"):
        answers = [turn["content"] for turn in row["messages"] if turn.get("role") == "assistant"]
        if answers:
            return str(answers[-1])
    column = field or next((name for name in TEXTS if name in row), None)
    if column is None or column not in row:
        do = f"name a text column with --field; it has {plain(', '.join(row))}"
        raise InputError("no column that holds the output", file=path.name, line=line, field=field, do=do)
    return "" if row[column] is None else str(row[column])


def _eval_log(path: Path) -> Iterator[tuple[dict[str, Any], None]]:
    """The samples of an inspect_ai log."""
    for sample in eval_log.samples(path):
        yield {"output_id": f"{sample.id}/{sample.epoch}", "output": sample.completion}, None
