"""Reading a file of a few bytes, and what is said when it is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from provkit.errors import InputError
from provkit.sources import Bytes, format_of, read_file

Found = tuple[list[dict[str, Any]], list[int] | None]


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., Found]:
    """Rows and lines of a file of these bytes under this name."""

    def read(raw: bytes | str | Path, name: str = "rows.jsonl", kind: str | None = None, fill: bool = False) -> Found:
        path = raw if isinstance(raw, Path) else tmp_path / name
        if not isinstance(raw, Path):
            path.write_bytes(raw.encode() if isinstance(raw, str) else raw)
        rows: list[dict[str, Any]] = []
        lines: list[int] = []
        for chunk in read_file(Bytes(path, path.name), kind or format_of(path), fill):
            rows += chunk.batch.to_pylist()
            lines += [] if chunk.lines is None else chunk.lines.tolist()
        return rows, lines or None

    return read


@pytest.fixture
def refused(read: Callable[..., Found]) -> Callable[..., str]:
    """What the error says with which a file of these bytes is refused."""

    def refused(raw: bytes | str | Path, name: str = "rows.jsonl", kind: str | None = None, fill: bool = False) -> str:
        with pytest.raises(InputError) as error:
            read(raw, name, kind, fill)
        return str(error.value)

    return refused
