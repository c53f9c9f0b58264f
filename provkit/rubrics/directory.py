"""A verdict directory: verdicts, pairs and rubrics in Parquet, and judge.json with digests of all of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from provkit.canonical import canonical, digest, digest_file
from provkit.errors import InputError, plain
from provkit.rubrics.tables import PAIRS, RUBRICS, UNPARSED, VERDICTS, Verdicts
from provkit.target import writing

FILE = "judge.json"
FORMAT = 1
PARTS = {"verdicts": VERDICTS, "pairs": PAIRS, "rubrics": RUBRICS, "unparsed": UNPARSED}
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
        digests = {f"{name}.parquet": digest_file(self._folder / f"{name}.parquet")[0] for name in PARTS}
        facts = {"format": FORMAT, "judge": dict(judge), "rows": self._rows, "files": digests}
        facts["digest"] = digest(facts)
        (self._folder / FILE).write_bytes(canonical(facts) + b"\n")
        return facts


@contextmanager
def written(out: Path) -> Iterator[Writer]:
    """A writer for the directory `out`, which appears whole when the block ends without an error, or not at all."""
    with writing(out, _stranger) as folder:
        yield Writer(folder)


def read(folder: Path, whole: bool = True) -> Verdicts:
    """The verdicts of a directory, every digest checked.

    Args:
        folder: the directory.
        whole: read requests and the texts of the pairs too; the measures need neither.

    Raises:
        InputError: when it is no verdict directory, or a file of it is missing or changed.
    """
    facts = facts_of(folder)
    columns = {} if whole else {"verdicts": VERDICTS.names[:5], "pairs": PAIRS.names[:4]}
    tables = {}
    for name in PARTS:
        try:
            tables[name] = pq.read_table(folder / f"{name}.parquet", columns=columns.get(name))
        except (pa.ArrowException, OSError):
            raise InputError("damaged", file=folder / f"{name}.parquet", do="judge again") from None
    return Verdicts(
        str(folder), tables["verdicts"], tables["pairs"], tables["rubrics"], facts["judge"], tables["unparsed"]
    )


def facts_of(folder: Path) -> dict[str, Any]:
    """What judge.json says, after its digest and those of the files were checked.

    Raises:
        InputError: as `read`.
    """
    path = folder / FILE
    try:
        raw = path.read_bytes()
        facts: dict[str, Any] = orjson.loads(raw)
        own = facts.pop("digest")
        if digest(facts) != own or canonical({**facts, "digest": own}) + b"\n" != raw:
            raise InputError("damaged: its content does not fit its digest", file=path, do="judge again")
        for name in PARTS:
            file = folder / f"{name}.parquet"
            if not file.is_file() or digest_file(file)[0] != facts["files"][file.name]:
                raise InputError("missing or changed since it was written", file=file, do="judge again")
    except OSError as error:
        do = "provkit judge makes one"
        raise InputError(f"no verdict directory: {error.strerror}", file=path, do=do) from None
    except (orjson.JSONDecodeError, KeyError, AttributeError, TypeError) as error:
        raise InputError(f"damaged: {plain(str(error))}", file=path, do="judge again") from None
    return facts


def _stranger(folder: Path) -> str | None:
    ours = {FILE, *(f"{name}.parquet" for name in PARTS)}
    return next((path.name for path in sorted(folder.iterdir()) if path.name not in ours), None)
