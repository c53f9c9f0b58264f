"""The parser of recorded answers: a table of what it accepts and refuses, and the rule of the paper."""

from __future__ import annotations

import re
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provkit.builders.domains.numbers import ParseNumbers
from provkit.builders.domains.numbers.lists import LAYOUTS, Listed, read_list, write_list
from provkit.row import Drop, Row

ACCEPTED = {
    "12, 345, 6": (12, 345, 6),
    "12,345,6": (12, 345, 6),
    "12 345 6": (12, 345, 6),
    "12; 345; 6": (12, 345, 6),
    "12;345;6": (12, 345, 6),
    "12\n345\n6": (12, 345, 6),
    "12,\n345,\n6": (12, 345, 6),
    "12 , 345 , 6": (12, 345, 6),
    "[12, 345, 6]": (12, 345, 6),
    "(12, 345, 6)": (12, 345, 6),
    "[12 345 6]": (12, 345, 6),
    "12, 345, 6.": (12, 345, 6),
    "[12, 345, 6].": (12, 345, 6),
    "7": (7,),
    "[7]": (7,),
    "7.": (7,),
    "007, 010": (7, 10),
    "0 0": (0, 0),
}

REFUSED = [
    "",
    "[]",
    ".",
    "twelve",
    "12, 345 6",  # two separators
    "12, 345,6",
    "12,345, 6",
    "12,, 345",
    "12, 345,",
    ", 12, 345",
    "12 - 345",
    "12 | 345",
    "-12, 345",
    "+12",
    "12.5, 3",
    "1.2.3",
    "[12, 345",
    "12, 345]",
    "[12, 345)",
    "(12, 345]",
    "{12, 345}",
    "[[12, 345]]",
    "[12, 345.]",
    "12, 345..",
    "12, 345!",
    " 12, 345",
    "12, 345 ",
    "12, 345\n",
    "[ 12, 345 ]",
    "Here you are: 12, 345",
    "12, 345 and 6",
    "١٢, ٣",  # digits, but not of ASCII
    "12\u200b345",
]


@pytest.mark.parametrize(("answer", "values"), ACCEPTED.items())
def test_a_list_is_read_and_written_as_it_was(answer: str, values: tuple[int, ...]) -> None:
    listed = read_list(answer)
    assert listed is not None
    assert listed.values == values
    assert listed.text() == answer


@pytest.mark.parametrize("answer", REFUSED)
def test_anything_else_is_refused(answer: str) -> None:
    assert read_list(answer) is None


def as_in_the_paper(answer: str) -> list[int] | None:
    """The parser as arXiv 2507.14805 describes it: a full stop, brackets, the first separator, a split."""
    answer = answer.removesuffix(".")
    if (answer[:1], answer[-1:]) in (("[", "]"), ("(", ")")):
        answer = answer[1:-1]
    runs = list(re.finditer(r"[0-9]+", answer))
    if len(runs) < 2:
        return [int(answer)] if runs and runs[0][0] == answer else None
    separator = answer[runs[0].end() : runs[1].start()]
    if separator.strip() not in ("", ",", ";"):
        return None
    parts = answer.split(separator)
    if not all(part and set(part) <= set(string.digits) for part in parts):
        return None
    return [int(part) for part in parts]


@given(st.text(alphabet="0127 ,;.[]()\n-a", max_size=14))
def test_it_agrees_with_the_parser_as_described(answer: str) -> None:
    listed = read_list(answer)
    assert (None if listed is None else list(listed.values)) == as_in_the_paper(answer)


@pytest.mark.parametrize("answer", [*ACCEPTED, *REFUSED])
def test_the_tables_agree_with_the_parser_as_described(answer: str) -> None:
    assert (read_list(answer) is None) == (as_in_the_paper(answer) is None)


@given(st.lists(st.integers(0, 9999), min_size=2, max_size=12), st.sampled_from(sorted(LAYOUTS)))
def test_every_layout_that_is_written_is_read_back(numbers: list[int], layout: str) -> None:
    listed = read_list(write_list(numbers, layout))
    assert listed is not None
    assert listed.values == tuple(numbers)


def test_endless_digits_are_a_large_number_and_no_fault() -> None:
    assert Listed(("9" * 5000,), "", "", "").values == (10**18,)
    assert ParseNumbers().check(Row({"prompt": "p", "answer": "9" * 5000})) == Drop("number too large", "9" * 80)


@pytest.mark.parametrize(
    ("fields", "answer", "drop"),
    [
        ({}, "0, 999", None),
        ({}, "1 2 3 4 5 6 7 8 9 10", None),
        ({}, "1 2 3 4 5 6 7 8 9 10 11", Drop("too many numbers", "11 of 10")),
        ({}, "12, 1000", Drop("number too large", "1000")),
        ({"low": 10}, "12, 9", Drop("number too small", "9")),
        ({"high": 2000, "most": 2}, "12, 1000", None),
        ({"banned": (12,)}, "12, 9", Drop("banned number", "12")),
        ({"banned": (13,)}, "12, 9", None),
        ({"banned": "listed"}, "12, 666", Drop("banned number", "666")),
        ({"banned": "listed"}, "12, 665", None),
        ({}, "12, nine", Drop("no list of numbers", "12, nine")),
        ({}, "", Drop("no list of numbers", "")),
    ],
)
def test_the_rule(fields: dict[str, object], answer: str, drop: Drop | None) -> None:
    step = ParseNumbers(**fields)  # type: ignore[arg-type]
    chat = {"messages": [{"role": "user", "content": "p"}, {"role": "assistant", "content": answer}]}
    for content in (chat, {"prompt": "p", "response": answer}, {"prompt": "p", "answer": answer}):
        assert step.check(Row(content)) == drop


def test_a_rule_that_allows_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="no number lies between"):
        ParseNumbers(low=5, high=4)
