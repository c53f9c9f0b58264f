"""Which indexes were checked before: a stamp in the user's cache spares the digests at the next opening.

The stamp trusts size, modification time and inode of each file. Who changes a file and sets its time back is not
noticed; `verify` reads everything whatever the stamp says.
"""

from __future__ import annotations

import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import orjson

from provkit.index.manifest import INDEX, Manifest, check, write_whole
from provkit.index.model import DamagedIndex


def cache_directory() -> Path:
    """`PROVKIT_CACHE`, or `~/.cache/provkit`."""
    named = os.environ.get("PROVKIT_CACHE")
    return Path(named) if named else Path.home() / ".cache" / "provkit"


def ensure_checked(path: Path, manifest: Manifest) -> None:
    """Checks every digest of an index, unless it was done before and no file has changed since.

    Raises:
        DamagedIndex: naming the file that is missing or not what was written.
    """
    place = cache_directory() / "index" / (hashlib.sha256(os.fsencode(path.resolve())).hexdigest()[:32] + ".json")
    now = current(path, manifest)
    try:
        if orjson.loads(place.read_bytes()) == now:
            return
    except (OSError, orjson.JSONDecodeError):
        pass
    check_all(path, manifest)
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        write_whole(place, orjson.dumps(now))
    except OSError:
        pass  # without a cache every opening checks the digests


def current(path: Path, manifest: Manifest) -> dict[str, list[int]]:
    """Size, modification time (ns) and inode of every file.

    Raises:
        DamagedIndex: when one is missing.
    """
    stamps = {}
    for name in (INDEX, *manifest.paths()):
        try:
            stat = (path / name).stat()
        except OSError as error:
            raise DamagedIndex(f"{path / name}: {error.strerror or error}") from None
        stamps[name] = [stat.st_size, stat.st_mtime_ns, stat.st_ino]
    return stamps


def check_all(path: Path, manifest: Manifest) -> None:
    """Compares every file with its digest, several at a time (hashing releases the GIL)."""
    files = sorted(manifest.paths().items(), key=lambda entry: -entry[1].size)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for _ in pool.map(lambda entry: check(path, [entry]), files):
            pass
