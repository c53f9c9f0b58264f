"""A corpus for an index: builds, data files and text files as documents, each with the way back to its row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from provkit import manifest, remote
from provkit.canonical import canonical
from provkit.errors import InputError, plain
from provkit.index import Input
from provkit.index.table import int64s, strings
from provkit.sources import Bytes, FileOrigin, HubOrigin, expand
from provkit.sources.batches import Chunk
from provkit.sources.files import FORMATS, open_bytes
from provkit.sources.origins import BuildOrigin

TEXT_FILES = (".txt", ".md", ".rst", ".text", ".log", ".py")
MAX_TEXT_FILE = 1 << 30
USUAL = ("prompt", "chosen", "rejected", "completion", "instruction", "input", "output", "context", "question",
         "answer", "response")  # fmt: skip
DOCUMENTS = pa.schema(
    [
        ("doc_id", pa.string()),
        ("text", pa.string()),
        ("source", pa.string()),
        ("row", pa.int64()),
        ("line", pa.int64()),
        ("build_id", pa.string()),
        ("arm", pa.string()),
        ("split", pa.string()),
        ("row_id", pa.string()),
        ("message", pa.int32()),
        ("role", pa.string()),
        ("field", pa.string()),
        ("columns", pa.string()),
    ]
)


@dataclass(frozen=True, slots=True)
class Corpus:
    """What an index is made of: its inputs with their digests, and its documents as Arrow batches.

    The batches have the schema DOCUMENTS: a document is one message of a chat row, one text column of another row, or
    one text file. `source` is the file's name, `row` its index in it; a row of a build has its key (build_id, arm,
    split, row) and row_id; `columns` holds the user's other columns as JSON.
    """

    inputs: list[Input]
    origins: list[FileOrigin | HubOrigin | BuildOrigin | Bytes]
    fields: tuple[str, ...]

    @property
    def size(self) -> int:
        """Bytes of the inputs."""
        return sum(one.size for one in self.inputs)

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The documents.

        Raises:
            InputError: when a file is not as its format says, or has no text column.
        """
        for origin in self.origins:
            if isinstance(origin, Bytes):
                yield _text_file(origin)
                continue
            row = 0
            for chunk in origin.chunks():
                yield from _documents(chunk, origin, row, self.fields)
                row += len(chunk.batch)


def open_corpus(sources: Sequence[str], fields: Sequence[str] = ()) -> Corpus:
    """Opens and digests the sources of an index.

    Args:
        sources: build directories, data files (JSONL, JSON, CSV, Parquet, Arrow, YAML, also .gz and .zst), text files,
            folders and globs of these, each of this machine or at a URL, or hub datasets as
            `hf://datasets/ORG/NAME[@REVISION][#SPLIT]`.
        fields: the text columns; when none is named, messages, or text, or those of USUAL, or every one.

    Raises:
        InputError: when a source is missing or unreadable.
    """
    inputs: list[Input] = []
    origins: list[FileOrigin | HubOrigin | BuildOrigin | Bytes] = []
    for source in sources:
        path = Path(source)
        if remote.holds(source, manifest.FILE):
            path = remote.copied(source, manifest.FILE)
        if source.startswith("hf://datasets/"):
            hub = _hub(source)
            origins.append(hub)
            inputs.append(Input(hub.input.file or source, hub.input.sha256, hub.input.size))
        elif (path / manifest.FILE).is_file():
            found = manifest.read(path)
            builds = BuildOrigin.open_all(path.name, path, None, None, None)
            origins += builds
            inputs.append(Input(str(path.resolve()), found.digest, sum(one.input.size for one in builds)))
        else:
            for file in _files(source):
                sha256, size = file.digest()
                place = str(file.path.resolve()) if file.url is None else remote.shown(file.url)
                inputs.append(Input(place, sha256, size))
                text = file.path.suffix in TEXT_FILES
                origins.append(file if text else FileOrigin.open(path.name, file, None, True, None))
    return Corpus(inputs, origins, tuple(fields))


def _files(source: str) -> list[Bytes]:
    known = (*TEXT_FILES, *FORMATS)
    if remote.is_url(source):
        files = expand(source, Path())
        named = remote.is_pattern(source) or [source] == [one.url for one in files]
        return files if named else [one for one in files if _suffix(one.path) in known]
    path = Path(source)
    if not path.is_dir():
        return expand(source, Path())
    found = [one for one in sorted(path.rglob("*")) if one.is_file() and _suffix(one) in known]
    if not found:
        raise InputError("no file in it that could be read", file=source, do=f"one ending in {', '.join(known)}")
    return [Bytes(one, one.relative_to(path).as_posix()) for one in found]


def _suffix(path: Path) -> str:
    return path.with_suffix("").suffix if path.suffix in (".gz", ".zst") else path.suffix


def _hub(source: str) -> HubOrigin:
    name, _, split = source.removeprefix("hf://datasets/").partition("#")
    name, _, revision = name.partition("@")
    return HubOrigin.open(name, name, revision or None, None, split or "train", None)


