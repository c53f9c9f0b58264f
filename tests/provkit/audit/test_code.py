"""Answers that are said to be code."""

from __future__ import annotations

import time

import pytest

from provkit.audit.code import problem, problems
from provkit.row import chat

PROGRAM = "import os\n\n\ndef f(x):\n    return os.path.join(x, 'a')"


def test_answers_that_do_not_parse(write, found) -> None:
    rows = [chat(f"q{at}", PROGRAM) for at in range(8)]
    assert found(write(rows), code="python", select=["C"]) == {}
    told = found(
        write([*rows, chat("a", "def f(:"), chat("b", "print 'hello'"), chat("c", "Here is code.")]), code="python"
    )
    assert (told["C001"][0].count, told["C001"][0].total) == (3, 11)
    assert told["C001"][0].examples[0].text.startswith("line 1: ")
    assert found(write(rows), select=["C"]) == {}  # nothing said that it is code


def test_fences_are_taken_off_and_mixing_them_is_said(write, found) -> None:
    fenced = [chat(f"q{at}", f"```python\n{PROGRAM}\n```") for at in range(5)]
    assert found(write(fenced), code="python", select=["C"]) == {}
    told = found(write([*fenced, chat("x", PROGRAM)]), code="python", select=["C"])
    assert set(told) == {"C002"}
    assert (told["C002"][0].count, told["C002"][0].examples[0].line) == (1, 6)


def test_a_row_without_an_answer(write, found) -> None:
    rows = [chat("q", PROGRAM), {"messages": [{"role": "user", "content": "q"}]}]
    assert found(write(rows), code="python", select=["C003"])["C003"][0].examples[0].line == 2


def test_workers_give_the_same_answers(write, found) -> None:
    rows = [chat(f"q{at}", PROGRAM if at % 7 else "def f(:") for at in range(3_000)]
    one, two = (found(write(rows), code="python", select=["C001"], workers=n)["C001"][0] for n in (1, 2))
    assert one == two
    assert one.count == 429


@pytest.mark.parametrize(
    "text",
    [
        *("(" * 100_000, "[" * 300 + "]" * 300, "-" * 100_000 + "1", "not " * 50_000 + "x", "lambda:" * 90_000 + "1"),
        *(
            "a." * 100_000 + "b",
            "1+" * 200_000 + "1",
            "f" + "(1)" * 100_000,
            "2**" * 50_000 + "2",
            "a if b else " * 50_000,
        ),
        *(
            "import " + "a." * 100_000 + "b",
            "\0",
            "'" * 1_001,
            "if x:\n a\n" + "elif y:\n b\n" * 20_000,
            "x" * (2 << 20),
        ),
    ],
)
def test_hostile_programs_cost_little_and_crash_nothing(text: str) -> None:
    began = time.process_time()
    assert problem(text) is not None
    assert time.process_time() - began < 5


def test_no_warning_of_python_reaches_the_terminal(recwarn) -> None:
    assert problems(["'\\d'", "1 is 1", "assert (1, 2)"]) == [None, None, None]
    assert not recwarn.list
