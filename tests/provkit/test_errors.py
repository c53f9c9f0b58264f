"""What errors say, and that nothing in them can reach a terminal as more than text."""

from __future__ import annotations

import copy
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provkit.errors import InputError, plain


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain é 😀 日本", "plain é 😀 日本"),
        ("a\nb\tc", r"a\nb\tc"),
        ("\x1b[31mred\x1b[0m", r"\x1b[31mred\x1b[0m"),
        ("\x1b]0;title\x07", r"\x1b]0;title\x07"),
        ("\u202egnp.exe", r"\u202egnp.exe"),
        ("\u200b\x85\x9b", r"\u200b\x85\x9b"),
        ("\ud800", r"\ud800"),
        ("\udcff", r"\udcff"),
    ],
)
def test_what_a_terminal_would_obey_is_shown_as_an_escape(text: str, shown: str) -> None:
    assert plain(text) == shown


def test_long_text_is_cut() -> None:
    assert plain("a" * 200) == "a" * 200
    assert plain("a" * 201) == "a" * 200 + "…"
    assert plain("\x1b" * 300, 3) == r"\x1" + "…"


@given(st.text(), st.text(), st.text(), st.text())
def test_no_part_of_an_error_holds_a_control_character(problem: str, file: str, field: str, do: str) -> None:
    message = str(InputError(problem, file=file, line=3, field=field, do=do))
    assert all(character.isprintable() for line in message.split("\n") for character in line)
    assert message.count("\n") == (1 if do else 0)


def test_an_error_says_file_line_field_problem_and_what_to_do() -> None:
    error = InputError("a boolean", file="rows.jsonl", line=7, field="score", do="write a number")
    assert str(error) == "rows.jsonl:7: score: a boolean\n  write a number"
    assert str(InputError("the file is empty", file="x")) == "x: the file is empty"
    assert str(InputError("no rows", field="source a")) == "source a: no rows"


def test_a_long_path_is_not_cut() -> None:
    path = "/".join(["folder"] * 60)
    assert path in str(InputError("missing", file=path))


def test_an_error_passes_between_processes_whole() -> None:
    error = InputError("p", file="f", line=1, field="c", do="d")
    for other in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert (str(other), other.file, other.line, other.field, other.problem, other.do) == (
            str(error), "f", 1, "c", "p", "d",
        )  # fmt: skip
