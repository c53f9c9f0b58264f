"""Functions of an index in SQL: count_of, bci, occurrences, spans_of. They work on whole columns at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
from duckdb.func import PythonUDFType

from provkit.errors import ProvkitError

MOST = 100  # occurrences of one text
OCCURRENCES = 'STRUCT(shard BIGINT, document BIGINT, doc_id VARCHAR, start BIGINT, "end" BIGINT)[]'
SPANS = 'STRUCT(start BIGINT, "end" BIGINT, text VARCHAR, tokens BIGINT, count BIGINT)[]'
OCCURRENCE = pa.struct(
    [
        ("shard", pa.int64()),
        ("document", pa.int64()),
        ("doc_id", pa.string()),
        ("start", pa.int64()),
        ("end", pa.int64()),
    ]
)
SPAN = pa.struct(
    [("start", pa.int64()), ("end", pa.int64()), ("text", pa.string()), ("tokens", pa.int64()), ("count", pa.int64())]
)


def register(connection: duckdb.DuckDBPyConnection, indexes: Sequence[Path]) -> None:
    """Registers the functions; they speak of the first index that is open, which is opened when one is called."""

    @cache
    def opened() -> Any:
        from provkit.index import open_index

        if not indexes:
            raise ProvkitError("no index is open: name an index or a trace directory beside the builds")
        return open_index(indexes[0])

    def occurrences(texts: list[str]) -> pa.Array:
        found = opened().find_many(texts, MOST)
        return pa.array(
            [[{name: getattr(one, name) for name in OCCURRENCE.names} for one in several] for several in found],
            pa.list_(OCCURRENCE),
        )

    def spans(texts: list[str]) -> pa.Array:
        found = opened().spans_many(texts, 1)
        return pa.array(
            [
                [
                    {
                        "start": s.start,
                        "end": s.end,
                        "text": text[s.start : s.end],
                        "tokens": s.tokens,
                        "count": s.count,
                    }
                    for s in several
                ]
                for text, several in zip(texts, found, strict=True)
            ],
            pa.list_(SPAN),
        )

    def count(texts: list[str]) -> pa.Array:
        return pa.array(opened().count_many(texts), pa.int64())

    def bci(texts: list[str]) -> pa.Array:
        return pa.array([one.bci for one in opened().bci_many(texts)], pa.float64())

    for name, work, kind in (
        ("occurrences", occurrences, OCCURRENCES),
        ("spans_of", spans, SPANS),
        ("count_of", count, "BIGINT"),
        ("bci", bci, "DOUBLE"),
    ):
        connection.create_function(name, _column_wise(work), ["VARCHAR"], kind, type=PythonUDFType.ARROW)


def _column_wise(work: Callable[[list[str]], pa.Array]) -> Callable[[Any], Any]:
    """A function of a column of texts; a null gives a null (DuckDB leaves nulls out by itself)."""

    def called(column: Any) -> Any:
        return work(["" if text is None else text for text in column.to_pylist()])

    return called
