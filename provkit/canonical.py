"""One spelling for each value: canonical JSON and the digests that are made of it."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

SPELLING = orjson.OPT_SORT_KEYS | orjson.OPT_PASSTHROUGH_DATACLASS


class NotCanonical(ValueError):
    """A value has no canonical JSON: NaN, an infinity, a lone surrogate, or a type JSON does not have."""


def canonical(value: Any) -> bytes:
    """Canonical JSON: keys sorted by code point, UTF-8, no spaces. Null fields are left out of nested structs.

    It is the JSON of RFC 8785 but for three things: the nulls, keys sorted by code point instead of UTF-16 unit,
    and numbers, which keep their type and are spelled as Python does (`1` and `1.0` differ, integers have 64 bits).

    Raises:
        NotCanonical: for NaN and infinities, lone surrogates, and values that JSON cannot hold.
    """
    try:
        return orjson.dumps(_plain(value, top=True), option=SPELLING)
    except orjson.JSONEncodeError as error:
        raise NotCanonical(str(error)) from None
    except RecursionError:
        raise NotCanonical("nested too deeply") from None


def canonical_fast(value: Any) -> bytes:
    """Canonical JSON of a value that is known to hold no float and no null inside a struct.

    Raises:
        NotCanonical: for what JSON cannot hold.
    """
    try:
        return orjson.dumps(value, option=SPELLING)
    except orjson.JSONEncodeError as error:
        raise NotCanonical(str(error)) from None


def digest(value: Any) -> str:
    """sha256 of the canonical JSON of `value`, 64 hex digits."""
    return hashlib.sha256(canonical(value)).hexdigest()


def row_id(content: Mapping[str, Any]) -> str:
    """Identity of a row's content: the first 32 hex digits of the sha256 of its canonical JSON.

    Raises:
        NotCanonical: as `canonical`.
    """
    return digest(content)[:32]


def digest_file(path: Path) -> tuple[str, int]:
    """sha256 (64 hex digits) and size in bytes of a file as it lies on disk."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest(), path.stat().st_size


def _plain(value: Any, top: bool = False) -> Any:
    kind = type(value)
    if kind is str or kind is int or kind is bool or value is None:
        return value
    if kind is list or kind is tuple:
        return [_plain(item) for item in value]
    if kind is dict or isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items() if top or item is not None}
    if not isinstance(value, float):
        return value
    if not math.isfinite(value):
        raise NotCanonical(f"{value} has no JSON form")
    return orjson.Fragment(float.__repr__(value))  # orjson's own spelling of 1e30 has changed between its versions
