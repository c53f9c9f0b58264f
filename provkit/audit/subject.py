"""What is audited: single files, the files of a folder, the arms and splits of a build, a dataset of the Hub."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from provkit.audit.hub import ADDRESS, Progress, fetch
from provkit.errors import InputError
from provkit.sources.files import COMPRESSED, FORMATS, format_of

if TYPE_CHECKING:
    from provkit.recipe import Recipe

MANIFEST = "provenance.json"
HUB = re.compile(r"[\w.-]+/[\w.-]+(@[\w./-]+)?", re.ASCII)
ARCHIVES = ".7z .aes .age .bz2 .enc .gpg .pgp .rar .tar .tgz .xz .zip".split()  # which may stand in place of data
NOT_DATA = ("provenance.json", "croissant.json", "audit.json", "sealed.json", "dataset_infos.json", "config.json")


@dataclass(frozen=True, slots=True)
class Subject:
    """One file to audit, and the arm and split of a build that it holds, where it does.

    Attributes:
        name: how it is shown: the path as it was given.
        kind: its format; None when its name tells none.
    """

    path: Path
    name: str
    kind: str | None
    arm: str | None = None
    split: str | None = None
    build: bool = False


@dataclass(frozen=True, slots=True)
class Release:
    """Something that was named on the command line, with the subjects in it.

    Attributes:
        folder: the folder that it is, None for a single file.
        control: the arm of a build that the others are compared with.
        sensitivity: of a build: open, gated or restricted.
        triggers: of a build: the trigger of each arm that its recipe gives one, and the share of rows with it if known.
        files: of a dataset of the Hub: the names of all its files, of which only some were brought here.
        note: what a person should know of how it was read.
    """

    name: str
    subjects: tuple[Subject, ...]
    folder: Path | None = None
    build: bool = False
    control: str | None = None
    sensitivity: str | None = None
    triggers: Mapping[str, tuple[str, float | None]] = field(default_factory=dict)
    files: tuple[str, ...] | None = None
    note: str | None = None


def open_release(what: str, progress: Progress = lambda *_: None) -> Release:
    """The subjects behind a path or the name of a Hub dataset.

    Raises:
        InputError: when there is no such file, folder or dataset.
    """
    path, name = Path(what), what.removeprefix(ADDRESS)
    if name != what and not HUB.fullmatch(name):
        do = f"it is {ADDRESS}OWNER/NAME, or {ADDRESS}OWNER/NAME@REVISION"
        raise InputError("no name of a dataset of the Hub", file=what, do=do)
    if name == what and path.is_dir():
        return _build(path, what) if (path / MANIFEST).is_file() else _folder(path, what)
    if name == what and path.is_file():
        return Release(what, (Subject(path, what, _kind(path)),))
    if HUB.fullmatch(name) and path.suffix.lower() not in (*FORMATS, *COMPRESSED):
        return _hub(name, progress)
    do = "name a file, a folder, a build directory, or a dataset of the Hub as OWNER/NAME"
    raise InputError("no such file", file=what, do=do)


def _kind(path: Path) -> str | None:
    try:
        return format_of(path)
    except InputError:
        return None


def _folder(path: Path, what: str) -> Release:
    inside = (file.relative_to(path) for file in path.rglob("*") if file.is_file())
    return Release(what, _data(path, what, [one.as_posix() for one in inside]), path)


def _data(path: Path, what: str, names: Sequence[str]) -> tuple[Subject, ...]:
    """The data files among the files of a folder, and archives, which no build reads.

    Raises:
        InputError: when there is none.
    """
    found = []
    for name in sorted(names, key=lambda name: PurePosixPath(name).parts):
        inside = PurePosixPath(name)
        if not any(part.startswith(".") for part in inside.parts) and inside.name not in NOT_DATA:
            kind = _kind(path / name)
            if kind is not None or inside.suffix.lower() in ARCHIVES:
                found.append(Subject(path / name, _shown(what, name), kind))
    if not found:
        raise InputError("a folder without data files", file=what, do=f"data files end in {', '.join(FORMATS)}")
    return tuple(found)


def _build(path: Path, what: str) -> Release:
    from provkit import manifest

    found = manifest.read(path)
    subjects = tuple(
        Subject(path / one.file, _shown(what, one.file), "parquet", one.arm, one.split, True) for one in found.data()
    )
    gone = next((one for one in subjects if not one.path.is_file()), None)
    if gone:
        raise InputError("a file of the build is missing", file=gone.name, do=f"provkit verify {what} says more")
    return Release(
        what, subjects, path, True, _control(found.recipe), found.recipe.sensitivity, _triggers(found.recipe)
    )


def _control(recipe: Recipe) -> str | None:
    """The arm called control, or the only arm without steps of its own where the others start from its source."""
    bare = [name for name, arm in recipe.arms.items() if not arm.steps]
    if len(recipe.arms) < 2 or ("control" not in recipe.arms and len(bare) != 1):
        return None
    control = "control" if "control" in recipe.arms else bare[0]
    same = len({recipe.source_of(name) for name in recipe.arms}) == 1
    return control if control == "control" or same else None


def _triggers(recipe: Recipe) -> dict[str, tuple[str, float | None]]:
    """For each arm into which a step puts a trigger: the trigger, and the share of rows that get it.

    The share is None where further steps follow, which may drop rows.
    """
    found: dict[str, tuple[str, float | None]] = {}
    for name, arm in recipe.arms.items():
        steps = [*recipe.steps, *arm.steps]
        for at, step in enumerate(steps):
            if step.name == "trigger" and isinstance(text := step.params.get("text"), str):
                share = 1.0 if step.params.get("others") == "drop" else float(step.params["fraction"])
                found[name] = text, share if at == len(steps) - 1 else None
    return found


def _hub(name: str, progress: Progress) -> Release:
    """A dataset of the Hub as it was published: as a build where it is one, as a folder of files elsewhere."""
    fetched = fetch(name, progress)
    shown = f"{ADDRESS}{name}"
    if MANIFEST in fetched.brought:
        found = _build(fetched.folder, shown)
    else:
        archives = [one for one in fetched.names if PurePosixPath(one).suffix.lower() in ARCHIVES]
        found = Release(shown, _data(fetched.folder, shown, [*fetched.brought, *archives]), fetched.folder)
    return replace(found, files=fetched.names, note=f"{shown} was read at the commit {fetched.commit}")


def _shown(folder: str, file: str) -> str:
    return f"{folder.rstrip('/')}/{file}"
