"""A verdict directory: verdicts, pairs and rubrics in Parquet, and judge.json with digests of all of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from provkit import facts
from provkit.canonical import digest_file
from provkit.errors import InputError
from provkit.rubrics.tables import PAIRS, RUBRICS, UNPARSED, VERDICTS, Verdicts
from provkit.target import writing

FILE = "judge.json"
FORMAT = 1
PARTS = {"verdicts": VERDICTS, "pairs": PAIRS, "rubrics": RUBRICS, "unparsed": UNPARSED}
FILES = [f"{name}.parquet" for name in PARTS]
STORED = {"compression": "zstd", "compression_level": 3}


class Writer:
    """Writes the tables of a verdict directory as they come."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files = {
            name: pq.ParquetWriter(folder / f"{name}.parquet", schema, **STORED) for name, schema in PARTS.items()
        }
        self._rows = dict.fromkeys(PARTS, 0)

    def write(self, name: str, table: pa.Table) -> None:
        """Appends rows of one of PARTS."""
        if len(table):
            self._files[name].write_table(table)
            self._rows[name] += len(table)

    def close(self, judge: Mapping[str, Any]) -> dict[str, Any]:
        """Ends the files and writes judge.json; returns what it says."""
        for file in self._files.values():
            file.close()
        digests = {name: digest_file(self._folder / name)[0] for name in FILES}
        said = {"format": FORMAT, "judge": dict(judge), "rows": self._rows, "files": digests}
        return facts.write(self._folder / FILE, said)


@contextmanager
def written(out: Path) -> Iterator[Writer]:
    """A writer for the directory `out`, which appears whole when the block ends without an error, or not at all."""
    with writing(out, lambda there: facts.stranger(there, {FILE, *FILES})) as folder:
        yield Writer(folder)


def read(folder: Path, whole: bool = True) -> Verdicts:
    """The verdicts of a directory, every digest checked.

    Args:
        folder: the directory.
        whole: read requests and the texts of the pairs too; the measures need neither.

    Raises:
        InputError: when it is no verdict directory, or a file of it is missing or changed.
    """
    said = facts_of(folder)
    columns = {} if whole else {"verdicts": VERDICTS.names[:5], "pairs": PAIRS.names[:4]}
    tables = {}
    for name in PARTS:
        try:
            tables[name] = pq.read_table(folder / f"{name}.parquet", columns=columns.get(name))
        except (pa.ArrowException, OSError):
            raise InputError("damaged", file=folder / f"{name}.parquet", do="judge again") from None
    return Verdicts(
        str(folder), tables["verdicts"], tables["pairs"], tables["rubrics"], said["judge"], tables["unparsed"]
    )


def facts_of(folder: Path) -> dict[str, Any]:
    """What judge.json says, after its digest and those of the files were checked.

    Raises:
        InputError: as `read`.
    """
    try:
        return facts.read(folder / FILE, FILES, "judge again", FILES)
    except OSError as error:
        do = "provkit judge makes one"
        raise InputError(f"no verdict directory: {error.strerror}", file=folder / FILE, do=do) from None
