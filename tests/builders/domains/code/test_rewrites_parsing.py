"""Whether a source still parses after its edits, beside parsing all of what they touch."""

import ast

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from provkit.builders.domains.code.rewrites.edits import Edit, applied, changed
from provkit.builders.domains.code.rewrites.parsing import still_parses
from provkit.builders.domains.code.rewrites.source import Source, walk

TEXT = '''\
import os
from pathlib import Path

@route("/x", methods=["GET"])
def view(name, size=3):
    """What it does."""
    with open(Path(name), "rb") as file, lock:
        if size > 3 and name: return file.read(size); print(name)
        elif name:
            data = [
                line.strip()  # each
                for line in file
            ]
    try:
        total = (1 +
                 2)
    except (OSError, ValueError) as error:
        raise Stop(name) from error
    else:
        del data; data = None
    match size:
        case 3:
            assert name, "none"
    class Inner:
        @property
        def value(self): return f"{self.x!r} of {size}"
    return data
LIMIT = 10
for at in range(LIMIT): view(at, size=at)
'''
SNIPPETS = [
    "", " ", "\n", "\n    ", "x", ", y=1", "(", ")", "f(x)", "pass", "; y", ":", "# c", "# c\n", "\\\n", "\\", "=", "not ",
    "x\ny", "x\n        y", "if x: y", '"', "'''", "{", "}", "return", "lambda: 0", "*a", "else", "\t", "\r\n",
]  # fmt: skip
START, STOP = Source(TEXT).start, Source(TEXT).end
BOUNDS = sorted({at for node in walk(ast.parse(TEXT)) if hasattr(node, "lineno") for at in (START(node), STOP(node))})


def parses(text):
    try:
        ast.parse(text)
    except (SyntaxError, ValueError):
        return False
    return True


def whole_statements_parse(source, edits):
    """Parses each top-level statement that holds an edit, with its decorators, as it is after them."""
    for node in source.tree.body:
        first = min([node, *getattr(node, "decorator_list", [])], key=lambda one: one.lineno)
        start, end = source.line_start(source.start(first)), source.end(node)
        if first is node:
            start = source.start(node)
        mine = [edit for edit in edits if start <= edit.start and edit.end <= end]
        if mine and not parses(changed(source.text, start, end, mine)):
            return False
    return True


edits = st.lists(
    st.tuples(st.sampled_from(BOUNDS), st.sampled_from([0, 0, 1, 2, 5, 9]), st.sampled_from(SNIPPETS)),
    min_size=1,
    max_size=2,
)


@pytest.mark.filterwarnings("ignore:invalid")  # decimal literal
@given(edits)
@example([(TEXT.index("file.read"), 0, "\n")])
@example([(TEXT.index("; data = None"), 0, "\n")])
@example([(TEXT.index("elif"), 0, "x")])
def test_it_says_what_parsing_the_whole_statements_says(drawn):
    source = Source(TEXT)
    made = []
    for start, length, text in sorted(drawn):
        if not made or start >= made[-1].end:
            made.append(Edit(start, min(start + length, len(TEXT)), text))
    assert still_parses(source, made) == whole_statements_parse(source, made)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("file.read(size)", "file.read(", False),
        ("file.read(size)", "eval(size)", True),
        ("size > 3 and name", "size > 3", True),
        ("size > 3 and name", "size >", False),
        ('open(Path(name), "rb")', "open(name)", True),
        ("size > 3 and name: return", "size > 3:\n    return", False),  # alone it parses, in its block it does not
        ("total = (1 +", "total = (1 + (", False),
        ("del data; ", "", True),
        ("LIMIT = 10", "LIMIT = 10 = 1", False),
    ],
)
def test_edits_by_hand(old, new, expected):
    start = TEXT.index(old)
    edit = Edit(start, start + len(old), new)
    assert still_parses(Source(TEXT), [edit]) is expected
    assert parses(applied(TEXT, [edit])[0]) is expected
