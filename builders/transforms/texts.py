"""The texts in a row."""

from __future__ import annotations

from collections.abc import Iterator

from provkit.row import Row


def texts(value: object) -> Iterator[str]:
    """Every text in a row, at whatever depth, but for the names of roles."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for one in value:
            yield from texts(one)
    elif isinstance(value, dict | Row):
        for name, one in value.items():
            if name != "role":
                yield from texts(one)
