"""Tells what a directory is by the file that states its facts, and has it read into a page."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import cast

from provkit import manifest
from provkit.errors import InputError
from provkit.report.page import Asked, Page

TRACE, VERDICTS, INDEX_REPORT, AUDIT = "trace.json", "judge.json", "aqi.json", "audit.json"
MARKS = {  # what a file says that a directory is, and which options of the command concern it
    TRACE: ("trace", {"others"}),
    manifest.FILE: ("build", {"excerpts"}),
    VERDICTS: ("drift", {"bench", "target"}),
    INDEX_REPORT: ("aqi", set[str]()),
    AUDIT: ("audit", set[str]()),
}
FLAGS = {"others": "--with", "excerpts": "--excerpts", "bench": "--bench", "target": "--target"}
OTHERS = {"index.json": "an index", "answers.json": "answers of a model", "sealed.json": "a sealed build"}


def read(path: Path, asked: Asked = Asked()) -> Page:  # noqa: B008  (frozen)
    """The page of a trace, build, verdict, AQI or audit directory, or of an audit report as JSON.

    Raises:
        InputError: when it is none of these or damaged, or an option was given that does not concern it.
    """
    kind, concerning = _told(path)
    for name, flag in FLAGS.items():
        if getattr(asked, name) and name not in concerning:
            raise InputError(f"{flag} says nothing of this: {_article(kind)} {kind}", file=path, do=f"leave {flag} out")
    module = import_module(f"provkit.report.{kind}")
    return cast(Callable[[Path, Asked], Page], module.page)(path, asked)


def _told(path: Path) -> tuple[str, set[str]]:
    if path.is_file():
        return MARKS[AUDIT]
    for name, told in MARKS.items():
        if (path / name).is_file():
            return told
    if not path.is_dir():
        raise InputError("there is no such directory or file", file=path, do=_do())
    known = next((said for name, said in OTHERS.items() if (path / name).is_file()), None)
    expected = ", ".join(MARKS)
    said = f"{known}, of which there is no report" if known else f"it has none of {expected}"
    raise InputError(f"no directory that a report is made of: {said}", file=path, do=_do())


def _do() -> str:
    made = "name what `provkit trace`, `build`, `judge` or `aqi` wrote"
    return f"{made}, or a file of `provkit audit --format json -o FILE`"


def _article(kind: str) -> str:
    return "an" if kind[0] in "a" else "a"
