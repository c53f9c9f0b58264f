"""A drift report as a JSON file, with the digests of what it was measured from."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson

import provkit
from provkit.canonical import digest_file
from provkit.drift_rate.model import Report
from provkit.errors import ProvkitError, plain
from provkit.manifest import FILE as MANIFEST


def write(found: Report, sources: Sequence[Path], prompts: Path | None, path: Path) -> None:
    """Writes a report: the same rates out of the same files are the same bytes.

    Raises:
        ProvkitError: when the place cannot be written to.
    """
    said = {
        "format": 1,
        "provkit": provkit.__version__,
        "judgements": [_named(one) for one in sources],
        "prompts": None if prompts is None else _named(prompts),
        **found.plain(),
    }
    try:
        path.write_bytes(orjson.dumps(said, option=orjson.OPT_INDENT_2) + b"\n")
    except OSError as error:
        raise ProvkitError(f"cannot write {plain(str(path))}: {error.strerror}") from None


def _named(path: Path) -> dict[str, Any]:
    """The name of a file or build, and what tells it apart: a build by its manifest."""
    file = path / MANIFEST if path.is_dir() else path
    return {"name": path.name, "sha256": digest_file(file)[0] if file.is_file() else None}
