"""What a directory is, told by its own file, and what is said of one that is nothing of the kind."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from provkit.errors import InputError
from provkit.report import read


def test_each_directory_is_told_by_its_file(made_up: Any, chain: Any, tmp_path: Path) -> None:
    assert read(made_up().write(tmp_path / "trace")).kind == "trace"
    assert read(chain.built).kind == "build"
    (tmp_path / "audit.json").write_text('{"findings": []}')
    assert read(tmp_path).kind == read(tmp_path / "audit.json").kind == "audit"


def test_another_directory_is_an_error_that_says_what_is_expected(chain: Any, tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        read(tmp_path)
    for name in ("trace.json", "provenance.json", "judge.json", "aqi.json", "audit.json"):
        assert name in str(caught.value)
    with pytest.raises(InputError, match="an index, of which there is no report"):
        read(chain.index)
    with pytest.raises(InputError, match="there is no such directory or file"):
        read(tmp_path / "missing")
    (tmp_path / "x.json").write_text("{")
    with pytest.raises(InputError, match="no report of an audit"):
        read(tmp_path / "x.json")


def test_a_damaged_directory_is_found(made_up: Any, tmp_path: Path) -> None:
    folder = made_up().write(tmp_path / "trace")
    with (folder / "spans.parquet").open("ab") as file:
        file.write(b" ")
    with pytest.raises(InputError, match="missing or changed since it was written"):
        read(folder)