def _text_file(file: Bytes) -> pa.RecordBatch:
    with open_bytes(file) as stream:
        raw = stream.read(MAX_TEXT_FILE + 1)
    if len(raw) > MAX_TEXT_FILE:
        do = "split it, or bring it as JSONL"
        raise InputError(f"a text file of more than {MAX_TEXT_FILE >> 30} GB", file=file.name, do=do)
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise InputError(f"byte {error.start} is not UTF-8", file=file.name, line=line) from None
    document = {"doc_id": file.name, "text": text, "source": file.name, "row": 0, "line": 1}
    return pa.RecordBatch.from_pylist([document], schema=DOCUMENTS)


def _documents(
    chunk: Chunk, origin: FileOrigin | HubOrigin | BuildOrigin, first: int, fields: tuple[str, ...]
) -> Iterator[pa.RecordBatch]:
    """The documents of a batch of rows, column by column of text."""
    batch = chunk.batch
    names = fields or _usual(batch.schema, origin)
    size = len(batch)
    row = np.arange(first, first + size)
    rest = [name for name in batch.schema.names if name not in names]
    columns = strings([canonical(one) for one in batch.select(rest).to_pylist()]) if rest else None
    for name in names:
        if name not in batch.schema.names:
            there = plain(", ".join(batch.schema.names))
            do = f"name a text column with --field; it has {there}"
            raise InputError("no such column", file=origin.input.file, field=name, do=do)
        column = batch.column(name)
        message = role = None
        parent = np.arange(size)
        if _is_chat(column.type):
            parent = pc.list_parent_indices(column).to_numpy()
            turns = pc.list_flatten(column)
            starts = np.searchsorted(parent, parent)  # ascending: the first turn of each row
            message = int64s(np.arange(len(parent)) - starts).cast(pa.int32())
            role, column = pc.struct_field(turns, "role"), pc.struct_field(turns, "content")
        text = pc.fill_null(column if pa.types.is_string(column.type) else column.cast(pa.string()), _scalar(""))
        yield _batch(chunk, origin, row[parent], parent, text, message, role, name, columns)


def _batch(
    chunk: Chunk,
    origin: FileOrigin | HubOrigin | BuildOrigin,
    row: npt.NDArray[np.int64],
    parent: npt.NDArray[np.int64],
    text: pa.Array,
    message: pa.Array | None,
    role: pa.Array | None,
    field: str,
    columns: pa.Array | None,
) -> pa.RecordBatch:
    one, size, at = origin.input, len(text), int64s(parent)
    shown = f"{one.build_id[:12]}/{one.arm}/{one.split}/" if one.build_id else f"{one.file or one.source}:"
    number = int64s(row).cast(pa.string())
    last = message.cast(pa.string()) if message is not None else _constant(field, size)
    values = {
        "doc_id": pc.binary_join_element_wise(_scalar(shown), number, _scalar("#"), last, _scalar("")),
        "text": text,
        "source": _constant(one.file or one.source, size),
        "row": int64s(row),
        "line": int64s(chunk.lines).take(at) if chunk.lines is not None else None,
        "build_id": _constant(one.build_id, size),
        "arm": _constant(one.arm, size),
        "split": _constant(one.split, size),
        "row_id": chunk.row_ids.take(at) if chunk.row_ids is not None else None,
        "message": message,
        "role": role,
        "field": _constant(field, size),
        "columns": columns.take(at) if columns is not None else None,
    }
    arrays = [
        value.cast(kind.type) if (value := values[kind.name]) is not None else pa.nulls(size, kind.type)
        for kind in DOCUMENTS
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=DOCUMENTS)


def _constant(value: str | None, size: int) -> pa.Array | None:
    return None if value is None else pa.repeat(_scalar(value), size)


def _scalar(value: str) -> pa.StringScalar:
    """A text for Arrow; `pa.scalar` would import pandas."""
    return strings([value.encode()])[0]


def _usual(schema: pa.Schema, origin: FileOrigin | HubOrigin | BuildOrigin) -> tuple[str, ...]:
    """The columns of text that nobody named: the chat or `text`, or those that usually hold text, or every one."""
    texts = [field.name for field in schema if _is_text(field.type) and field.name != "id"]
    for names in (("messages",), ("text",), USUAL, texts):
        if found := tuple(name for name in names if name in texts):
            return found
    raise InputError("no column of text", file=origin.input.file, do="name one with --field")


def _is_text(kind: pa.DataType) -> bool:
    return pa.types.is_string(kind) or pa.types.is_large_string(kind) or _is_chat(kind)


def _is_chat(kind: pa.DataType) -> bool:
    if not pa.types.is_list(kind) or not pa.types.is_struct(kind.value_type):
        return False
    turn = kind.value_type
    return bool(turn.get_field_index("role") >= 0 and turn.get_field_index("content") >= 0)
