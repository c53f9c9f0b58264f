"""The rows that are measured: text, axiom, safety label, source, and how they belong together."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pyarrow as pa

from provkit import manifest, parquet
from provkit.aqi.measures import Labels
from provkit.aqi.resampling import numbered
from provkit.canonical import digest, digest_file
from provkit.errors import InputError, plain

LABELS = {"safe": 0, "unsafe": 1, "0": 0, "1": 1, "jailbreak": 1}
TEXTS = ("input", "prompt", "text", "statement")
COLUMNS = "input, axiom, safety_label, source_dataset, and pair_id where rows come in pairs"
PER_ROW = ("texts", "axioms", "sources", "row_ids", "keys", "pairs", "frames")
CSV_FIELD = 1 << 24  # characters


@dataclass(frozen=True, slots=True)
class LabelledRows:
    """Rows with a safety label, in the order of the set.

    Attributes:
        name: of the set.
        digest: sha256 of what was measured, whatever file it stood in.
        texts: what a model reads; where a row has a completion, input and completion.
        label: 0 safe, 1 unsafe, (rows,).
        axioms, sources, row_ids, keys: of each row; the key is arm/split/index in a build, otherwise the index.
        pairs, frames: which rows belong together; None where a row belongs to none.
        build_id: of the build, if it is one.
    """

    name: str
    digest: str
    texts: tuple[str, ...]
    label: Labels
    axioms: tuple[str, ...]
    sources: tuple[str, ...]
    row_ids: tuple[str, ...]
    keys: tuple[str, ...]
    pairs: tuple[str | None, ...]
    frames: tuple[str | None, ...]
    build_id: str | None = None

    def __len__(self) -> int:
        return len(self.texts)

    @property
    def cluster(self) -> Labels:
        """What an interval draws: frames, or pairs where a row has no frame, or rows: (rows,)."""
        parts = zip(self.frames, self.pairs, range(len(self)), strict=True)
        return numbered([f"f{f}" if f is not None else f"p{p}" if p is not None else f"r{at}" for f, p, at in parts])

    @property
    def stratum(self) -> Labels:
        """Within what labels are permuted: pairs; unpaired rows among those of their axiom: (rows,)."""
        each = zip(self.pairs, self.axioms, strict=True)
        return numbered([f"a{axiom}" if pair is None else f"p{pair}" for pair, axiom in each])

    @property
    def clustered_by(self) -> str:
        """`frame`, `pair` or `row`: what the intervals are over."""
        if any(one is not None for one in self.frames):
            return "frame"
        return "pair" if any(one is not None for one in self.pairs) else "row"

    def take(self, positions: Labels) -> LabelledRows:
        """The rows at these positions, as a set of their own."""
        at = positions.tolist()
        several: dict[str, Any] = {name: tuple(getattr(self, name)[one] for one in at) for name in PER_ROW}
        label = self.label[positions]
        content = [list(one) for one in zip(several["texts"], label.tolist(), several["axioms"], strict=True)]
        return replace(self, digest=digest(content), label=label, **several)

    def of(self, axiom: str) -> Labels:
        """The positions of an axiom's rows."""
        return np.flatnonzero(np.array([one == axiom for one in self.axioms]))


def read_set(path: Path) -> LabelledRows:
    """The rows of a build directory, or of a Parquet, JSONL, JSON or CSV file.

    Raises:
        InputError: when it cannot be read, a row lacks a text, an axiom or a label, or only one label occurs.
    """
    build_id = None
    keyed: Iterator[tuple[str, dict[str, Any]]]
    if path.is_dir():
        found = manifest.read(path)
        build_id = found.build_id
        keyed = (
            (f"{out.arm}/{out.split}/{at}", row)
            for out in found.data()
            for at, row in enumerate(_parquet(path / out.file))
        )
    else:
        keyed = ((str(at), row) for at, row in enumerate(_file(path)))
    rows = list(keyed)
    return labelled(path.name, rows, build_id, path)


