"""Where an index is made: what differs between a directory that the workers see and other places."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from provkit.index.manifest import SHARDS, Manifest, Shard, finished_shard
from provkit.index.shard import finish_shard

Task = tuple[Callable[..., Shard], tuple[Any, ...]]


class Store(Protocol):
    """Where an index is made."""

    @property
    def name(self) -> str:
        """What errors call it."""

    @property
    def path(self) -> Path:
        """A directory of this machine, into which the text of shards is written."""

    def begin(self) -> None:
        """Told before anything is written."""

    def finished(self, name: str) -> Shard | None:
        """A shard that an earlier build has finished."""

    def writes(self, finished: bool) -> bool:
        """Whether the text of a shard has to be written."""

    def task(self, part: Path, shard: Shard, classes: bytes, step: int) -> Task:
        """The call that finishes a shard whose text and documents stand in `part`, on whatever machine it is made."""

    def keep(self, part: Path) -> None:
        """Told when a shard that was finished before turns out to be of the same documents."""

    def before_background(self, manifest: Manifest) -> None:
        """Told when all shards are finished."""

    def end(self, manifest: Manifest) -> None:
        """Told when index.json stands in the directory."""


class Directory:
    """An index in a directory that all workers see."""

    def __init__(self, path: Path) -> None:
        self.path, self.name = path, str(path)

    def begin(self) -> None:
        """Removes what a killed build has left unfinished."""
        for part in (self.path / SHARDS).glob("*.part"):
            shutil.rmtree(part, ignore_errors=True)

    def finished(self, name: str) -> Shard | None:
        """As Store says."""
        return finished_shard(self.path / SHARDS / name)

    def writes(self, finished: bool) -> bool:
        """As Store says."""
        return not finished

    def task(self, part: Path, shard: Shard, classes: bytes, step: int) -> Task:
        """As Store says."""
        return finish_shard, (part, shard, classes, step)

    def keep(self, part: Path) -> None:
        """As Store says."""

    def before_background(self, manifest: Manifest) -> None:
        """As Store says."""

    def end(self, manifest: Manifest) -> None:
        """Removes what belongs to no shard."""
        names = {shard.name for shard in manifest.shards}
        for directory in (self.path / SHARDS).iterdir():
            if directory.name not in names:
                shutil.rmtree(directory)
