"""Representations of the rows, one matrix a layer, each read when it is asked for; out of files or arrays."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from provkit.aqi.measures import Floats, Labels
from provkit.aqi.rows import LabelledRows
from provkit.aqi.tensors import TensorFile
from provkit.canonical import digest_file
from provkit.errors import InputError, plain

VECTORS = ("embedding", "vector", "embeddings")
ONLY = "embedding"  # the name of the one layer of a representation that has no layers


@dataclass(frozen=True, slots=True)
class Layers:
    """A representation of rows.

    Attributes:
        name: what made it.
        names: its layers, in their order.
        read: gives the matrix of the layer at a position: float64, (rows, dimensions).
        facts: what is to be known of it, as plain data.
    """

    name: str
    names: tuple[str, ...]
    read: Callable[[int], Floats]
    facts: Mapping[str, Any]

    def take(self, positions: Labels) -> Layers:
        """The same representation of the rows at these positions."""
        return replace(self, read=lambda at: self.read(at)[positions])


def of_matrix(name: str, matrix: NDArray[Any], facts: Mapping[str, Any] | None = None) -> Layers:
    """A representation of one layer: (rows, dimensions), or of several: (layers, rows, dimensions)."""
    if matrix.ndim == 2:
        return Layers(name, (ONLY,), lambda _: np.asarray(matrix, np.float64), facts or {})
    names = tuple(map(str, range(len(matrix))))
    return Layers(name, names, lambda at: np.asarray(matrix[at], np.float64), facts or {})


def read_layers(path: Path, rows: LabelledRows) -> Layers:
    """Embeddings out of a file, in the order of the set unless the file names its rows.

    `.npy`: (rows, dimensions) or (layers, rows, dimensions). `.safetensors`: one matrix a layer. `.parquet`: a column
    `embedding` of lists, with `row_id` in any order, and with `layer` several layers.

    Raises:
        InputError: when it cannot be read, has not one vector for each row, or holds what is no number.
    """
    if not path.is_file():
        raise InputError("there is no such file", file=path)
    match path.suffix.lower():
        case ".npy":
            layers = _npy(path)
        case ".safetensors":
            opened = TensorFile(path)
            layers = Layers(path.name, tuple(opened.names), lambda at: opened.read(opened.names[at]), {})
            if opened.noted.get("rows", rows.digest) != rows.digest:
                raise InputError("made of other rows than these", file=path, do="embed this set, or name its own file")
        case ".parquet":
            layers = _parquet(path, rows)
        case _:
            raise InputError("embeddings are .npy, .parquet or .safetensors", file=path)
    if not layers.names:
        raise InputError("there is no layer in it", file=path)
    facts = {"file": path.name, "sha256": digest_file(path)[0]}
    return Layers(layers.name, layers.names, _checking(layers, rows, path), facts)


def _checking(layers: Layers, rows: LabelledRows, path: Path) -> Callable[[int], Floats]:
    def read(at: int) -> Floats:
        found = layers.read(at)
        if found.ndim != 2 or len(found) != len(rows):
            said = f"{len(found):,} vectors in layer {plain(layers.names[at], 60)}, the set has {len(rows):,} rows"
            raise InputError(said, file=path, do="one vector a row, in the order of the set, or with a column row_id")
        if not np.isfinite(found).all():
            where = int(np.flatnonzero(~np.isfinite(found).all(axis=1))[0])
            raise InputError(f"row {where} of layer {plain(layers.names[at], 60)} holds no finite numbers", file=path)
        return found

    return read


def _npy(path: Path) -> Layers:
    try:
        found = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, OSError, EOFError) as error:
        raise InputError(f"no array of numbers: {plain(str(error), 120)}", file=path) from None
    if found.ndim not in (2, 3) or found.dtype.kind not in "fiu":
        said = f"an array of shape {found.shape} and type {found.dtype}"
        raise InputError(said, file=path, do="(rows, dimensions) or (layers, rows, dimensions) of numbers is expected")
    return of_matrix(path.name, found)


def _parquet(path: Path, rows: LabelledRows) -> Layers:
    try:
        table = pq.read_table(path)
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"no Parquet file, or a damaged one: {plain(str(error), 120)}", file=path) from None
    column = next((name for name in VECTORS if name in table.column_names), None)
    if column is None:
        do = f"{', '.join(VECTORS)} is expected; it has {plain(', '.join(table.column_names), 120)}"
        raise InputError("no column of vectors", file=path, do=do)
    if "layer" not in table.column_names:
        return Layers(path.name, (ONLY,), lambda _: _matrix(table, column, rows, path), {})
    names = sorted(set(table.column("layer").to_pylist()), key=lambda one: (isinstance(one, str), one))

    def read(at: int) -> Floats:
        value = pa.scalar(names[at], table.schema.field("layer").type)
        return _matrix(table.filter(pc.equal(table.column("layer"), value)), column, rows, path)

    return Layers(path.name, tuple(map(str, names)), read, {})


def _matrix(table: pa.Table, column: str, rows: LabelledRows, path: Path) -> Floats:
    """The vectors in the order of the set, by row_id where the file has it."""
    lists = table.column(column).combine_chunks()
    kind = lists.type
    if not (pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)):
        raise InputError(f"a column of {kind}, not of lists of numbers", file=path, field=column)
    sizes = np.unique(pc.list_value_length(lists).to_numpy(zero_copy_only=False))
    flat = pc.list_flatten(lists)
    if len(sizes) != 1 or np.isnan(sizes[0]) or flat.null_count:
        raise InputError("the vectors differ in length, or hold nulls", file=path, field=column)
    found: Floats = flat.to_numpy(zero_copy_only=False).astype(np.float64).reshape(len(lists), -1)
    if "row_id" not in table.column_names:
        return found
    place = {row_id: at for at, row_id in enumerate(table.column("row_id").to_pylist())}
    missing = [row_id for row_id in rows.row_ids if row_id not in place]
    if missing:
        said = f"no vector for {len(missing):,} of {len(rows):,} rows, the first is {plain(missing[0], 40)}"
        raise InputError(said, file=path, field="row_id")
    return found[_places(rows.row_ids, place)]


def _places(row_ids: Sequence[str], place: Mapping[str, int]) -> NDArray[np.int64]:
    return np.array([place[row_id] for row_id in row_ids], np.int64)
