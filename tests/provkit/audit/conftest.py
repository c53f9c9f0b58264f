"""Files to audit, and what an audit says of them by rule."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import orjson
import pytest

from provkit.audit import Finding, Options, audit

Row = Mapping[str, Any]
Write = Callable[..., str]
Found = Callable[..., dict[str, list[Finding]]]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes rows as JSONL, or bytes as they are, and returns the path."""

    def write(rows: Iterable[Row] | bytes, name: str = "rows.jsonl") -> str:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(rows if isinstance(rows, bytes) else b"".join(orjson.dumps(row) + b"\n" for row in rows))
        return str(path)

    return write


@pytest.fixture
def found() -> Found:
    """The findings of an audit by rule id."""

    def found(*targets: str, **options: Any) -> dict[str, list[Finding]]:
        by_rule: dict[str, list[Finding]] = {}
        for one in audit(targets, Options(**options)).findings:
            by_rule.setdefault(one.rule.id, []).append(one)
        return by_rule

    return found


@pytest.fixture
def samples() -> Path:
    """Released files, where they are at hand."""
    folder = Path(__file__).parents[4] / "shared" / "samples"
    if not folder.is_dir():
        pytest.skip("../shared/samples is not here")
    return folder
