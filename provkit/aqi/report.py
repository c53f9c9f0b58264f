"""The directory of a report: aqi.json with the digests of the others, the tables as Parquet, and the picture."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

import provkit
from provkit import facts
from provkit.aqi.model import Report
from provkit.aqi.tables import tables
from provkit.canonical import digest_file
from provkit.errors import InputError
from provkit.target import writing

FILE = "aqi.json"
PICTURE = "picture.png"
HELD = {PICTURE, "figures.parquet", "probes.parquet", "rows.parquet", "draws.parquet"}


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
        said = {
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
        facts.write(folder / FILE, said)
    return [FILE, *files]


def read(folder: Path) -> Opened:
    """Opens a report directory.

    Raises:
        InputError: when it is none, or a file of it is missing or changed.
    """
    try:
        return Opened(folder, facts.read(folder / FILE, HELD, "measure again"))
    except OSError:
        raise InputError("no report directory", file=folder, do="provkit aqi SET … -o DIR writes one") from None


def stranger(folder: Path) -> str | None:
    """Something in a directory that no report holds; None where there is nothing of the kind."""
    return facts.stranger(folder, {FILE, *HELD})
