"""What of a build directory is published: its files with their digests, and where each has its bytes."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

from provkit import card, croissant, manifest
from provkit.canary import canary_of
from provkit.manifest import Manifest

AUDIT = "audit.json"


@dataclass(frozen=True, slots=True)
class Item:
    """One file as it is to lie on the Hub: its bytes are those at `path`, or `content` where it is made here."""

    name: str
    size: int
    sha256: str
    blob: str  # what git calls these bytes: sha1 over their length and themselves
    path: Path
    content: bytes | None = None

    def opened(self) -> IO[bytes]:
        """Its bytes, from the start."""
        return self.path.open("rb") if self.content is None else io.BytesIO(self.content)


@dataclass(frozen=True, slots=True)
class Release:
    """A build with the files that go out.

    Attributes:
        sealed: where they go out as a sealed archive, the sha256 of what is in it.
    """

    folder: Path
    manifest: Manifest
    card: card.Card
    items: Mapping[str, Item]
    sealed: str | None = None

    @property
    def sensitivity(self) -> str:
        """As its recipe states it."""
        return str(self.manifest.facts["recipe"]["sensitivity"])

    @property
    def canary(self) -> str | None:
        """The canary of its rows; None on an open set."""
        return canary_of(self.sensitivity, self.manifest.build_id)

    @property
    def tag(self) -> str:
        """The tag of its version."""
        return f"v{self.manifest.facts['recipe']['version']}"

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(one.size for one in self.items.values())

    def with_card(self, text: str) -> Release:
        """The same with another README.md, of which the computed part is unchanged."""
        made = item_of(card.FILE, self.folder / card.FILE, text.encode())
        return replace(self, items={**self.items, card.FILE: made})


def release_of(folder: Path) -> Release:
    """The files of a build: card, croissant.json (made here), provenance.json, data, lineage, and audit.json if there.

    Raises:
        InputError: when `folder` is no build directory, or its card cannot be read.
    """
    found = manifest.read(folder)
    own = card.read(folder)
    names = [card.FILE, manifest.FILE, *(one.file for one in found.outputs)]
    names += [AUDIT] if (folder / AUDIT).is_file() else []
    items = {name: item_of(name, folder / name) for name in names if (folder / name).is_file()}
    items[croissant.FILE] = item_of(croissant.FILE, folder / croissant.FILE, croissant.written(folder, found))
    return Release(folder, found, own, dict(sorted(items.items())))


def item_of(name: str, path: Path, content: bytes | None = None) -> Item:
    """A file of a release: the bytes at `path`, or these."""
    size = path.stat().st_size if content is None else len(content)
    sha256 = hashlib.sha256()
    blob = hashlib.sha1(b"blob %d\0" % size, usedforsecurity=False)
    for chunk in _chunks(path) if content is None else [content]:
        sha256.update(chunk)
        blob.update(chunk)
    return Item(name, size, sha256.hexdigest(), blob.hexdigest(), path, content)


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            yield chunk
