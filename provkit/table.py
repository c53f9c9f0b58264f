"""Rows: a set of rows on disk as Arrow parts, the order in which they are taken, and the lineage they carry."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from provkit.canonical import NotCanonical, canonical, canonical_fast
from provkit.chance import Draws, count_of
from provkit.errors import InputError, plain
from provkit.row import ANSWER_COLUMNS, CONTEXT_COLUMNS, PROMPT_COLUMNS, Row

BATCH = 8192
OWN = "_provkit_"  # prefix of the lineage columns that travel with a row
INPUT, INDEX, LINE, SIBLING = OWN + "input", OWN + "index", OWN + "line", OWN + "sibling"
ROW_ID = OWN + "row_id"  # of a parent that is a row of another build
STEP = OWN + "step_"
ALSO = OWN + "also"  # further parents, where a row was made out of several
FURTHER = pa.struct([("input", pa.int32()), ("index", pa.int64()), ("line", pa.int64()), ("row_id", pa.string())])

PROMPT_FORMS = f"name a column one of {', '.join(PROMPT_COLUMNS)}, or bring chat rows with the column messages"

Order = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Input:
    """One thing that rows were read from: a file, a hub dataset, a generator, or one split of another build."""

    source: str
    sha256: str
    size: int
    file: str | None = None
    revision: str | None = None
    licence: str | None = None
    build_id: str | None = None
    arm: str | None = None
    split: str | None = None
    rows: int = 0
    kind: str = "file"


@dataclass(frozen=True, slots=True)
class Selection:
    """What a whole-set step keeps: positions of the rows in their new order, and the rows that it leaves out.

    Every position stands exactly once, in `order` or in `dropped`; `details` goes with `dropped`, and so do the
    reasons where they are not one and the same.
    """

    order: Order
    dropped: Order = field(default_factory=lambda: np.empty(0, np.int64))
    reason: str | Sequence[str] = ""
    details: Sequence[str] = ()


class Rows:
    """An ordered set of rows with their lineage, memory-mapped; what a whole-set step sees."""

    def __init__(
        self,
        table: pa.Table,
        order: Order | None,
        inputs: Sequence[Input],
        draws: tuple[int, str],
        paths: Sequence[Path] = (),
    ) -> None:
        self.table = table
        self.order = order
        self.inputs = inputs
        self.paths = paths
        self._seed, self._label = draws
        self._digests: dict[str, npt.NDArray[np.uint64]] = {}

    def __len__(self) -> int:
        return len(self.table) if self.order is None else len(self.order)

    @property
    def columns(self) -> list[str]:
        """Names of the content columns."""
        return [name for name in self.table.column_names if not name.startswith(OWN)]

    def take(self, positions: Order) -> Rows:
        """These positions of the set, in that order; digests that are known come along."""
        order = positions if self.order is None else self.order[positions]
        rows = Rows(self.table, order, self.inputs, self.draws, self.paths)
        rows._digests = {by: digests[positions] for by, digests in self._digests.items()}
        return rows

    def labelled(self, label: str) -> Rows:
        """The same rows, drawing under another step label."""
        rows = Rows(self.table, self.order, self.inputs, (self._seed, label), self.paths)
        rows._digests = self._digests
        return rows

    @property
    def draws(self) -> tuple[int, str]:
        """Seed and step label of the draws."""
        return self._seed, self._label

    def batches(self, columns: Sequence[str] | None = None, size: int = BATCH) -> Iterator[pa.Table]:
        """The rows in order, `size` at a time; all columns, lineage included, when none is named."""
        table = self.table if columns is None else self.table.select(list(columns))
        for start in range(0, len(self), size):
            if self.order is None:
                yield table.slice(start, size)
            else:
                yield taken(table, self.order[start : start + size])

    def contents(self) -> Iterator[dict[str, Any]]:
        """The content of each row, in order."""
        for batch in self.batches(self.columns):
            yield from batch.to_pylist()

    def rows(self) -> Iterator[Row]:
        """Each row as a builder sees it, with the draws of this step."""
        draws = [Draws(self._seed, self._label, one.sha256) for one in self.inputs]
        at = 0
        for batch in self.batches():
            origin = zip(*(batch.column(name).to_pylist() for name in (INPUT, INDEX, SIBLING)), strict=True)
            for content, (number, index, sibling) in zip(batch.select(self.columns).to_pylist(), origin, strict=True):
                yield Row(content, (draws[number], index, sibling), at)
                at += 1

    def lineage(self, positions: Order | None = None, columns: Sequence[str] | None = None) -> pa.Table:
        """The lineage columns (or those named) of these positions (of all when none is given)."""
        table = self.table.select(columns or [name for name in self.table.column_names if name.startswith(OWN)])
        order = self.order if positions is None else positions if self.order is None else self.order[positions]
        return table if order is None else table.take(pa.array(order))

    def numbers(self) -> npt.NDArray[np.uint64]:
        """One uniform 64-bit number a row, out of seed, step label and source row: shape (rows,)."""
        origin = self.lineage(columns=[INPUT, INDEX, SIBLING])
        inputs, index = origin.column(INPUT).to_numpy(), origin.column(INDEX).to_numpy()
        sibling = origin.column(SIBLING).to_numpy()
        draws = [Draws(self._seed, self._label, one.sha256) for one in self.inputs]
        drawn = (
            draws[i].number(at, nth)
            for i, at, nth in zip(inputs.tolist(), index.tolist(), sibling.tolist(), strict=True)
        )
        return np.fromiter(drawn, np.uint64, len(self))

    def lowest(self, share: float, among: Order | None = None) -> Order:
        """Positions of the rows of lowest numbers: `share` of `among` (of all when none is given), in rising order.

        How many is exact, half a row rounded up: see `provkit.chance.count_of`.
        """
        positions = np.arange(len(self)) if among is None else among
        first = np.argsort(self.numbers()[positions], kind="stable")
        return np.sort(positions[first[: count_of(share, len(positions))]])

    def noted(self, key: str) -> list[Any]:
        """For each row what the last step whose note has `key` said under it; None where no note has it."""
        said: list[Any] = [None] * len(self)
        names = [name for name in self.table.column_names if name.startswith(STEP)]
        for name in sorted(names, key=lambda name: int(name.removeprefix(STEP))):
            for at, note in enumerate(self.lineage(columns=[name]).column(name).to_pylist()):
                if note is not None and note.startswith("{") and key in (fields := _fields(note)):
                    said[at] = fields[key]
        return said

    def digests(self, by: str) -> npt.NDArray[np.uint64]:
        """128 bits that identify each row's content (by="row") or its prompt (by="prompt"): shape (rows, 2).

        Raises:
            InputError: for a row without canonical JSON, and with by="prompt" for a row without a prompt.
        """
        if by not in self._digests:
            raw: dict[str, list[bytes]] = {name: [] for name in dict.fromkeys(("row", by))}
            for batch in self.batches(self.columns):
                spell = canonical_fast if is_plain(batch) else canonical
                for content in batch.to_pylist():
                    try:
                        raw["row"].append(hashlib.sha256(spell(content)).digest()[:16])
                        if by == "prompt":  # the row's digest is wanted sooner or later, and costs little here
                            raw["prompt"].append(hashlib.sha256(prompt_key(content, spell)).digest()[:16])
                    except NotCanonical as error:
                        raise InputError(str(error), file=self.locators(np.array([len(raw["row"])]))[0]) from None
                    except InputError as error:
                        at = self.locators(np.array([len(raw["prompt"])]))[0]
                        raise InputError(error.problem, file=at, do=error.do) from None
            for name, digests in raw.items():
                words = np.frombuffer(b"".join(digests), ">u8").astype(np.uint64)
                self._digests.setdefault(name, words.reshape(-1, 2))
        return self._digests[by]

    def locators(self, positions: Order) -> list[str]:
        """Where these rows came from, as a person reads it: `file:line`, or `source[index]`."""
        origin = self.lineage(positions, [INPUT, INDEX, LINE]).to_pylist()
        return [locator(self.inputs[one[INPUT]], one[INDEX], one[LINE]) for one in origin]


def _fields(note: str) -> dict[str, Any]:
    """The fields of a note that was given as a mapping; none for words that only look like one."""
    try:
        fields: dict[str, Any] = orjson.loads(note)
    except orjson.JSONDecodeError:
        return {}
    return fields


def locator(source: Input, index: int, line: int | None) -> str:
    """`file:line` where the format has lines, otherwise `file[index]` or `source[index]`."""
    return f"{source.file or source.source}:{line}" if line is not None else f"{source.file or source.source}[{index}]"


def is_plain(table: pa.Table) -> bool:
    """Whether plain JSON of these rows is canonical already: no floats, no nulls inside structs."""
    return all(_is_plain(column) for column in table.columns)


def _is_plain(array: pa.ChunkedArray | pa.Array, nested: bool = False) -> bool:
    kind = array.type
    if pa.types.is_floating(kind) or (nested and array.null_count):
        return False
    if pa.types.is_list(kind):
        return _is_plain(pc.list_flatten(array), nested)
    if pa.types.is_struct(kind):
        return all(_is_plain(pc.struct_field(array, [i]), True) for i in range(kind.num_fields))
    return True


def prompt_key(content: dict[str, Any], spell: Callable[[Any], bytes] = canonical) -> bytes:
    """What makes two prompts one: all turns before the last answer, or the prompt's and context's columns.

    A row with none of these columns is its own prompt, but for its answer.

    Raises:
        InputError: when the row is nothing but an answer, or its chat has no turns.
    """
    messages = content.get("messages")
    if messages is not None:
        turns = messages if isinstance(messages, list) else [None]
        if not all(isinstance(turn, dict) and {"role", "content"} <= turn.keys() for turn in turns):
            raise InputError("its `messages` are no list of turns with `role` and `content`", do=PROMPT_FORMS)
        last = bool(messages) and messages[-1]["role"] == "assistant"
        return spell([[turn["role"], turn["content"]] for turn in (messages[:-1] if last else messages)])
    asked = {name: content[name] for name in (*PROMPT_COLUMNS, *CONTEXT_COLUMNS) if name in content}
    rest = asked or {name: value for name, value in content.items() if name not in ANSWER_COLUMNS}
    if not rest:
        raise InputError(f"no prompt among the columns {plain(', '.join(content))}", do=PROMPT_FORMS)
    return spell(rest)


def groups(digests: npt.NDArray[np.uint64]) -> tuple[Order, Order]:
    """Rows with equal digests: for each row its group's number, and for each group its first row."""
    order = np.lexsort((np.arange(len(digests)), digests[:, 1], digests[:, 0]))
    ordered = digests[order]
    new = np.ones(len(digests), bool)
    new[1:] = (ordered[1:] != ordered[:-1]).any(axis=1)
    number = np.cumsum(new) - 1
    group = np.empty(len(digests), np.int64)
    group[order] = number
    return group, order[new].astype(np.int64)