def labelled(
    name: str, rows: list[tuple[str, dict[str, Any]]], build_id: str | None = None, file: object = None
) -> LabelledRows:
    """Rows as plain data, each with its key.

    Raises:
        InputError: as `read_set`.
    """
    texts, labels = [], []
    for key, row in rows:
        text = _text(row)
        if text is None or not text.strip():
            raise InputError(f"row {key} has no text", file=file, do=f"the columns are {COLUMNS}")
        label = LABELS.get(str(row.get("safety_label")).lower())
        if label is None:
            said = f"row {key} has the label {plain(str(row.get('safety_label')), 40)!r}"
            raise InputError(said, file=file, field="safety_label", do="safe or unsafe is expected")
        texts.append(text)
        labels.append(label)
    if set(labels) != {0, 1}:
        raise InputError("rows of both labels are needed, safe and unsafe", file=file, field="safety_label")
    axioms = tuple(_name(row, "axiom") or "unknown" for _, row in rows)
    content = [list(one) for one in zip(texts, labels, axioms, strict=True)]
    return LabelledRows(
        name,
        digest(content),
        tuple(texts),
        np.array(labels, np.int64),
        axioms,
        tuple(_name(row, "source_dataset") or "unknown" for _, row in rows),
        tuple(_name(row, "row_id") or digest(one)[:32] for (_, row), one in zip(rows, content, strict=True)),
        tuple(key for key, _ in rows),
        tuple(_name(row, "pair_id") for _, row in rows),
        tuple(_name(row, "frame") for _, row in rows),
        build_id,
    )


def _text(row: Mapping[str, Any]) -> str | None:
    column = next((one for one in TEXTS if isinstance(row.get(one), str)), None)
    if column is None:
        return None
    completion = row.get("completion")
    return f"{row[column]}\n{completion}" if isinstance(completion, str) else str(row[column])


def _name(row: Mapping[str, Any], column: str) -> str | None:
    value = row.get(column)
    return None if value is None else str(value)


def _file(path: Path) -> Iterator[dict[str, Any]]:
    if not path.is_file():
        raise InputError("there is no such file or build directory", file=path)
    match path.suffix.lower():
        case ".parquet":
            yield from _parquet(path)
        case ".jsonl":
            for number, line in enumerate(path.read_bytes().splitlines(), 1):
                if line.strip():
                    yield _object(line, path, number)
        case ".json":
            yield from _array(path)
        case ".csv" | ".tsv":
            yield from _csv(path)
        case _:
            raise InputError("a set is a build directory, or .parquet, .jsonl, .json, .csv or .tsv", file=path)


def _parquet(path: Path) -> Iterator[dict[str, Any]]:
    try:
        for batch in parquet.opened(path).iter_batches():
            yield from batch.to_pylist()
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"no Parquet file, or a damaged one: {plain(str(error), 120)}", file=path) from None


def _object(raw: bytes, path: Path, line: int | None) -> dict[str, Any]:
    try:
        found = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise InputError(f"no JSON: {error}", file=path, line=line) from None
    if not isinstance(found, dict):
        raise InputError("a row is a JSON object", file=path, line=line, do="an array of rows is named .json")
    return found


def _array(path: Path) -> list[dict[str, Any]]:
    try:
        found = orjson.loads(path.read_bytes())
    except orjson.JSONDecodeError as error:
        raise InputError(f"no JSON: {error}", file=path) from None
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise InputError("an array of JSON objects is expected", file=path, do="one object a line is named .jsonl")
    return found


def _csv(path: Path) -> Iterator[dict[str, Any]]:
    csv.field_size_limit(CSV_FIELD)
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            yield from csv.DictReader(file, delimiter="\t" if path.suffix.lower() == ".tsv" else ",")
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"no CSV: {plain(str(error), 120)}", file=path) from None


def sha256_of(path: Path) -> str:
    """sha256 of a file, or of a build directory's manifest."""
    return digest_file(path / manifest.FILE if path.is_dir() else path)[0]
