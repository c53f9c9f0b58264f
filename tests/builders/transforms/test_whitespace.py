"""White space: what goes, what stays, and what the note says."""

from __future__ import annotations

from typing import Any

import pytest

from provkit.builders.transforms.whitespace import Whitespace
from provkit.row import Row, chat

CASES = [
    ("clean", "clean", None),
    (" a b ", "a b", ["leading", "trailing"]),
    ("\n\nline\r\nnext\r", "line\nnext", ["line ends", "leading", "trailing"]),
    ("a\r\nb", "a\nb", ["line ends"]),
    ("tail\n", "tail", ["trailing"]),
    ("\n    return 1\n    # end\n", "    return 1\n    # end", ["leading", "trailing"]),
    ("    if x:\nflush", "if x:\nflush", ["leading"]),
    (" \n ", "", ["trailing"]),
    ("two  spaces\n\nstay", "two  spaces\n\nstay", None),
]


@pytest.mark.parametrize(("text", "clean", "what"), CASES)
def test_by_hand(make: Any, text: str, clean: str, what: list[str] | None) -> None:
    made = make([{"prompt": "p", "answer": text, "n": 1}], ["whitespace"])
    assert made.rows == [{"prompt": "p", "answer": clean, "n": 1}]
    assert made.notes("whitespace") == [None if what is None else {"answer": what}]


def test_turns_are_named_by_their_role(make: Any) -> None:
    rows = [{**chat(" u", "a\r\n", "s"), "source": "web "}, chat("u", "a") | {"source": "web"}]
    made = make(rows, ["whitespace"])
    assert made.rows[0] == chat("u", "a", "s") | {"source": "web"}
    assert made.notes("whitespace") == [
        {"user": ["leading"], "assistant": ["line ends", "trailing"], "source": ["trailing"]},
        None,
    ]


@pytest.mark.parametrize("text", [text for text, _, _ in CASES])
def test_a_second_time_changes_nothing(text: str) -> None:
    once = Whitespace().apply(Row({"answer": text}))
    assert Whitespace().apply(once) is once
