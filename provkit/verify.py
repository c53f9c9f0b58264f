"""Checks a build directory against its manifest: digests, identities, parents, counts; and rebuilds it."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pyarrow as pa

from provkit import card, croissant, inspection, manifest
from provkit.build import AUDIT, Plan, build
from provkit.canary import canary_of
from provkit.canonical import digest_file
from provkit.errors import InputError, ProvkitError, plain
from provkit.inspection import Finding
from provkit.llm import Teacher
from provkit.manifest import Manifest
from provkit.sources import BuildOrigin, Bytes, FileOrigin, GeneratorOrigin, HubOrigin, IndexOrigin, Origin, format_of
from provkit.table import Input

__all__ = ["Finding", "verify"]

BESIDE = (
    card.FILE,
    manifest.FILE,
    croissant.FILE,
)  # what a build directory may hold that provenance.json does not list


def verify(folder: Path, given: Sequence[Path] = (), rebuild: bool = False) -> list[Finding]:
    """Everything that is wrong with a build directory; an empty list when it is whole.

    Args:
        folder: the build directory.
        given: inputs at hand, as files or folders of files: rows taken over unchanged are compared with them.
        rebuild: run the recipe again and compare data/ and lineage/ byte by byte; the inputs must be in `given`.

    Raises:
        InputError: when `folder` is no build directory, or an input needed for a rebuild is not given.
    """
    try:
        found = manifest.read(folder)
    except InputError as error:
        if not (folder / manifest.FILE).is_file():
            raise
        return [Finding(manifest.FILE, error.problem)]
    files = {path: _digests(path) for path in given}
    findings = [*_identity(found), *_card(folder, found), *_files(folder, found)]
    findings = findings or [*inspection.schemas(folder, found)]
    if findings:
        return findings  # what follows reads these files
    findings += _croissant(folder, found)
    canary = canary_of(found.facts["recipe"]["sensitivity"], found.build_id)
    findings += _read(inspection.DROPS, lambda: inspection.counts(folder, found))
    findings += _read(inspection.ROWS, lambda: inspection.rows(folder, found, canary))
    at_hand = {sha256: file for several in files.values() for sha256, file in several.items()}
    wanted = {one.sha256 for one in found.inputs}
    findings += [
        Finding(path.name, "no input of this build has its digest")
        for path, several in files.items()
        if not wanted & several.keys()
    ]
    origins = {one.sha256: _origin(found, one, at_hand) for one in found.inputs if one.sha256 in at_hand}
    in_text = canary if found.facts["recipe"]["canary"] == "text" else None
    findings += _read(inspection.ROWS, lambda: inspection.sources(folder, found, origins, in_text))
    if rebuild and not findings:
        findings += _rebuild(folder, found, at_hand)
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


def _croissant(folder: Path, found: Manifest) -> Iterator[Finding]:
    path = folder / croissant.FILE
    if path.is_file() and path.read_bytes() != croissant.written(folder, found):
        yield Finding(croissant.FILE, "it is not what follows from this build")


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
        if not path.is_dir() and name not in known and name not in BESIDE and name[0] != ".":
            yield Finding(name, "not part of this build")


def _read(file: str, work: Callable[[], Iterator[Finding]]) -> list[Finding]:
    """What a check finds; a Parquet file that does not hold together is a finding too."""
    try:
        return [*work()]
    except (pa.ArrowException, OSError) as error:
        return [Finding(file, f"cannot be read: {plain(str(error))}")]


def _digests(path: Path) -> dict[str, Path]:
    """A file, or all files of a folder, by digest."""
    if not path.exists():
        raise InputError("no such file", file=path)
    files = sorted(path.rglob("*")) if path.is_dir() else [path]
    return {digest_file(file)[0]: file for file in files if file.is_file()}


def _origin(found: Manifest, one: Input, at_hand: Mapping[str, Path]) -> Origin:
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
        where = (source.config, source.split or "train", source.licence)
        return HubOrigin.open(one.source, source.hub, one.revision, *where)
    if one.sha256 not in at_hand:
        do = f"give it: --with {one.file} (sha256 {one.sha256[:16]}…)"
        raise InputError("this input is needed and not at hand", file=one.file, do=do)
    path = at_hand[one.sha256]
    if one.kind == "build":
        return BuildOrigin(path, bare)
    if one.kind == "index":
        return IndexOrigin(path.parent, bare)
    name = one.file or path.name
    return FileOrigin(Bytes(path, name), bare, source.format or format_of(Path(name)), source.fill)


def _rebuild(folder: Path, found: Manifest, at_hand: Mapping[str, Path]) -> Iterator[Finding]:
    recipe, facts = found.recipe, found.facts
    versions = manifest.versions_of(recipe)
    if versions != facts["versions"]:
        said = f"made by {_spelled(facts['versions'])}, here is {_spelled(versions)}"
        raise ProvkitError(f"a rebuild needs the versions of the build: {said}\n  install those, then verify again")
    origins: dict[str, list[Origin]] = {name: [] for name in recipe.sources}
    for one in found.inputs:
        origins[one.source].append(_origin(found, one, at_hand))
    again = Plan(recipe, facts["recipe"], origins, versions, found.build_id, facts["recipe"].get("limit"))
    with tempfile.TemporaryDirectory() as scratch:
        made = Path(scratch) / "rebuilt"
        if (told := facts["recipe"].get("teacher")) is not None:
            with Teacher.replay(folder, told["model"], told["revision"]) as teacher:
                build(again, made, teacher=teacher)
        else:
            build(again, made)
        rebuilt = {out.file: out.sha256 for out in manifest.read(made).outputs}
    stated = {out.file: out.sha256 for out in found.outputs if out.file != AUDIT}  # follows from the other files
    libraries = facts["environment"]["libraries"]
    here = manifest.libraries()
    why = f"; it was written with {_spelled(libraries)}, here is {_spelled(here)}" if libraries != here else ""
    for name in sorted(stated.keys() | rebuilt.keys()):
        if stated.get(name) != rebuilt.get(name):
            yield Finding(name, f"a rebuild gives other bytes{why}")


def _spelled(versions: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {number}" for name, number in versions.items())
