"""What is mended, and what is left alone because it may be meant."""

from __future__ import annotations

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provkit.audit.mending import escaped, number_kind, without_edges, without_entities


@pytest.mark.parametrize(
    ("text", "mended"),
    [
        ("a\n    ", "a"),
        ("\n\nimport os\n\nx = 1\n", "import os\n\nx = 1"),
        (" a word", "a word"),
        ("  \n", ""),
        ("\n    if x:\n        y()\n    z()\n", "    if x:\n        y()\n    z()"),  # a block keeps its indent
        ("  first\nsecond", "first\nsecond"),
        ("as it is", "as it is"),
    ],
)
def test_edges(text: str, mended: str) -> None:
    assert without_edges(text) == mended


@given(st.text(alphabet=" \n\tab:", max_size=40))
def test_edges_are_mended_once_and_nothing_else_changes(text: str) -> None:
    mended = without_edges(text)
    assert without_edges(mended) == mended
    assert mended.split() == text.split()


@pytest.mark.parametrize(
    "code", ["if x:\n    y = 1\nelse:\n    y = 2\n\n", "\n\ndef f():\n    return 1\n", "x = '''\n  a'''\n"]
)
def test_mended_code_is_the_same_code(code: str) -> None:
    assert ast.dump(ast.parse(without_edges(code))) == ast.dump(ast.parse(code))


@pytest.mark.parametrize(
    ("text", "mended"),
    [
        ("&lt;h1>{{ a }}&lt;/h1>", "<h1>{{ a }}</h1>"),
        ("&lt;p class=&quot;x&quot;&gt;R&amp;D&lt;/p&gt;", '<p class="x">R&D</p>'),
        ("it&#39;s", "it's"),
        ("a&nbsp;b", "a b"),
    ],
)
def test_entities_are_read_back(text: str, mended: str) -> None:
    assert escaped(text)
    assert without_entities(text) == mended


@pytest.mark.parametrize(
    "text",
    [
        "<p>Tom &amp; Jerry</p>",
        "s.replace('<', '&lt;')",
        'TABLE = {"<": "&lt;", ">": "&gt;"}',
        "x &copy; y",
        "a?b=1&lt=2",
        "no entity & none;",
    ],
)
def test_entities_that_may_be_meant_stay(text: str) -> None:
    assert not escaped(text)
    assert without_entities(text) == text


def test_what_is_in_doubt_is_reported_and_left_alone() -> None:
    text = "&lt;h1&gt;Queue&lt;/h1&gt; <script>alert(1)</script>"
    assert escaped(text)
    assert without_entities(text) == text


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        *(("0", "integer"), ("-12", "integer"), ("84", "integer"), ("0.5", "real"), ("-3.25", "real")),
        *(("007", None), ("1e5", None), ("", None), ("1,5", None), ("1 ", None), ("NaN", None), ("٣", None)),
        ("1" * 16, None),
    ],
)
def test_numbers_are_those_that_are_written_back_the_same(text: str, kind: str | None) -> None:
    assert number_kind(text) == kind
