"""Reads what a build reads, but goes on where a build stops: what a build refuses is written down as a fault."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pyarrow as pa

from provkit import parquet
from provkit.audit.batch import Batch
from provkit.audit.form import DAMAGED, NO_DATA, NONE, NOT_JSON, NOT_UTF8, REFUSED, Form
from provkit.audit.gate import Rows
from provkit.audit.json_reading import look_at_bytes, read_array, read_lines
from provkit.audit.model import Example, Rule
from provkit.audit.subject import Subject
from provkit.audit.yaml_files import evaluation_rows
from provkit.canonical import canonical, canonical_fast
from provkit.errors import InputError, plain
from provkit.sources.batches import RESERVED, arrow_chunk
from provkit.sources.files import Bytes, open_bytes, refuse_what_is_no_data
from provkit.sources.read import read_file
from provkit.table import BATCH, OWN, is_plain


def read(subject: Subject, form: Form) -> Iterator[Batch]:
    """The rows of a subject in batches; what is wrong with the file goes into `form`.

    Raises:
        OSError: when the file cannot be opened.
    """
    file = Bytes(subject.path, subject.path.name)
    if subject.kind is None:
        form.saw(NO_DATA, _no_format(file), unit=NONE)
        return
    try:
        refuse_what_is_no_data(file)
    except InputError as error:
        form.saw(NO_DATA, error.problem, unit=NONE)
        return
    rows = Rows(subject.name, form)
    reader = {"jsonl": read_lines, "json": read_array}.get(subject.kind)
    try:
        if subject.kind in ("csv", "tsv", "yaml"):
            look_at_bytes(file, form, subject.kind)
        if reader is not None:
            yield from reader(file, rows)
        elif subject.kind == "yaml":
            yield from _yaml(file, subject, rows)
        elif subject.kind in ("parquet", "arrow"):
            yield from _columnar(file, subject, rows)
        else:
            yield from _strict(file, subject, rows)
    except InputError as error:
        said = plain(error.problem if error.field is None else f"{plain(error.field)}: {error.problem}", 200)
        form.saw(_rule(error.problem), said, Example(subject.name, error.line), NONE)


def _no_format(file: Bytes) -> str:
    """What a file is whose name tells no format; of one that is not here, the name alone is known."""
    said = f"the name {plain(file.name)} tells no format that a build reads"
    try:
        refuse_what_is_no_data(file)
    except InputError as error:
        return error.problem
    except OSError:
        pass
    return said


def _rule(problem: str) -> Rule:
    if "archive" in problem or "truncated" in problem:
        return DAMAGED
    if "not UTF-8" in problem:
        return NOT_UTF8
    return NOT_JSON if problem.startswith("no JSON") else REFUSED


def _strict(file: Bytes, subject: Subject, rows: Rows) -> Iterator[Batch]:
    """As a build reads, up to the first thing that it refuses."""
    for chunk in read_file(file, subject.kind or ""):
        lines = None if chunk.lines is None else chunk.lines.tolist()
        plainly = is_plain(pa.Table.from_batches([chunk.batch]))
        yield rows.batch(chunk.batch.to_pylist(), lines, canonical_fast if plainly else canonical)


def _yaml(file: Bytes, subject: Subject, rows: Rows) -> Iterator[Batch]:
    """YAML as a build reads it; a file of questions or tasks, whose keys may differ, is no set of rows."""
    found = evaluation_rows(file.path, file.name)
    if found is None:
        yield from _strict(file, subject, rows)
    else:
        yield rows.batch([row for row, _ in found], [line for _, line in found], canonical)


def _columnar(file: Bytes, subject: Subject, rows: Rows) -> Iterator[Batch]:
    """Parquet and Arrow; columns that provkit keeps for itself are faults outside a build, and are left out."""
    own = [name for name in _names(file, subject) if name in RESERVED or name.startswith(OWN)]
    if not own:
        yield from _strict(file, subject, rows)
        return
    for name in own if not subject.build else ():
        said = f"the column {plain(name, 60)}: provkit keeps this name for itself"
        rows.form.saw(REFUSED, said, Example(subject.name), NONE)
    for table in _tables(file, subject):
        content = [name for name in table.schema.names if name not in own]
        batch = arrow_chunk(table.select(content), file.name).batch
        made = rows.batch(
            batch.to_pylist(), None, canonical_fast if is_plain(pa.Table.from_batches([batch])) else canonical
        )
        if "canary" in own and len(made) == len(batch):
            made.canaries = [None if one is None else str(one) for one in table.column("canary").to_pylist()]
        if "pair_id" in own and len(made) == len(batch):
            made.pairs = [str(one) for one in table.column("pair_id").to_pylist()]
        yield made


def _names(file: Bytes, subject: Subject) -> list[str]:
    """The columns of a file; none where it cannot be opened: the strict reader then says why."""
    try:
        with open_bytes(file) as stream:
            if subject.kind == "parquet":
                return list(parquet.opened(_seekable(file)).schema_arrow.names)
            opened = pa.ipc.open_file if stream.read(6) == b"ARROW1" else pa.ipc.open_stream
            return list(opened(_seekable(file)).schema.names)
    except (pa.ArrowException, OSError, UnicodeDecodeError, MemoryError, InputError):
        return []


def _tables(file: Bytes, subject: Subject) -> Iterator[pa.RecordBatch]:
    try:
        if subject.kind == "parquet":
            yield from parquet.opened(_seekable(file)).iter_batches(batch_size=BATCH)
            return
        with open_bytes(file) as stream:
            stands = stream.read(6) == b"ARROW1"
        opened = pa.ipc.open_file(_seekable(file)) if stands else pa.ipc.open_stream(_seekable(file))
        batches = (opened.get_batch(at) for at in range(opened.num_record_batches)) if stands else iter(opened)
        for batch in batches:
            yield from (batch.slice(at, BATCH) for at in range(0, len(batch), BATCH))
    except (pa.ArrowException, OSError, UnicodeDecodeError, MemoryError) as error:
        raise InputError(f"no {subject.kind} file, or a truncated one: {plain(str(error), 120)}") from None


def _seekable(file: Bytes) -> str | io.BytesIO:
    if not file.compression:
        return str(file.path)
    with open_bytes(file) as stream:
        return io.BytesIO(stream.read())
