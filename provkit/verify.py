"""Checks a build directory against its manifest: digests, identities, parents, counts; and rebuilds it."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from provkit import card, manifest
from provkit.build import Plan, build
from provkit.canary import canary_of
from provkit.canonical import digest_file, row_id
from provkit.errors import InputError, ProvkitError
from provkit.manifest import Manifest, Output
from provkit.sources import BuildOrigin, Bytes, FileOrigin, GeneratorOrigin, HubOrigin, Origin, format_of
from provkit.sources.batches import RESERVED
from provkit.table import Input

BATCH = 32_768


@dataclass(frozen=True, slots=True)
class Finding:
    """Something in a build directory that is not as its manifest says."""

    file: str
    problem: str


def verify(folder: Path, given: Sequence[Path] = (), rebuild: bool = False) -> list[Finding]:
    """Everything that is wrong with a build directory; an empty list when it is whole.

    Args:
        folder: the build directory.
        given: input files or build directories at hand: rows taken over unchanged are compared with them.
        rebuild: run the recipe again and compare data/ and lineage/ byte by byte; the inputs must be in `given`.

    Raises:
        InputError: when `folder` is no build directory, or an input needed for a rebuild is not given.
    """
    if not (folder / manifest.FILE).is_file():
        manifest.read(folder)
    try:
        found = manifest.read(folder)
    except InputError as error:
        return [Finding(manifest.FILE, error.problem)]
    findings = [*_identity(found), *_card(folder, found), *_files(folder, found)]
    if findings:
        return findings  # what follows reads these files
    inputs = _given(given)
    findings += [*_counts(folder, found), *_rows(folder, found, inputs)]
    for path in given:
        if not any(at == path or at.is_relative_to(path) for at in _used(found, inputs)):
            findings.append(Finding(path.name, "no input of this build has its digest"))
    if rebuild and not findings:
        findings += _rebuild(folder, found, inputs)
    return findings


def _identity(found: Manifest) -> Iterator[Finding]:
    facts = found.facts
    if manifest.build_id(facts["recipe"], found.inputs, facts["versions"]) != found.build_id:
        yield Finding(manifest.FILE, "the build_id does not follow from recipe, inputs and versions")


def _card(folder: Path, found: Manifest) -> Iterator[Finding]:
    try:
        if card.read(folder).digest != found.facts["card"]:
            yield Finding(card.FILE, "the computed part was changed")
    except InputError as error:
        yield Finding(card.FILE, error.problem)


def _files(folder: Path, found: Manifest) -> Iterator[Finding]:
    known = {one.file: one for one in found.outputs}
    for name, one in known.items():
        path = folder / name
        if not path.is_file():
            yield Finding(name, "missing")
        elif digest_file(path) != (one.sha256, one.size):
            yield Finding(name, "changed: its sha256 is not the one in provenance.json")
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and name not in known and name not in (card.FILE, manifest.FILE) and name[0] != ".":
            yield Finding(name, "not part of this build")


def _counts(folder: Path, found: Manifest) -> Iterator[Finding]:
    recipe = found.recipe
    sources = {name: sum(one.rows for one in found.inputs if one.source == name) for name in recipe.sources}
    arms: dict[str, int] = {}
    for one in found.counts:
        if one.rows_in + one.created != one.rows_out + one.dropped:
            yield Finding(manifest.FILE, f"the counts of step {one.step} do not add up")
        if one.arm is not None:
            before = arms.get(one.arm, sources[recipe.source_of(one.arm)])
            arms[one.arm] = one.rows_out
        else:
            before = sources[one.source or ""]
            sources[one.source or ""] = one.rows_out
        if before != one.rows_in:
            yield Finding(manifest.FILE, f"step {one.step} took in {one.rows_in} rows, the one before gave {before}")
    for arm in recipe.arms:
        written = sum(out.rows or 0 for out in found.data(arm))
        if written != arms.get(arm, sources[recipe.source_of(arm)]):
            yield Finding(manifest.FILE, f"the arm {arm} has {written} rows, its last step gave another number")
    table = pq.read_table(folder / "lineage/drops.parquet", columns=["arm", "step"])
    listed = Counter(zip(table.column("arm").to_pylist(), table.column("step").to_pylist(), strict=True))
    stated: Counter[tuple[str | None, str]] = Counter()
    for one in found.counts:
        stated[one.arm, one.step] += one.dropped
    if listed != +stated:
        yield Finding("lineage/drops.parquet", "its rows are not those that the steps counted as dropped")


def _rows(folder: Path, found: Manifest, given: Mapping[str, Path]) -> Iterator[Finding]:
    lineage = pq.ParquetFile(folder / "lineage/rows.parquet")
    stream = _Stream(lineage)
    canary = canary_of(found.recipe, found.build_id)
    known = {one.sha256: one for one in found.inputs}
    for out in found.data():
        for batch in pq.ParquetFile(folder / out.file).iter_batches(BATCH):
            traced = stream.take(len(batch))
            problem = _compare(out, pa.Table.from_batches([batch]), traced, canary)
            if problem:
                yield Finding(out.file, problem)
                return
            if problem := _parents(traced.column("parents"), known):
                yield Finding("lineage/rows.parquet", problem)
                return
    if stream.left():
        yield Finding("lineage/rows.parquet", "more rows than the data has")
    drops = pq.read_table(folder / "lineage/drops.parquet", columns=["parents"])
    if problem := _parents(drops.column("parents"), known):
        yield Finding("lineage/drops.parquet", problem)
    yield from _sources(folder, found, given)


def _compare(out: Output, data: pa.Table, traced: pa.Table, canary: str | None) -> str | None:
    """What is wrong with a batch of data beside its lineage."""
    content = data.select([name for name in data.column_names if name not in RESERVED])
    ids = [row_id(row) for row in content.to_pylist()]
    if ids != data.column("row_id").to_pylist():
        return "a row_id that does not fit its content"
    if traced.column("row_id").to_pylist() != ids:
        return "lineage/rows.parquet names other rows"
    if set(traced.column("arm").to_pylist()) - {out.arm} or set(traced.column("split").to_pylist()) - {out.split}:
        return "lineage/rows.parquet has another arm or split here"
    if "pair_id" in data.column_names and not data.column("pair_id").equals(traced.column("pair_id")):
        return "a pair_id that is not the one in lineage/rows.parquet"
    held = set(data.column("canary").to_pylist()) if "canary" in data.column_names else {None}
    return None if held == {canary} else "the canary is missing or not this build's"


def _parents(column: pa.ChunkedArray, known: Mapping[str, Input]) -> str | None:
    flat = pc.list_flatten(column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column)
    if isinstance(flat, pa.ChunkedArray):
        flat = flat.combine_chunks()
    if pc.min(pc.list_value_length(column)).as_py() == 0:
        return "a row without a parent"
    index, sha256 = pc.struct_field(flat, "index"), pc.struct_field(flat, "sha256").dictionary_encode()
    rows = np.array([known[one].rows if one in known else -1 for one in sha256.dictionary.to_pylist()], np.int64)
    if (rows < 0).any():
        return "a parent in an input that the manifest does not name"
    at = index.to_numpy()
    bound = rows[sha256.indices.to_numpy()] if len(at) else at
    return "a parent beyond the end of its input" if ((at < 0) | (at >= bound)).any() else None


def _sources(folder: Path, found: Manifest, given: Mapping[str, Path]) -> Iterator[Finding]:
    """Rows that were taken over unchanged are compared with the inputs at hand."""
    at_hand = [one for one in found.inputs if one.sha256 in given]
    if not at_hand:
        return
    table = pq.read_table(folder / "lineage/rows.parquet", columns=["row_id", "parents", "steps"])
    same = table.filter(pc.equal(pc.list_value_length(table.column("steps")), 0))
    parents = pc.list_flatten(same.column("parents"))
    for one in at_hand:
        origin = _origin(found, one, given)
        ids = [row_id(row) for chunk in origin.chunks() for row in chunk.batch.to_pylist()]
        mine = pc.equal(pc.struct_field(parents, "sha256"), one.sha256)
        index = pc.struct_field(parents, "index").filter(mine).to_pylist()
        for at, expected in zip(index, same.column("row_id").filter(mine).to_pylist(), strict=True):
            if ids[at] != expected:
                yield Finding(one.file or one.source, f"row {at} is not what the build took from it")
                return


def _given(paths: Sequence[Path]) -> dict[str, Path]:
    """The files at hand by digest; of a build directory, its data files."""
    files = [file for path in paths for file in (sorted(path.glob("data/*/*.parquet")) if path.is_dir() else [path])]
    missing = [path for path in paths if not path.exists()]
    if missing:
        raise InputError("no such file", file=missing[0])
    return {digest_file(file)[0]: file for file in files}


def _used(found: Manifest, given: Mapping[str, Path]) -> list[Path]:
    return [given[one.sha256] for one in found.inputs if one.sha256 in given]


def _origin(found: Manifest, one: Input, given: Mapping[str, Path]) -> Origin:
    """An input of a build, opened again.

    Raises:
        InputError: when it is a file that is not at hand.
    """
    source = found.recipe.sources[one.source]
    bare = replace(one, rows=0)
    if source.generator is not None:
        assert source.rows is not None
        rows = min(source.rows, one.rows or source.rows)
        return GeneratorOrigin(source.generator.builder(), rows, found.recipe.seed, bare)
    if source.hub is not None:
        return HubOrigin.open(
            one.source, source.hub, one.revision, source.config, source.split or "train", source.licence
        )
    if one.sha256 not in given:
        do = f"give it: --with {one.file} (sha256 {one.sha256[:16]}…)"
        raise InputError("this input is needed and not at hand", file=one.file, do=do)
    path = given[one.sha256]
    if one.kind == "build":
        return BuildOrigin(path, bare)
    name = one.file or path.name
    return FileOrigin(Bytes(path, name), bare, source.format or format_of(Path(name)), source.fill)


def _rebuild(folder: Path, found: Manifest, given: Mapping[str, Path]) -> Iterator[Finding]:
    versions = manifest.versions_of(found.recipe)
    if versions != found.facts["versions"]:
        said = f"made by {_spelled(found.facts['versions'])}, here is {_spelled(versions)}"
        raise ProvkitError(f"a rebuild needs the versions of the build: {said}\n  install those, then verify again")
    origins: dict[str, list[Any]] = {name: [] for name in found.recipe.sources}
    for one in found.inputs:
        origins[one.source].append(_origin(found, one, given))
    limit = found.facts["recipe"].get("limit")
    again = Plan(found.recipe, found.facts["recipe"], origins, versions, found.build_id, limit)
    with tempfile.TemporaryDirectory() as scratch:
        made = Path(scratch) / "rebuilt"
        build(again, made)
        for one in found.outputs:
            path = made / one.file
            if not path.is_file() or digest_file(path)[0] != one.sha256:
                yield Finding(one.file, "a rebuild gives other bytes")


def _spelled(versions: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {number}" for name, number in versions.items())


class _Stream:
    """The rows of a Parquet file, taken in pieces of any size."""

    def __init__(self, file: pq.ParquetFile) -> None:
        names = ["arm", "split", "row_id", "pair_id", "parents"]
        self._batches = file.iter_batches(BATCH, columns=names)
        self._held = file.schema_arrow.empty_table().select(names)

    def take(self, size: int) -> pa.Table:
        """The next `size` rows, or as many as there are."""
        while len(self._held) < size and (batch := next(self._batches, None)) is not None:
            self._held = pa.concat_tables([self._held, pa.Table.from_batches([batch])])
        taken, self._held = self._held.slice(0, size).combine_chunks(), self._held.slice(size)
        return taken

    def left(self) -> bool:
        """Whether any row was not taken."""
        return len(self._held) > 0 or next(self._batches, None) is not None
