"""Keys that stand twice in a JSON object: a parser keeps the last without a word, so they are counted in the text."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

PIECE = 128  # rows looked at together: few enough to stay in a processor's cache
QUOTE, COLON, BACKSLASH, BLANKS = ord('"'), ord(":"), ord("\\"), np.frombuffer(b" \t\r\n", np.uint8)


def key_twice(raw: Sequence[bytes], rows: Sequence[dict[str, Any]], batch: pa.RecordBatch) -> tuple[int, str] | None:
    """The first row with a key that stands twice in one of its objects, and the key.

    Args:
        raw: each row as it stands in the file.
        rows: what the parser made of it.
        batch: the same rows, every column present in each.
    """
    pieces = [_key_colons(b"\n".join(raw[at : at + PIECE])) for at in range(0, len(raw), PIECE)]
    colons = None if None in pieces else sum(one or 0 for one in pieces)
    if colons is not None and (colons == _keys_of(batch) or colons == sum(map(_keys, rows))):
        return None
    for at, text in enumerate(raw):
        try:
            json.loads(text, object_pairs_hook=_checked, parse_int=str)
        except _Twice as error:
            return at, error.args[0]
        except RecursionError:  # the parsed row is not so deep: what was is lost
            return at, "…"
    return None


class _Twice(Exception):
    """A key that stands twice."""


def _checked(pairs: list[tuple[str, Any]]) -> None:
    seen = set()
    for key, _ in pairs:
        if key in seen:
            raise _Twice(key)
        seen.add(key)


def _key_colons(text: bytes) -> int | None:
    """How many colons end a key; None where blanks or backslashes before them leave it open."""
    signs = np.frombuffer(b"   " + text, np.uint8)
    at = np.flatnonzero(signs == COLON)
    before = signs[at - 1]
    if np.isin(signs[at[np.isin(before, BLANKS)] - 2], np.append(BLANKS, QUOTE)).any():
        return None
    quoted = at[before == QUOTE]
    escaped = signs[quoted - 2] == BACKSLASH
    if (signs[quoted[escaped] - 3] == BACKSLASH).any():
        return None
    return int((~escaped).sum())


def _keys_of(batch: pa.RecordBatch) -> int | None:
    """How many keys the objects of a batch have together; None where a null may be a key that is not there."""
    inner = [_inner_keys(array) for array in batch.columns]
    return None if None in inner else batch.num_rows * batch.num_columns + sum(one or 0 for one in inner)


def _inner_keys(array: pa.Array) -> int | None:
    if pa.types.is_list(array.type):
        return _inner_keys(pc.list_flatten(array))
    if not pa.types.is_struct(array.type):
        return 0
    fields = array.flatten()
    if any(field.null_count != array.null_count for field in fields):
        return None
    inner = [_inner_keys(field) for field in fields]
    own = (len(array) - array.null_count) * len(fields)
    return None if None in inner else own + sum(one or 0 for one in inner)


def _keys(value: Any) -> int:
    """How many keys all objects of a JSON value have together."""
    if type(value) is dict:
        found, inner = len(value), value.values()
    else:
        found, inner = 0, value
    for one in inner:
        kind = type(one)
        if kind is dict or kind is list:
            found += _keys(one)
    return found
