"""Reads rubrics: JSONL as they are released, YAML, plain text, folders of these, builds, and the catalog."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

import orjson
import yaml

from provkit import manifest
from provkit.errors import InputError, plain
from provkit.registry import near
from provkit.rubrics.template import Rubric, checked
from provkit.sources.text import decode
from provkit.sources.yaml_rows import MAX_YAML, compose, construct

IDS = ("prompt_id", "rubric_id", "id")
TEXTS = ("prompt", "rubric", "template", "text")
PLAIN = (".txt", ".md")
SUFFIXES = (".jsonl", ".yaml", ".yml", *PLAIN)


def read_rubrics(name: str | Path) -> list[Rubric]:
    """The rubrics of a file, a folder, a build, or the catalog, each checked; a text that stands twice is read once.

    Args:
        name: a path, or a name of catalog/rubrics.

    Raises:
        InputError: for a rubric that is none, with file and line; when two texts have one name; when there is none.
    """
    path = Path(name)
    if not path.exists() and path.suffix == "":
        return [catalog(str(name))]
    kept: dict[str, Rubric] = {}
    named: dict[tuple[str, str], Rubric] = {}
    for rubric in _read(path):
        if rubric.digest in kept:
            continue
        kept[rubric.digest] = rubric
        if named.setdefault((rubric.file, rubric.rubric_id), rubric) is not rubric:
            said = f"a second rubric is called '{plain(rubric.rubric_id, 60)}', with another text"
            raise InputError(said, file=rubric.file, line=rubric.line, do="give each a `prompt_id` of its own")
    if not kept:
        raise InputError("no rubric in it", file=path, do=f"rubrics stand in files ending in {', '.join(SUFFIXES)}")
    return told_apart(list(kept.values()))


def told_apart(rubrics: Sequence[Rubric]) -> list[Rubric]:
    """The rubrics; a name that several files have gets the file's name before it (released seeds are all `seed`)."""
    count = Counter(rubric.rubric_id for rubric in rubrics)
    return [
        rubric
        if count[rubric.rubric_id] == 1
        else replace(rubric, rubric_id=f"{Path(rubric.file).stem}/{rubric.rubric_id}")
        for rubric in rubrics
    ]


def catalog(name: str) -> Rubric:
    """A rubric of the catalog.

    Raises:
        InputError: when there is none of that name, naming those near it.
    """
    folder = files("provkit.catalog") / "rubrics"
    known = sorted(one.name.removesuffix(".yaml") for one in folder.iterdir() if one.name.endswith(".yaml"))
    if name not in known:
        said = f"no rubric '{plain(name, 60)}' in the catalog{near(name, known)}"
        raise InputError(said, do="a rubric of your own is named by its path")
    with as_file(folder / f"{name}.yaml") as path:
        return next(_yaml(path, path.name))


def _read(path: Path) -> Iterator[Rubric]:
    if (path / manifest.FILE).is_file():
        yield from _build(path)
    elif path.is_dir():
        for file in sorted(path.rglob("*")):
            if file.suffix.lower() in SUFFIXES and file.is_file():
                yield from _file(file, file.relative_to(path).as_posix())
    else:
        yield from _file(path, path.name)


def _file(path: Path, name: str) -> Iterator[Rubric]:
    suffix = path.suffix.lower()
    if suffix == ".jsonl":
        return _jsonl(path, name)
    if suffix in (".yaml", ".yml"):
        return _yaml(path, name)
    if suffix in PLAIN:
        return iter([checked(Rubric(path.stem, _text(path, name), name, 1), lines=True)])
    raise InputError("no rubric file", file=name, do=f"its name ends in one of {', '.join(SUFFIXES)}")


def _jsonl(path: Path, name: str) -> Iterator[Rubric]:
    for number, line in enumerate(_text(path, name).split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            raise InputError(f"no JSON: {plain(str(error))}", file=name, line=number) from None
        yield checked(_rubric(row, name, number))


def _yaml(path: Path, name: str) -> Iterator[Rubric]:
    root = compose(_text(path, name), name)
    nodes = root.value if isinstance(root, yaml.SequenceNode) else [root]
    for node in nodes:
        if not isinstance(node, yaml.MappingNode):
            raise InputError("a rubric is a mapping with `prompt_id` and `prompt`", file=name, line=1)
        line = node.start_mark.line + 1
        rubric = _rubric(construct(node, name), name, line)
        held = next(value for key, value in node.value if key.value in TEXTS)
        if held.style == "|":  # its text begins on the line after the mark, and each of its lines is one of the file's
            yield checked(replace(rubric, line=held.start_mark.line + 2), lines=True)
        else:
            yield checked(rubric)


def _rubric(row: Any, file: str, line: int) -> Rubric:
    """A rubric out of a row of a file."""
    if not isinstance(row, dict):
        raise InputError("a rubric is an object with `prompt_id` and `prompt`", file=file, line=line)
    text = next((row[key] for key in TEXTS if isinstance(row.get(key), str)), None)
    name = next((row[key] for key in IDS if isinstance(row.get(key), str | int)), None)
    if text is None or name is None:
        missing = "prompt" if text is None else "prompt_id"
        raise InputError(f"no `{missing}`", file=file, line=line, do="a rubric has the fields prompt_id and prompt")
    return Rubric(str(name), text, file, line)


def _build(folder: Path) -> Iterator[Rubric]:
    """The rubrics of a build: rows with `prompt_id` and `prompt`, and what lineage says of the edits that made them."""
    import pyarrow.parquet as pq

    built = manifest.read(folder)
    notes = _notes(folder)
    for out in built.data():
        table = pq.read_table(folder / out.file)
        if not {"prompt_id", "prompt"} <= set(table.column_names):
            continue
        for index, row in enumerate(table.to_pylist()):
            known = {key: value for key, value in row.items() if key not in ("prompt", "prompt_id", "canary")}
            lineage = known | notes[str(out.arm), str(out.split), index]
            yield checked(Rubric(row["prompt_id"], row["prompt"], f"{folder.name}/{out.file}", None, lineage))


def _notes(folder: Path) -> dict[tuple[str, str, int], dict[str, Any]]:
    """For each row of a build its op, and the fields of the notes of its steps."""
    import pyarrow.parquet as pq

    columns = ["arm", "split", "index", "op", "steps"]
    said: dict[tuple[str, str, int], dict[str, Any]] = {}
    for row in pq.read_table(folder / "lineage" / "rows.parquet", columns=columns).to_pylist():
        fields: dict[str, Any] = {"op": row["op"]}
        for step in row["steps"]:
            note = step["note"] or ""
            fields |= _fields(note) if note.startswith("{") else {}
        said[row["arm"], row["split"], row["index"]] = fields
    return said


def _fields(note: str) -> Mapping[str, Any]:
    try:
        found: Mapping[str, Any] = orjson.loads(note)
    except orjson.JSONDecodeError:
        return {}
    return found


def _text(path: Path, name: str) -> str:
    try:
        if path.stat().st_size > MAX_YAML:
            raise InputError(f"a rubric file of more than {MAX_YAML >> 20} MB", file=name)
        raw = path.read_bytes()
    except OSError as error:
        raise InputError(error.strerror or str(error), file=name) from None
    return "".join(decode(line, name, number) for number, line in enumerate(raw.splitlines(keepends=True), 1))
