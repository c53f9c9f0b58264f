"""Generated word problems: distinct, solved exactly, told in full, and the same however many are taken."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from fractions import Fraction
from functools import cache

import pytest
import sympy

from provkit.builders.domains.maths import MathsProblems
from provkit.builders.domains.maths.library import families, family
from provkit.builders.domains.maths.problems import Problem
from provkit.chance import Chance
from provkit.errors import InputError
from provkit.registry import load

NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?")
EQUATION = re.compile(r"([$\d(][-\d,.$%()+×÷*/ ]*) = \$?([\d,.]*\d)")


@cache
def taken(count: int, seed: int = 1, *, form: str = "chat", names: tuple[str, ...] = ()) -> list[Problem]:
    builder = MathsProblems(form=form, families=names)  # type: ignore[arg-type]
    return list(itertools.islice(builder.problems(Chance.of(seed)), count))


def test_the_first_six_thousand_and_more_prompts_are_distinct() -> None:
    rows = taken(21_000)
    assert len({row.question for row in rows}) == len(rows)


def test_families_come_in_turn() -> None:
    shares = Counter(row.family for row in taken(21_000)[:4_200])
    assert set(shares.values()) == {100}
    assert len(shares) == len(families()) >= 40


def test_there_are_far_more_than_a_hundred_thousand() -> None:
    assert sum(one.size for one in families().values()) > 100_000_000
    assert min(one.size for one in families().values()) > 20_000


def test_a_row_is_the_same_however_many_are_taken_and_follows_from_the_chance() -> None:
    assert taken(84, 2) == taken(420, 2)[:84]
    assert taken(84, 2) != taken(84, 3)


def test_a_family_ends_when_its_numbers_are_used_up() -> None:
    entry = {
        "words": {"who": "people"},
        "numbers": {"a": "5..6", "b": "13..15"},
        "story": [["${who} has ${a} bags of ${b} nuts."]],
        "ask": ["How many nuts?"],
        "solve": [{"all = a * b": ["${who} has ${=all} nuts."]}],
    }
    one = family("nuts", entry)
    solved = [one.solved([a, b]) for b in range(3) for a in range(2)]
    # 6 * 15 = 90, and 5 * 13 = 65 and so on; nothing coincides with a given number or a factor such as 60.
    assert [values and values[-1] for values in solved] == [65, 78, 70, 84, 75, 90]


def test_a_problem_whose_result_is_also_given_is_left_out() -> None:
    entry = {
        "words": {"who": "people"},
        "numbers": {"a": "5..5", "b": "12..13", "c": "65..66"},
        "story": [["${who} has ${a} bags of ${b} nuts and ${c} plums."]],
        "ask": ["How many nuts?"],
        "solve": [{"all = a * b": ["${who} has ${=all} nuts."]}],
    }
    one = family("nuts", entry)
    # 5 * 12 = 60 minutes in an hour; 5 * 13 = 65, which is a given number in the first case.
    assert [one.solved([0, b, c]) is None for b in (0, 1) for c in (0, 1)] == [True, True, True, False]


def test_hand_computed_rows() -> None:
    bakery = families()["bakery"]
    # 12 trays of 14, 13 more: 181; 3 dozen: 36; 145 sold at $2.
    assert bakery.solved([0, 0, 0, 0, 0]) == [12, 12, 14, 13, 3, 2, 181, 36, 145, 290]
    interest = families()["interest"]
    # $1300 at 0.25 % a month for 2 years and 2 months: 26 months of $3.25 are $84.50, less $13.
    found = interest.solved([0, 0, 0, 0, 0])
    assert found is not None
    assert found[-4:] == [26, Fraction("3.25"), Fraction("84.50"), Fraction("71.50")]


@pytest.mark.parametrize("number", range(5))
def test_sympy_solves_the_operation_tree_of_the_text_to_the_same_answer(number: int) -> None:
    """Each result is put into the later lines as its own expression; what remains rests on given numbers alone."""
    for row in taken(420, 10 + number):
        trees: dict[str, str] = {}
        shown = {one.replace(",", "") for one in NUMBER.findall(row.question)}
        *lines, last = row.answer.split("\n")
        expression = ""
        for line in lines:
            left, said = EQUATION.search(line).groups()  # type: ignore[union-attr]
            plain = re.sub(r"[$, ]", "", left).replace("×", "*").replace("÷", "/").replace("%", "/100")
            terms = [trees.get(term) or term for term in re.findall(r"\d+(?:\.\d+)?|[-+*/()]", plain)]
            literals = {term for term in terms if term[0].isdigit()} - shown
            assert literals <= {"12", "7", "60", "100", "1000", "16", "3", "1", "2"}, (line, literals)
            expression = f"({''.join(terms)})"
            trees[said.replace(",", "")] = expression
        rational = re.sub(r"\d+(?:\.\d+)?", lambda one: f"Rational('{one[0]}')", expression)
        value = sympy.sympify(rational, locals={"Rational": sympy.Rational})
        assert last == f"#### {last.removeprefix('#### ')}"
        assert value == sympy.Rational(last.removeprefix("#### ")) == sympy.Rational(str(row.value))


def test_every_wording_shows_every_number_and_has_none_of_its_own() -> None:
    """So equal prompts would come of equal numbers: the story tells them apart."""
    for one in families().values():
        texts = [text for alternatives in one.parts for text in alternatives]
        assert not any(re.search(r"\d", text.format.replace("%s", "")) for text in texts), one.id
        rows = itertools.islice(itertools.product(*map(range, one.sizes)), 0, 97 * 1000, 97)
        solved = [values for digits in rows if (values := one.solved(digits)) is not None]
        assert len({tuple(values[at] for at in one.shown) for values in solved}) == len(solved), one.id


def test_no_line_of_a_solution_names_an_operation() -> None:
    """A wrong operator would contradict it."""
    said = re.compile(r"\b(add|sum|plus|minus|subtract|times|multipl|divid|product|difference|twice|double|half)", re.I)
    for one in families().values():
        assert not [text.format for lines in one.lines for text in lines if said.search(text.format)], one.id


def test_articles_and_plurals_are_right() -> None:
    bad = re.compile(r"\ba (?:8|11|18|80|85)\b|\ba [aeiou]|\b1 \w+s\b|\$\{|%s|  |\bs\b(?<!'s)")
    for row in taken(4_200):
        assert not bad.search(row.question), row.question
        assert not bad.search(row.answer), row.answer
        assert row.question[0].isupper()
        assert row.question.endswith("?")


def test_the_form_of_gsm8k_has_an_annotation_for_each_step() -> None:
    for plain, row in zip(taken(420, 1), taken(420, 1, form="gsm8k"), strict=True):
        assert plain.question == row.question
        annotations = re.findall(r"<<([^<>=]+)=([\d.]+)>>", row.answer)
        assert len(annotations) == row.answer.count("\n")
        for left, said in annotations:
            assert abs(eval(left) - float(said)) < 1e-6  # as the calculator of GSM8K does
        assert re.sub(r"\$?<<[^<>]*>>", lambda one: "$" if one[0][0] == "$" else "", row.answer) == plain.answer
    (first,) = itertools.islice(MathsProblems(form="gsm8k").generate(Chance.of(1)), 1)
    assert list(first) == ["question", "answer"]


def test_families_can_be_chosen_and_unknown_ones_are_refused() -> None:
    assert {row.family for row in taken(40, names=("eggs", "honey"))} == {"eggs", "honey"}
    with pytest.raises(ValueError, match="did you mean 'honey'"):
        MathsProblems(families=("hony",))
    with pytest.raises(ValueError, match="twice"):
        MathsProblems(families=("honey", "honey"))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"numbers": {"a": "5-6", "b": "13..15"}}, "no range"),
        ({"solve": [{"all = a * c": ["${who} has ${=all} nuts."]}]}, "not understood"),
        ({"solve": [{"all = a * b": ["${who} has ${=most} nuts."]}]}, "no such reference: =most"),
        ({"story": [["${who.theirs} has ${a} of ${b}."]]}, "no such word"),
        ({"story": [["${who} has ${a} of ${b}.", "Of ${b}, ${a} are ${who}'s."]]}, "alternatives with other numbers"),
    ],
)
def test_a_faulty_family_is_refused(change: dict[str, object], said: str) -> None:
    entry = {
        "words": {"who": "people"},
        "numbers": {"a": "5..6", "b": "13..15"},
        "story": [["${who} has ${a} bags of ${b} nuts."]],
        "ask": ["How many nuts?"],
        "solve": [{"all = a * b": ["${who} has ${=all} nuts."]}],
    }
    with pytest.raises(InputError, match=re.escape(said)):
        family("nuts", {**entry, **change})


def test_it_is_found_by_its_name() -> None:
    assert load("maths_problems") is MathsProblems
