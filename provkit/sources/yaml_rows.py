"""YAML without surprises: a bound on what aliases expand to, and the line of every part."""

from __future__ import annotations

from typing import Any

import yaml

from provkit.errors import InputError, plain

MAX_NODES = 1_000_000  # after expanding aliases


def compose(text: str, name: str) -> yaml.Node | None:
    """The node tree of a YAML text.

    Raises:
        InputError: with the line of a syntax error, or when aliases expand to more than MAX_NODES nodes.
    """
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        said = f"no YAML: {plain(error.problem or 'unreadable')}"
        raise InputError(said, file=name, line=mark.line + 1 if mark else None) from None
    except yaml.YAMLError as error:
        raise InputError(f"no YAML: {plain(str(error))}", file=name) from None
    except RecursionError:
        raise InputError("YAML nested too deeply", file=name) from None
    if root is not None and _expanded(root, {}, name) > MAX_NODES:
        raise InputError(f"YAML whose aliases expand to more than {MAX_NODES:,} nodes", file=name)
    return root


def construct(node: yaml.Node, name: str) -> Any:
    """The Python value of a node, by YAML's safe types alone.

    Raises:
        InputError: for a tag that is not safe, or a value that cannot be built.
    """
    loader = yaml.SafeLoader("")
    try:
        loader.flatten_mapping = _refusing_duplicates(loader, name)  # type: ignore[method-assign]
        return loader.construct_document(node)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        raise InputError(plain(error.problem or ""), file=name, line=mark.line + 1 if mark else None) from None
    except (ValueError, TypeError) as error:
        raise InputError(plain(str(error)), file=name, line=node.start_mark.line + 1) from None
    finally:
        loader.dispose()


def read_yaml(text: str, name: str) -> list[tuple[dict[str, Any], int]]:
    """The mappings of a YAML list (or the one mapping of the file), each with its line.

    Raises:
        InputError: when the file holds something else.
    """
    root = compose(text, name)
    items = root.value if isinstance(root, yaml.SequenceNode) else [root] if root else []
    rows = []
    for item in items:
        row = construct(item, name)
        if not isinstance(row, dict):
            raise InputError("a list of mappings is expected", file=name, line=item.start_mark.line + 1)
        rows.append(({str(key): value for key, value in row.items()}, item.start_mark.line + 1))
    return rows


def _expanded(node: yaml.Node, known: dict[int, int], name: str) -> int:
    """How many nodes the tree has once every alias is written out; an alias of itself is refused."""
    if isinstance(node, yaml.ScalarNode):
        return 1
    if (size := known.get(id(node))) is not None:
        if size < 0:
            raise InputError("an anchor that holds itself", file=name, line=node.start_mark.line + 1)
        return size
    known[id(node)] = -1
    parts = node.value if isinstance(node, yaml.SequenceNode) else [part for pair in node.value for part in pair]
    known[id(node)] = total = 1 + sum(_expanded(part, known, name) for part in parts)
    return total


def _refusing_duplicates(loader: yaml.SafeLoader, name: str) -> Any:
    flatten = type(loader).flatten_mapping

    def checked(node: yaml.MappingNode) -> None:
        seen: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.tag != "tag:yaml.org,2002:merge":
                if key.value in seen:
                    said = f"the key {plain(key.value)!r} stands twice"
                    raise InputError(said, file=name, line=key.start_mark.line + 1)
                seen.add(key.value)
        flatten(loader, node)

    return checked
