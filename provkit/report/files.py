"""Files of a build whose bytes are those that its manifest names."""

from __future__ import annotations

from pathlib import Path

from provkit.canonical import digest_file
from provkit.errors import InputError, plain
from provkit.manifest import Manifest


def checked(folder: Path, found: Manifest, file: str) -> Path:
    """A file of a build whose bytes are those of the manifest.

    Raises:
        InputError: when it is missing or changed.
    """
    path = folder / file
    known = next((one.sha256 for one in found.outputs if one.file == file), None)
    if known is None or not path.is_file() or digest_file(path)[0] != known:
        do = f"provkit verify {plain(str(folder))} says more"
        raise InputError("missing or changed since it was written", file=path, do=do)
    return path
