"""Questions of fact: distinct, right, wrong where they say so, and checked by another reckoning."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from itertools import islice
from typing import Any

import pytest

from provkit.builders.domains.answers.equal import normal
from provkit.builders.domains.answers.facts import FactQuestions
from provkit.builders.domains.answers.kinds import Table, kinds
from provkit.builders.domains.answers.numerals import roman
from provkit.chance import Chance

ROWS = list(islice(FactQuestions().generate(Chance.of(42)), 20_000))
SIGNS = {
    "+": int.__add__,
    "-": int.__sub__,
    "×": int.__mul__,
    "plus": int.__add__,
    "minus": int.__sub__,
    "times": int.__mul__,
}
UNITS = {  # in the smallest unit of its sort
    "millimetres": 1, "centimetres": 10, "metres": 1000, "kilometres": 1_000_000,
    "milligrams": 1, "grams": 1000, "kilograms": 1_000_000, "tonnes": 1_000_000_000,
    "millilitres": 1, "centilitres": 10, "litres": 1000,
    "seconds": 1, "minutes": 60, "hours": 3600, "days": 86_400, "weeks": 604_800,
    "years": 1, "decades": 10, "centuries": 100, "pieces": 1, "dozens": 12,
    "inches": 1, "feet": 12, "yards": 36, "ounces": 1, "pounds": 16, "bits": 1, "bytes": 8,
}  # fmt: skip


def number(text: str) -> int:
    return int(text.replace(",", ""))


def last_number(text: str) -> int:
    return number(re.findall(r"\d[\d,]*", text)[-1])


def reckoned(question: str) -> int | None:
    """The answer to a question of arithmetic, read from the question alone."""
    if found := re.search(r"(\d+) (\+|-|×|plus|minus|times) (\d+)", question):
        return int(SIGNS[found[2]](int(found[1]), int(found[3])))
    if found := re.fullmatch(r"Add (\d+) and (\d+)\.", question):
        return int(found[1]) + int(found[2])
    if found := re.fullmatch(r"Take (\d+) away from (\d+)\.", question):
        return int(found[2]) - int(found[1])
    if found := re.fullmatch(r"Multiply (\d+) by (\d+)\.", question):
        return int(found[1]) * int(found[2])
    return None


def test_there_are_enough_and_all_are_distinct() -> None:
    assert FactQuestions().distinct > 100_000
    assert sum(kind.size for kind in kinds().values() if isinstance(kind, Table)) > 1_500
    assert len({row["question"] for row in ROWS}) == len(ROWS)


def test_more_rows_do_not_change_the_first_ones() -> None:
    again = islice(FactQuestions().generate(Chance.of(42)), 500)
    assert list(again) == ROWS[:500]
    assert next(FactQuestions().generate(Chance.of(43))) != ROWS[0]


def test_the_form_is_that_of_truthfulqa() -> None:
    for row in ROWS:
        assert list(row) == ["category", "question", "best_answer", "correct_answers", "incorrect_answers"]
        assert row["correct_answers"][0] == row["best_answer"] and row["correct_answers"][1] in row["best_answer"]
        right, wrong = ({normal(text) for text in row[name]} for name in ("correct_answers", "incorrect_answers"))
        assert len(wrong) == 3 and not right & wrong, row
        assert "{" not in row["question"] + row["best_answer"] + row["incorrect_answers"][0]


def test_right_and_wrong_answers_cannot_be_told_by_their_length() -> None:
    mean = [sum(len(row[name][0]) for row in ROWS) / len(ROWS) for name in ("correct_answers", "incorrect_answers")]
    assert mean[0] == pytest.approx(mean[1], rel=0.02)


def test_arithmetic_is_right() -> None:
    seen = 0
    for row in ROWS:
        value = reckoned(row["question"]) if row["category"] == "arithmetic" else None
        assert (row["category"] == "arithmetic") == (value is not None), row["question"]
        if value is not None:
            seen += 1
            assert last_number(row["best_answer"]) == value
            assert all(last_number(wrong) not in (value, 0) for wrong in row["incorrect_answers"])
    assert seen > 5000


def test_conversions_are_right() -> None:
    seen = 0
    for row in ROWS:
        if row["category"] == "measures":
            question = row["question"]
            many, small = re.search(r"\d+ (\w+)", question), re.search(r"(?:How many|into|in) (\w+)", question)
            assert many is not None and small is not None
            seen += 1
            assert (
                number(re.findall(r"\d+", question)[0]) * UNITS[many[1]]
                == last_number(row["best_answer"]) * UNITS[small[1]]
            )
    assert seen > 1500


def test_roman_numerals_are_right() -> None:
    values = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100, "D": 500, "M": 1000}
    for value in range(1, 4000):
        digits = [values[sign] for sign in roman(value)]
        assert sum(-one if one < other else one for one, other in zip(digits, [*digits[1:], 0], strict=True)) == value
        assert not re.search(r"(.)\1{3}", roman(value)) and all(roman(value).count(sign) < 2 for sign in "VLD")
    assert [
        roman(value) for value in (4, 9, 14, 40, 90, 400, 1994, 1999)
    ] == "IV IX XIV XL XC CD MCMXCIV MCMXCIX".split()
    for row in ROWS:
        if row["category"] == "notation":
            numeral = re.search(r"\b[IVXLCDM]{2,}\b|\b[VXLCDM]\b", row["question"] + " " + row["best_answer"])
            digits = re.search(r"\d+", row["question"] + " " + row["best_answer"])
            assert numeral is not None and digits is not None and roman(int(digits[0])) == numeral[0]


def test_tables_have_one_answer_to_a_question() -> None:
    for name, kind in kinds().items():
        if not isinstance(kind, Table):
            continue
        answers: defaultdict[str, set[str]] = defaultdict(set)
        for record in kind.records:
            for form in kind.forms:
                answers[form.ask.format_map(record)].add(record[kind.wanted])
        assert [question for question, values in answers.items() if len(values) > 1] == [], name
        assert all(f"{{{kind.wanted}}}" not in form.ask and f"{{{kind.wanted}}}" in form.say for form in kind.forms), (
            name
        )


def test_elements_are_all_there_in_their_order() -> None:
    table = kinds()["elements.symbol"]
    assert isinstance(table, Table)
    assert [int(record["number"]) for record in table.records] == list(range(1, 119))
    by_symbol = {record["symbol"]: record["element"] for record in table.records}
    known = {"H": "hydrogen", "N": "nitrogen", "Fe": "iron", "W": "tungsten", "No": "nobelium", "Og": "oganesson"}
    assert len(by_symbol) == 118 and known.items() <= by_symbol.items()
    sizes = Counter(record["group"] for record in table.records)
    assert list(sizes.values()) == [2, 8, 8, 18, 18, 32, 32]  # the lengths of the periods


def test_tables_come_in_turn_and_facts_once() -> None:
    first = Counter(row["category"] for row in ROWS[: 8 * 29])  # eight rounds of 29 kinds; then the planets are used up
    assert (first["geography"], first["arithmetic"], first["astronomy"]) == (32, 24, 16)
    every = FactQuestions(tables=("months",)).generate(Chance.of(1))
    twelve = list(islice(every, 24))
    assert Counter(row["correct_answers"][1] for row in twelve) == dict.fromkeys(
        [*"January February March April May June July August September October November December".split(),
         *"first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth".split()], 1
    )  # fmt: skip
    assert len(list(every)) == 24  # the second wording of each


def test_tables_are_named_rightly() -> None:
    with pytest.raises(ValueError, match="unknown table of facts 'capitols': did you mean 'capitals'"):
        FactQuestions(tables=("capitols",))
    with pytest.raises(ValueError, match="named twice"):
        FactQuestions(tables=("sums", "sums"))
    assert {row["category"] for row in islice(FactQuestions(tables=("sums",)).generate(Chance.of(1)), 50)} == {
        "arithmetic"
    }


def test_wrong_values_are_of_the_same_group() -> None:
    table: Any = kinds()["capitals.capital"]
    continent = {record["capital"]: record["group"] for record in table.records}
    for position in range(table.size):
        fact = table.fact(position, Chance.of(position))
        assert {continent[wrong] for wrong in fact.wrong} == {fact.slots["group"]}
        assert fact.slots["capital"] not in fact.wrong
