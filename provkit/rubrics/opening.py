"""Verdicts by the paths that a person names: a verdict directory, or recorded files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from provkit.errors import InputError
from provkit.rubrics import directory
from provkit.rubrics.recorded import read_recorded
from provkit.rubrics.tables import Verdicts
from provkit.rubrics.template import Rubric

RECORDED = (".jsonl", ".parquet", ".json", ".csv", ".arrow")


def opened(paths: Sequence[Path], rubrics: Sequence[Rubric] = (), seed: str | None = None) -> Verdicts:
    """The verdicts of one verdict directory, or of recorded files (or a folder of them) as one.

    Raises:
        InputError: for a mixture of both, a folder without verdicts, and what `read` and `read_recorded` find wrong.
    """
    made = [path for path in paths if (path / directory.FILE).is_file()]
    if made:
        if len(paths) > 1:
            do = "judge all rubrics into one directory"
            raise InputError("a verdict directory stands alone", file=made[0], do=do)
        return directory.read(made[0], whole=False)
    files: list[Path] = []
    for path in paths:
        inside = sorted(one for one in path.rglob("*") if one.suffix in RECORDED) if path.is_dir() else [path]
        if not inside:
            do = "provkit judge makes a verdict directory"
            raise InputError("neither judge.json nor recorded verdicts in it", file=path, do=do)
        files += inside
    return read_recorded(files, rubrics, seed=seed)
