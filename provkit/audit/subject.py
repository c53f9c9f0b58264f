"""What is audited: single files, the files of a folder, the arms and splits of a build, a dataset of the Hub."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from provkit.errors import InputError
from provkit.sources.files import FORMATS, format_of

if TYPE_CHECKING:
    from provkit.recipe import Recipe

MANIFEST = "provenance.json"
HUB = re.compile(r"[\w.-]+/[\w.-]+(@[\w./-]+)?\Z")
NOT_DATA = ("provenance.json", "croissant.json", "audit.json", "dataset_infos.json", "config.json")


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
        triggers: of a build: the trigger of each arm that its recipe gives one, and the share of rows with it.
    """

    name: str
    subjects: tuple[Subject, ...]
    folder: Path | None = None
    build: bool = False
    control: str | None = None
    sensitivity: str | None = None
    triggers: Mapping[str, tuple[str, float]] = field(default_factory=dict)


def open_release(what: str) -> Release:
    """The subjects behind a path or the name of a Hub dataset.

    Raises:
        InputError: when there is no such file, folder or dataset.
    """
    path = Path(what)
    if path.is_dir():
        return _build(path, what) if (path / MANIFEST).is_file() else _folder(path, what)
    if path.is_file():
        return Release(what, (Subject(path, what, _kind(path)),))
    if HUB.match(what.removeprefix("hf://datasets/")) and not path.suffix:
        return _hub(what.removeprefix("hf://datasets/"))
    do = "name a file, a folder, a build directory, or a dataset of the Hub as OWNER/NAME"
    raise InputError("no such file", file=what, do=do)


def _kind(path: Path) -> str | None:
    try:
        return format_of(path)
    except InputError:
        return None


def _folder(path: Path, what: str) -> Release:
    found = []
    for file in sorted(path.rglob("*")):
        inside = file.relative_to(path)
        if file.is_file() and not any(part.startswith(".") for part in inside.parts) and file.name not in NOT_DATA:
            kind = _kind(file)
            if kind is not None:
                found.append(Subject(file, _shown(what, inside.as_posix()), kind))
    if not found:
        raise InputError("a folder without data files", file=what, do=f"data files end in {', '.join(FORMATS)}")
    return Release(what, tuple(found), path)


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


def _triggers(recipe: Recipe) -> dict[str, tuple[str, float]]:
    """For each arm whose last step puts a trigger into requests: the trigger, and the share of rows that get it."""
    found = {}
    for name, arm in recipe.arms.items():
        last = [*recipe.steps, *arm.steps][-1:]
        params = last[0].params if last and last[0].name == "trigger" else {}
        if isinstance(params.get("text"), str) and params.get("place", "before") != "system":
            found[name] = (params["text"], 1.0 if params.get("others") == "drop" else float(params["fraction"]))
    return found


def _hub(name: str) -> Release:
    """The files of a Hub dataset as they were published, at the commit that the revision names now."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError

    repository, _, revision = name.partition("@")
    wanted = [f"*{suffix}{packed}" for suffix in FORMATS for packed in ("", ".gz", ".zst")]
    try:
        folder = snapshot_download(
            repository,
            repo_type="dataset",
            revision=revision or None,
            allow_patterns=[*wanted, "README.md", "LICENSE*"],
        )
    except (HfHubHTTPError, OSError, ValueError) as error:
        said = f"neither a file nor a dataset that the Hub gives: {str(error).splitlines()[0][:160]}"
        do = "check name and revision; a gated one needs its terms accepted and HF_TOKEN set"
        raise InputError(said, file=name, do=do) from None
    return _folder(Path(folder), f"hf://datasets/{repository}")


def _shown(folder: str, file: str) -> str:
    return f"{folder.rstrip('/')}/{file}"
