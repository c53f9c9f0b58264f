"""Which directories a database is about: those that were named, and those that they were made from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from provkit import manifest
from provkit.answers.directory import facts_of
from provkit.attribution.tables import FILES
from provkit.canonical import digest_file
from provkit.errors import InputError, ProvkitError
from provkit.facts import read

TRACE, INDEX, VERDICTS, ANSWERS = "trace.json", "index.json", "judge.json", "answers.json"
REPORT = "aqi.json"


@dataclass(slots=True)
class Opened:
    """Builds, indexes, traces, verdicts, answers and reports of the index that are open, each once."""

    builds: list[tuple[Path, manifest.Manifest]] = field(default_factory=list)
    indexes: list[Path] = field(default_factory=list)
    traces: list[tuple[Path, dict[str, Any]]] = field(default_factory=list)
    verdicts: list[Path] = field(default_factory=list)
    answers: list[tuple[Path, dict[str, Any]]] = field(default_factory=list)
    reports: list[Path] = field(default_factory=list)


def open_folders(folders: Sequence[Path], others: Sequence[Path]) -> Opened:
    """Opens directories and follows what they were made from.

    Raises:
        InputError: for a directory that is no build, index or trace, is damaged, or holds a build that is open.
    """
    opened = Opened()
    for folder in folders:
        _open(folder, opened)
    moved = Opened()
    for folder in others:
        _open(folder, moved)
    for folder, facts in opened.traces:
        for path in (Path(facts["index"]["path"]), *moved.indexes, *opened.indexes):
            if _digest_of(path / INDEX) == facts["index"]["digest"]:
                if path.resolve() not in [one.resolve() for one in opened.indexes]:
                    opened.indexes.append(path)
                break
        else:
            do = f"it was {facts['index']['path']}; --with DIR names where it is now"
            raise InputError("the index that this trace was made with is not there", file=folder, do=do)
    _follow_builds(opened, moved)
    return opened


def _follow_builds(opened: Opened, moved: Opened) -> None:
    """Builds that the indexes name; one that is gone or was replaced is left out, and joins with it find nothing."""
    known = {build.digest for _, build in opened.builds}
    at_hand = {build.digest: (path, build) for path, build in moved.builds}
    for index in opened.indexes:
        for addition in orjson.loads((index / INDEX).read_bytes())["additions"]:
            for one in addition["inputs"]:
                path = Path(one["path"])
                if one["sha256"] in known:
                    continue
                found = at_hand.get(one["sha256"])
                if found is None and (path / manifest.FILE).is_file():
                    try:
                        build = manifest.read(path)
                    except ProvkitError:
                        continue
                    found = (path, build) if build.digest == one["sha256"] else None
                if found is not None:
                    known.add(found[1].digest)
                    opened.builds.append(found)


def _open(folder: Path, opened: Opened) -> None:
    if (folder / TRACE).is_file():
        opened.traces.append((folder, read(folder / TRACE, FILES, "trace again")))
    elif (folder / INDEX).is_file():
        opened.indexes.append(folder)
    elif (folder / VERDICTS).is_file():
        opened.verdicts.append(folder)
    elif (folder / ANSWERS).is_file():
        opened.answers.append((folder, facts_of(folder)))
    elif (folder / REPORT).is_file():
        opened.reports.append(folder)
    else:
        build = manifest.read(folder)
        for other, known in opened.builds:
            if known.build_id == build.build_id:
                raise InputError(f"the same build as {other}", file=folder, do="name it once")
        opened.builds.append((folder, build))


def _digest_of(path: Path) -> str | None:
    return digest_file(path)[0] if path.is_file() else None
