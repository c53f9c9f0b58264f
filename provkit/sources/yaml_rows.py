"""YAML without surprises: no key twice, a bound on what aliases expand to, plain types alone, a line to every part."""

from __future__ import annotations

from typing import Any

import yaml

from provkit.errors import InputError, plain

MAX_YAML = 16 << 20  # bytes of a file, which is parsed as a whole
MAX_NODES = 1_000_000  # after expanding aliases; a text counts one for each 64 characters
MAX_DEPTH = 100
STR, MERGE = "tag:yaml.org,2002:str", "tag:yaml.org,2002:merge"


class _Loader(yaml.SafeLoader):
    """Builds what JSON has, and dates; a set, a binary, an ordered map is an unknown tag."""

    def __init__(self, stream: str) -> None:
        super().__init__(stream)
        self._nodes = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        self._nodes += 1
        if self._nodes > MAX_NODES:
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise yaml.MarkedYAMLError(problem=f"more than {MAX_NODES:,} nodes", problem_mark=mark)
        return super().compose_node(parent, index)


_Loader.yaml_constructors = {
    tag: build
    for tag, build in yaml.SafeLoader.yaml_constructors.items()
    if tag is None or tag.rpartition(":")[2] not in ("binary", "omap", "pairs", "set")
}
_Loader.yaml_constructors["tag:yaml.org,2002:value"] = yaml.SafeLoader.construct_yaml_str  # a lone `=`


def compose(text: str, name: str) -> yaml.Node | None:
    """The node tree of a YAML text; a key of a mapping is the text that stands there, whatever it looks like.

    Raises:
        InputError: with the line of a syntax error, of a key that stands twice, or of a text with a lone surrogate;
            when YAML nests too deeply, or its aliases expand to more than MAX_NODES nodes.
    """
    try:
        root = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        said = f"no YAML: {plain(error.problem or 'unreadable')}"
        raise InputError(said, file=name, line=mark.line + 1 if mark else None) from None
    except yaml.reader.ReaderError as error:
        said = f"no YAML: the character U+{ord(text[error.position]):04X} may not stand in it"
        raise InputError(said, file=name, line=text.count("\n", 0, error.position) + 1) from None
    except RecursionError:
        raise InputError("YAML nested too deeply", file=name) from None
    if root is not None and _checked(root, {}, name, 0) > MAX_NODES:
        raise InputError(f"YAML whose aliases expand to more than {MAX_NODES:,} nodes", file=name)
    return root


def construct(node: yaml.Node, name: str) -> Any:
    """The Python value of a node that `compose` gave: what JSON has, and dates.

    Raises:
        InputError: for any other tag, or a value that cannot be built.
    """
    loader = _Loader("")
    try:
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
    for item in items:
        if not isinstance(item, yaml.MappingNode):
            raise InputError("a list of mappings is expected", file=name, line=item.start_mark.line + 1)
    return [(construct(item, name), item.start_mark.line + 1) for item in items]


def _checked(node: yaml.Node, known: dict[int, int], name: str, depth: int) -> int:
    """Looks at every node once; how many there are when each alias is written out."""
    line = node.start_mark.line + 1
    if (size := known.get(id(node))) is not None:
        if size < 0:
            raise InputError("an anchor that holds itself", file=name, line=line)
        return size
    if depth > MAX_DEPTH:
        raise InputError(f"YAML nested more than {MAX_DEPTH} deep", file=name, line=line)
    if isinstance(node, yaml.ScalarNode):
        node.value = _paired(node.value, name, line)
        return 1 + len(node.value) // 64
    known[id(node)] = -1
    if isinstance(node, yaml.MappingNode):
        _check_keys(node, name)
    parts = node.value if isinstance(node, yaml.SequenceNode) else [part for pair in node.value for part in pair]
    known[id(node)] = total = 1 + sum([_checked(part, known, name, depth + 1) for part in parts])
    if isinstance(node, yaml.MappingNode):
        _merge(node, name)
    return total


def _check_keys(node: yaml.MappingNode, name: str) -> None:
    seen: set[str] = set()
    for key, _ in node.value:
        line = key.start_mark.line + 1
        if not isinstance(key, yaml.ScalarNode):
            raise InputError("a key that is no text", file=name, line=line)
        if key.tag == MERGE:
            continue
        if key.value in seen:
            raise InputError(f"the key '{plain(key.value, 60)}' stands twice", file=name, line=line)
        seen.add(key.value)
        key.tag = STR


def _merge(node: yaml.MappingNode, name: str) -> None:
    """Takes in what `<<` names: a key of the mapping's own goes first, then those of the mappings in their order.

    PyYAML would take the wrong one of two where a mapping that merges another is merged itself.
    """
    own = [pair for pair in node.value if pair[0].tag != MERGE]
    taken = {key.value: (key, value) for key, value in own}
    for key, value in node.value:
        if key.tag == MERGE:
            for one in value.value if isinstance(value, yaml.SequenceNode) else [value]:
                if not isinstance(one, yaml.MappingNode):
                    raise InputError("`<<` takes a mapping, or a list of them", file=name, line=key.start_mark.line + 1)
                for pair in one.value:
                    taken.setdefault(pair[0].value, pair)
    node.value = list(taken.values())


def _paired(text: str, name: str, line: int) -> str:
    r"""Text with `\ud83d\ude00`, JSON's way to write one character as two, made that character."""
    if text.isascii():
        return text
    try:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le")
    except UnicodeDecodeError:
        raise InputError("a lone surrogate, which no text may hold", file=name, line=line) from None
