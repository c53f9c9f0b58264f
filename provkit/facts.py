"""The JSON file of a directory that names the directory's other files with their digests, and states its own digest."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import orjson

from provkit.canonical import canonical, digest, digest_file
from provkit.errors import InputError, plain


def write(path: Path, facts: Mapping[str, Any]) -> dict[str, Any]:
    """Writes facts and their digest; returns all that the file says. `files` maps names beside it to sha256."""
    whole = {**facts, "digest": digest(facts)}
    path.write_bytes(canonical(whole) + b"\n")
    return whole


def read(path: Path, held: Collection[str], again: str | None = None, needed: Collection[str] = ()) -> dict[str, Any]:
    """What such a file says, without its digest, after that and those of the files beside it were checked.

    Args:
        path: the file.
        held: the names that it may give to files; another one is damage, so that none leaves the directory.
        again: what to do about damage.
        needed: the names that it has to give.

    Raises:
        InputError: when it is damaged, or a file that it names is missing or changed.
        OSError: when it cannot be read.
    """
    raw = path.read_bytes()
    try:
        facts: dict[str, Any] = orjson.loads(raw)
        own = facts.pop("digest")
        if digest(facts) != own or canonical({**facts, "digest": own}) + b"\n" != raw:
            raise InputError("damaged: its content does not fit its digest", file=path, do=again)
        files = facts["files"]
        if strange := sorted({*needed} - files.keys() | files.keys() - {*held}):
            raise KeyError(strange[0])
        for name, sha256 in files.items():
            file = path.with_name(name)
            if not file.is_file() or digest_file(file)[0] != sha256:
                raise InputError("missing or changed since it was written", file=file, do=again)
    except (orjson.JSONDecodeError, KeyError, AttributeError, TypeError) as error:
        raise InputError(f"damaged: {plain(str(error))}", file=path, do=again) from None
    return facts


def stranger(folder: Path, held: Collection[str]) -> str | None:
    """Something in a directory that is none of the files that it may hold; None where there is nothing of the kind."""
    return next((one.name for one in sorted(folder.iterdir()) if one.name not in held), None)
