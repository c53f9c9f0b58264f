"""Checks croissant.json before a push: always beside the build it describes, and by mlcroissant where there is one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import orjson

from provkit import croissant, parquet
from provkit.errors import ProvkitError, plain
from provkit.publish import read_back
from provkit.publish.release import Release

VARIABLE = "MLCROISSANT_PYTHON"
PATIENCE = 600.0  # seconds: mlcroissant reads whole files
NEEDED = ("@context", "@type", "conformsTo", "name", "description", "license", "distribution", "recordSet",
          "prov:wasDerivedFrom", "prov:wasGeneratedBy")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Checked:
    """Who checked croissant.json, and what is wrong with it."""

    by: str  # mlcroissant or structure
    problems: tuple[str, ...]

    @property
    def said(self) -> str:
        """In a sentence."""
        if self.by == "mlcroissant":
            return "croissant.json: mlcroissant reads it, and a record of each set"
        how = f"pip install 'provkit[croissant]', or let {VARIABLE} name a Python that has it"
        return f"croissant.json: its structure is checked; mlcroissant, which is not installed, was not asked ({how})"


def check(release: Release) -> Checked:
    """Checks the croissant.json of a release against its files.

    Raises:
        ProvkitError: when the variable names a Python that cannot be run, or has no mlcroissant.
    """
    raw = release.items[croissant.FILE].content
    assert raw is not None
    own = tuple(structure(orjson.loads(raw), release))
    python = os.environ.get(VARIABLE) or (sys.executable if find_spec("mlcroissant") else None)
    if python is None or own:
        return Checked("structure", own)
    return Checked("mlcroissant", tuple(_asked(python, raw, release)))


def structure(document: Mapping[str, Any], release: Release) -> Iterator[str]:
    """What is wrong with a document: keys, files, fields, and one record of each set as it is read by them."""
    missing = [key for key in NEEDED if not document.get(key)]
    if missing:
        yield f"without {', '.join(missing)}"
        return
    files = {one["@id"]: one for one in document["distribution"]}
    outputs = {one.file: one for one in release.manifest.outputs}
    for one in files.values():
        found = outputs.get(one["contentUrl"])
        if found is None or (one["sha256"], one["contentSize"]) != (found.sha256, f"{found.size} B"):
            yield f"{one['contentUrl']}: not the file of the build"
    sets = document["recordSet"]
    ids = [one["@id"] for one in (*files.values(), *sets, *(field for one in sets for field in one["field"]))]
    if len(set(ids)) < len(ids):
        yield "an @id that stands twice"
    described = {source["fileObject"]["@id"] for one in sets for source in _sources(one)}
    tables = {name for name, one in files.items() if one["contentUrl"].endswith(".parquet")}
    if described != tables:
        yield f"files without a record set: {', '.join(sorted(tables ^ described)[:3])}"
        return
    for one in sets:
        yield from _record(one, files, release.folder)


def _sources(record_set: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for field in record_set["field"]:
        yield from (one["source"] for one in field.get("subField", [field]))


def _record(record_set: Mapping[str, Any], files: Mapping[str, Any], folder: Path) -> Iterator[str]:
    """Reads the first record of a set by its fields."""
    (file,) = {source["fileObject"]["@id"] for source in _sources(record_set)}
    opened = parquet.opened(folder / files[file]["contentUrl"])
    first = next(opened.iter_batches(batch_size=1), None)
    row = first.to_pylist()[0] if first is not None and len(first) else None
    for source in _sources(record_set):
        column, path = source["extract"]["column"], source.get("transform", {}).get("jsonPath")
        if column not in opened.schema_arrow.names:
            yield f"{record_set['@id']}: there is no column {plain(column, 60)}"
        elif path is not None and row is not None and not _holds(row[column], path):
            yield f"{record_set['@id']}: {plain(column, 60)} has no {plain(path, 60)}"


def _holds(value: Any, key: str) -> bool:
    some = value if isinstance(value, list) else [value]
    return all(one is None or key in one for one in some)


def _asked(python: str, raw: bytes, release: Release) -> Iterator[str]:
    """What mlcroissant says of the document, laid beside the data in a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="provkit-") as scratch:
        for one in {name.partition("/")[0] for name in release.items if "/" in name}:
            (Path(scratch) / one).symlink_to((release.folder / one).resolve(), target_is_directory=True)
        path = Path(scratch) / croissant.FILE
        path.write_bytes(raw)
        script = Path(read_back.__file__).read_text(
            encoding="utf-8"
        )  # by its path, Python would import what lies there
        command = [python, "-I", "-c", script, str(path)]
        try:
            ran = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, cwd=scratch)
        except subprocess.TimeoutExpired:
            yield f"mlcroissant did not read it in {PATIENCE:,.0f} s"
            return
        except OSError as error:
            raise ProvkitError(f"{VARIABLE}={plain(python)} cannot be run: {error.strerror}") from None
    last = ran.stderr.strip().rpartition("\n")[2]
    if ran.returncode and "No module named 'mlcroissant'" in last:
        raise ProvkitError(f"{VARIABLE}={plain(python)} has no mlcroissant\n  name a Python that has it, or unset it")
    if ran.returncode:
        yield f"mlcroissant fails: {plain(last, 300)}"
        return
    said = json.loads(ran.stdout.splitlines()[-1])
    yield from (f"mlcroissant: {plain(one, 300)}" for one in said["errors"])
    if not said["errors"]:
        yield from _compared(said["first"], release)


def _compared(first: Mapping[str, Any], release: Release) -> Iterator[str]:
    """Whether the records that mlcroissant read are those of the files: each set, and the row_id of its first row."""
    for one in release.manifest.outputs:
        if not one.file.endswith(".parquet"):
            continue
        name = f"{one.arm}/{one.split}" if one.arm else one.file.removesuffix(".parquet")
        batch = next(parquet.opened(release.folder / one.file).iter_batches(batch_size=1), None)
        rows = batch.to_pylist() if batch is not None else []
        record = first.get(name)
        if (record is None) is bool(rows):
            yield f"{name}: mlcroissant reads {'no record' if rows else 'a record'}"
        elif record is not None and "row_id" in rows[0] and record[f"{name}/row_id"] != rows[0]["row_id"]:
            yield f"{name}: mlcroissant reads another first row"
