"""Worked answers: which are read, what is read out of them, and which are refused and why."""

from __future__ import annotations

import re

import pytest

from provkit.builders.domains.maths.working import UnreadError, read


def equations(text: str) -> list[tuple[str, list[object], object]]:
    """Structure, leaves and value of each equation."""
    return [(one.sides[0].structure, list(one.leaves), one.value) for one in read(text).equations]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("She has 48/2 = <<48/2=24>>24 clips.", ("N/N", [48, 2], 24)),
        ("They cost $4 x 6 = $<<4*6=24>>24.", ("N*N", [4, 6], 24)),
        ("It is 5 snakes/jaguar * 6 jaguars = <<5*6=30>>30 snakes", ("N*N", [5, 6], 30)),
        ("The two have 20 sheep + 16 sheep = 36 sheep", ("N+N", [20, 16], 36)),
        ("So 2 * (8 + 4) = 24 m of fence", ("N*(N+N)", [2, 8, 4], 24)),
        ("That is 20% of 80 = 16 people", ("N%*N", [20, 80], 16)),
        ("That is 3/4 of 80 = 60 people", ("N/N*N", [3, 4, 80], 60)),
        ("The fee is $80 × 15% = $12.", ("N*N%", [80, 15], 12)),
        ("In all 12,500 − 500 = 12,000 were sold", ("N-N", [12500, 500], 12000)),
        ("Half of it is 9 ÷ 2 = 4.5 hours", ("N/N", [9, 2], 4.5)),
        ("Each gets (7 + 5 = 12) marbles", ("N+N", [7, 5], 12)),
        ("Out of 3 bags, 4 times 5 = 20 are red", ("N*N", [4, 5], 20)),
        ("This is 12/20 x 100% = 60% of all", ("N/N*N%", [12, 20, 100], 60)),
    ],
)
def test_an_equation_is_read(line: str, expected: tuple[str, list[object], object]) -> None:
    value = expected[2]
    assert equations(f"{line}\n#### {value}") == [expected]


def test_both_spellings_of_an_annotated_step_are_found() -> None:
    working = read("It takes 2 * 80 sheep = <<2*80=160>>160 sheep\n#### 160")
    (equation,) = working.equations
    assert [side.bare for side in equation.sides] == [True, False]
    assert [working.figures.texts[number] for number in equation.results] == ["160", "160"]
    assert equation.unit == "sheep"
    assert not equation.money


def test_money_and_units_of_results_are_seen() -> None:
    money, hours = read("It is 3 * 4 = $<<3*4=12>>12.\nIt is 12 / 8 = 1.5 hours\n#### 1.5").equations
    assert (money.money, money.unit) == (True, "")
    assert (hours.money, hours.unit) == (False, "hours")


@pytest.mark.parametrize("end", ["#### 24", "####24", "The answer is 24.", "So the final answer is $24", "Answer: 24"])
def test_the_final_answer_is_found(end: str) -> None:
    working = read(f"It is 20 + 4 = 24.\n{end}")
    assert working.figures.texts[working.final] == "24"


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ("It is 20 + 4 = 24.", "no final answer"),
        ("It is 20 less 44.\n#### -24", "negative"),
        ("It is twenty-four.\n#### 24", "no equation"),
        ("It is 20 + 4 = 25.\n#### 25", "not exactly true: 20 + 4 = 25"),
        ("It is <<10/3=3.33>>3.33.\n#### 3.33", "not exactly true"),
        ("It is <<+20+4=24>>24.\n#### 24", "another form"),
        ("It is <<24=24>>24, or 20 + 4 = 24.\n#### 24", "another form"),
        ("Let X be it. X + 4 = 28, and 28 - 4 = 24.\n#### 24", "a letter"),
        ("We have 4S = 96 and 96 / 4 = 24.\n#### 24", "a letter"),
        ("So y = 24, as 20 + 4 = 24.\n#### 24", "a letter"),
    ],
)
def test_what_is_not_read_is_refused_with_its_reason(answer: str, said: str) -> None:
    with pytest.raises(UnreadError, match=re.escape(said)):
        read(answer)
