"""Evaluation files in YAML: the mappings in them with their lines, tags of lm-eval (`!function`) read as text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from provkit.audit.evaluation import evaluation_file
from provkit.errors import InputError
from provkit.sources.yaml_rows import MAX_YAML, compose, construct

STR = "tag:yaml.org,2002:str"


def evaluation_rows(path: Path, name: str) -> list[tuple[dict[str, Any], int]] | None:
    """The questions or tasks of a file, each with its line; None when it is no evaluation file, or no YAML.

    Raises:
        InputError: for an evaluation file with a key that stands twice, or a value that cannot be built.
    """
    if path.suffix.lower() not in (".yaml", ".yml") or path.stat().st_size > MAX_YAML:
        return None
    try:
        root = compose(path.read_text(encoding="utf-8-sig"), name)
    except (InputError, UnicodeDecodeError):
        return None  # the strict reader says what is wrong
    items: list[Any] = root.value if isinstance(root, yaml.SequenceNode) else [root]
    if not items or not all(isinstance(item, yaml.MappingNode) for item in items):
        return None
    keys = [{key.value for key, _ in item.value if isinstance(key, yaml.ScalarNode)} for item in items]
    if not evaluation_file([dict.fromkeys(some) for some in keys]):
        return None
    seen: set[int] = set()
    for item in items:
        _untag(item, seen)
    rows = [(construct(item, name), item.start_mark.line + 1) for item in items]
    return [({str(key): value for key, value in row.items()}, line) for row, line in rows]


def _untag(node: yaml.Node, seen: set[int]) -> None:
    """Makes texts of scalars with a tag of the file's own."""
    if id(node) in seen:
        return
    seen.add(id(node))
    if isinstance(node, yaml.ScalarNode):
        if node.tag.startswith("!"):
            node.tag = STR
        return
    for part in node.value:
        for inner in part if isinstance(part, tuple) else (part,):
            _untag(inner, seen)
