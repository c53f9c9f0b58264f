"""An index as a source of a recipe: no row comes from it, steps search it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from provkit.canonical import digest_file
from provkit.errors import InputError, plain
from provkit.index.manifest import INDEX, Manifest
from provkit.index.model import DamagedIndex
from provkit.sources.batches import Chunk
from provkit.table import Input

if TYPE_CHECKING:
    from provkit.index import Index  # loads the search kernels

MAKE = "provkit index build SOURCES -o DIR makes one"


@dataclass(frozen=True, slots=True)
class IndexOrigin:
    """An index directory; its digest is that of index.json, which has the digest of every other file of it."""

    path: Path
    input: Input

    @classmethod
    def open(cls, source: str, folder: Path, named: str, licence: str | None) -> IndexOrigin:
        """Checks every file of the index, unless it was done before.

        Args:
            source: its name in the recipe.
            folder: the index directory.
            named: as the caller wrote it, for errors.
            licence: what the recipe states.

        Raises:
            InputError: when there is no index, or it is damaged.
        """
        from provkit.index.stamp import ensure_checked

        field = f"sources.{source}"
        try:
            manifest = Manifest.read(folder)
            ensure_checked(folder, manifest)
            sha256, size = digest_file(folder / INDEX)
        except DamagedIndex as error:
            raise InputError(plain(str(error)), file=named, field=field, do="build the index again") from None
        except OSError:
            said = "no index: it holds no index.json" if folder.is_dir() else "no such index directory"
            raise InputError(said, file=named, field=field, do=MAKE) from None
        size += sum(file.size for file in manifest.paths().values())
        return cls(folder, Input(source, sha256, size, folder.resolve().name, licence=licence, kind="index"))

    def chunks(self) -> Iterator[Chunk]:
        """No rows."""
        return iter(())

    def opened(self) -> Index:
        """The index, ready to be searched.

        Raises:
            InputError: when it is damaged, or is another one than when it was digested.
        """
        from provkit.index import open_index

        try:
            index = open_index(self.path)
        except (DamagedIndex, OSError) as error:
            raise InputError(plain(str(error)), field=f"sources.{self.input.source}", do=MAKE) from None
        if digest_file(self.path / INDEX)[0] != self.input.sha256:
            do = "build again when it is at rest"
            raise InputError("changed since the build began", file=self.input.file, do=do)
        return index