def taken(table: pa.Table, order: Order) -> pa.Table:
    """These rows of a table in that order; pyarrow's own `take` would join all chunks of the table first."""
    batches = [batch for batch in table.to_batches() if len(batch)]
    starts = np.cumsum([0, *map(len, batches)])
    by_place = np.argsort(order, kind="stable")
    ordered = order[by_place]
    bounds = np.searchsorted(ordered, starts)
    some = [
        batch.take(pa.array(ordered[first:last] - start))
        for batch, start, first, last in zip(batches, starts, bounds, bounds[1:], strict=False)
        if first < last
    ]
    place = np.empty(len(order), np.int64)
    place[by_place] = np.arange(len(order))
    return pa.Table.from_batches(some, table.schema).combine_chunks().take(pa.array(place))


class Parts:
    """Writes batches to Arrow files of one schema each, and joins them into one memory-mapped table.

    A batch whose schema widens what came before (null to text, integer to float, another optional struct field)
    starts a new file; `table` reads them all under the wide schema.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self._folder, self._name = folder, name
        self._paths: list[Path] = []
        self._writer: pa.ipc.RecordBatchFileWriter | None = None
        self._schema: pa.Schema | None = None

    def write(self, batch: pa.RecordBatch | pa.Table) -> None:
        """Appends rows."""
        if self._schema != batch.schema:
            self.close()
            self._paths.append(self._folder / f"{self._name}-{len(self._paths):05}.arrow")
            self._schema = batch.schema
            self._writer = pa.ipc.new_file(pa.OSFile(str(self._paths[-1]), "wb"), batch.schema)
        assert self._writer is not None
        self._writer.write(batch)

    def close(self) -> list[Path]:
        """Ends the file in work; returns all files written."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        return self._paths


def read_parts(paths: Sequence[Path]) -> pa.Table:
    """The rows of these Arrow files as one memory-mapped table; columns widened where the files differ.

    Raises:
        pyarrow.ArrowInvalid, pyarrow.ArrowTypeError: when a column has types that have no common one.
    """
    tables = [pa.ipc.open_file(pa.memory_map(str(path))).read_all() for path in paths]
    if len({table.schema for table in tables}) <= 1:
        return pa.concat_tables(tables)
    return pa.concat_tables(tables, promote_options="permissive")
