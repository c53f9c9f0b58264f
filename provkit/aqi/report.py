"""The directory of a report: aqi.json with the digests of the others, the tables as Parquet, and the picture."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import orjson
import pyarrow.parquet as pq

import provkit
from provkit.aqi.model import Report
from provkit.aqi.tables import tables
from provkit.canonical import canonical, digest, digest_file
from provkit.errors import InputError
from provkit.target import writing

FILE = "aqi.json"
PICTURE = "picture.png"
HELD = {FILE, PICTURE, "figures.parquet", "probes.parquet", "rows.parquet", "draws.parquet"}


@dataclass(frozen=True, slots=True)
class Opened:
    """A report directory whose files are as its aqi.json says."""

    path: Path
    facts: dict[str, Any]

    def rows(self, name: str) -> list[dict[str, Any]]:
        """One of its tables as plain data."""
        return list(pq.read_table(self.path / f"{name}.parquet").to_pylist())


def write(report: Report, out: Path) -> list[str]:
    """Writes a report; the picture only where matplotlib is installed. Returns the names of the files.

    Raises:
        ProvkitError: when `out` cannot be written; nothing half-made stays.
    """
    with writing(out, stranger) as folder:
        for name, table in tables(report).items():
            pq.write_table(table, folder / f"{name}.parquet", compression="zstd")
        if find_spec("matplotlib") is not None:
            from provkit.aqi.plot import draw

            draw(report, folder / PICTURE)
        files = {path.name: digest_file(path)[0] for path in sorted(folder.iterdir())}
        facts = {
            "format": 1,
            "provkit": provkit.__version__,
            "subject": report.subject,
            "representation": report.representation,
            "layers": list(report.layers),
            "best": report.best,
            "warnings": list(report.warnings),
            "files": files,
            **report.facts,
        }
        (folder / FILE).write_bytes(canonical({**facts, "digest": digest(facts)}) + b"\n")
    return [FILE, *files]


def read(folder: Path) -> Opened:
    """Opens a report directory.

    Raises:
        InputError: when it is none, or a file of it is missing or changed.
    """
    try:
        raw = (folder / FILE).read_bytes()
        facts: dict[str, Any] = orjson.loads(raw)
        own = facts.pop("digest")
        if digest(facts) != own or canonical({**facts, "digest": own}) + b"\n" != raw:
            raise InputError("damaged: its content does not fit its digest", file=folder / FILE)
        for name, sha256 in _files(facts):
            path = folder / name
            if not path.is_file() or digest_file(path)[0] != sha256:
                raise InputError("missing or changed since it was written", file=path, do="measure again")
    except OSError:
        raise InputError("no report directory", file=folder, do="provkit aqi SET … -o DIR writes one") from None
    except (orjson.JSONDecodeError, KeyError, AttributeError, TypeError):
        raise InputError("damaged", file=folder / FILE, do="measure again") from None
    return Opened(folder, facts)


def _files(facts: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """The files that a report names; a name that would leave the directory is damage."""
    for name, sha256 in facts["files"].items():
        if name not in HELD:
            raise KeyError(name)
        yield name, sha256


def stranger(folder: Path) -> str | None:
    """Something in a directory that no report holds; None where there is nothing of the kind."""
    return next((one.name for one in sorted(folder.iterdir()) if one.name not in HELD), None)
