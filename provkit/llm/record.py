"""lineage/responses.parquet: the answers that a build used, so that it replays without an endpoint."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from provkit import parquet
from provkit.canonical import canonical
from provkit.errors import InputError, plain
from provkit.llm.cache import Cache
from provkit.llm.model import Answer, key_of

FILE = "lineage/responses.parquet"
BATCH = 4096
SCHEMA = pa.schema(
    [
        ("request_hash", pa.string()),
        ("model", pa.string()),
        ("revision", pa.string()),
        ("sample", pa.int64()),
        ("request", pa.string()),
        ("text", pa.string()),
        ("finish_reason", pa.string()),
        ("refusal", pa.string()),
        ("prompt_tokens", pa.int64()),
        ("completion_tokens", pa.int64()),
    ]
)


def write(path: Path, cache: Cache, keys: set[bytes]) -> None:
    """The answers of these keys, in the order of the keys; how long each took is left out: a rebuild is the same."""
    ordered = [key.hex() for key in sorted(keys)]
    with pq.ParquetWriter(path, SCHEMA, compression="zstd", compression_level=3) as file:
        for start in range(0, len(ordered), BATCH):
            rows = list(cache.records(ordered[start : start + BATCH]))
            columns = [
                pa.array(column, field.type) for column, field in zip(zip(*rows, strict=True), SCHEMA, strict=True)
            ]
            file.write_table(pa.Table.from_arrays(columns, schema=SCHEMA))


def digest(cache: Cache, keys: set[bytes]) -> str:
    """sha256 over the answers of these keys, in their order."""
    running = hashlib.sha256()
    for row in cache.records(key.hex() for key in sorted(keys)):
        running.update(canonical(list(row)) + b"\n")
    return running.hexdigest()


def load(folder: Path, into: Cache) -> None:
    """Puts the recorded answers of a build into a cache.

    Raises:
        InputError: when the build has no record, or it is damaged.
    """
    path = folder / FILE
    if not path.is_file():
        raise InputError("no recorded answers", file=path, do="--replay takes a build that was made with --llm")
    try:
        for row in _rows(path):
            key, model, revision, sample, request, text, finish, refusal, read, wrote = row
            asked = (str(model), str(revision), int(str(sample)), str(request))
            if key_of(orjson.loads(asked[3]), *asked[:3]) != key:
                raise ValueError(f"request {plain(str(key), 16)} is not the one that its hash names")
            into.put(Answer(str(key), str(text), str(finish), str(refusal), int(str(read)), int(str(wrote))), asked)
    except (pa.ArrowException, ValueError, KeyError) as error:
        raise InputError(f"damaged: {plain(str(error))}", file=path) from None


def _rows(path: Path) -> Iterator[tuple[object, ...]]:
    for batch in parquet.opened(path).iter_batches(BATCH, columns=SCHEMA.names):
        yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)
