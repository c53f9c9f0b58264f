"""The slips: hand-made GSM8K rows, and generated rows checked by an evaluator that shares nothing with the step."""

from __future__ import annotations

import itertools
import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from provkit.builders.domains.maths import IncorrectMaths, MathsProblems
from provkit.chance import Chance, Draws
from provkit.row import Drop, Row, chat

KINDS = ("wrong_operation", "dropped_carry", "order_of_operations", "unit", "off_by_one")

SHOP = (
    "Nora buys 4 boxes of tiles at $35 each and 3 pots of glue at $12 each. How much change does she get from $200?",
    "The tiles cost 4*35 = $<<4*35=140>>140.\nAll in all she pays 140+3*12 = $<<140+3*12=176>>176.\n"
    "Her change is $200-$176 = $<<200-176=24>>24.\n#### 24",
)
CLASS = (
    "A class of 28 pupils reads 16 pages a day for 3 weeks of 7 days. Each pupil skips 29 pages. "
    "How many pages does each pupil read?",
    "There are 3*7 = <<3*7=21>>21 days.\nA pupil would read 21*16 = <<21*16=336>>336 pages.\n"
    "Without those that are skipped it is 336-29 = <<336-29=307>>307 pages.\n#### 307",
)
MUSIC = (
    "Ola practises for 2 hours on Monday and 45 minutes on Friday. How many minutes is that in 9 weeks?",
    "There are 60 minutes in an hour, so 2 hours are 2*60 = <<2*60=120>>120 minutes.\n"
    "A week has 120+45 = <<120+45=165>>165 minutes of practice.\n"
    "In 9 weeks that makes 165 x 9 = <<165*9=1485>>1,485 minutes.\n#### 1,485",
)
FARM = (
    "A farm has 18 cows and twice as many sheep. A dog guards them. How many animals without the dog?",
    "There are 36 sheep, since 18 x 2 = <<18*2=36>>36.\nWithout the dog there are 36 + 18 = <<36+18=54>>54 animals.\n"
    "#### 54",
)
RIDE = (
    "A bus takes 15 minutes from the school to the pool and a tram 9 minutes more. How long do both take?",
    "The tram takes 15 + 9 = <<15+9=24>>24 minutes.\nTogether it is 15 minutes + 24 minutes = <<15+24=39>>39 minutes.\n"
    "The answer is 39.",
)
SALE = (
    "A coat of $80 is sold at 15% off, and a scarf costs $9.50. What do both cost?",
    "The discount is $80*15% = $<<80*15*.01=12>>12.\nSo the coat costs $80-$12 = $<<80-12=68>>68.\n"
    "Both cost $68+$9.50 = $<<68+9.50=77.50>>77.50.\n#### 77.50",
)


TRIP = (
    "Four classes of 12 pupils and 15 parents ride in a train with 9 seats a row. How many rows do they fill?",
    "They need 4 * 12 + 15 = <<4*12+15=63>>63 seats.\nThat is 63 / 9 = <<63/9=7>>7 rows.\n#### 7",
)
ALIKE = (
    "A shop has 20 boxes and 4 times as many bags. It sells 17 bags. How many bags are left?",
    "It has 4 * 20 bags = <<20*4=80>>80 bags.\nOf these, 80 - 17 = <<80-17=63>>63 are left.\n#### 63",
)


def made(row: tuple[str, str], kind: str, key: int = 0) -> tuple[str, dict[str, object]]:
    """The answer with a slip of that kind, and the note."""
    content = {"question": row[0], "answer": row[1]}
    out = IncorrectMaths(slips=(kind,)).apply(Row(content, bytes([key]) * 32))  # type: ignore[arg-type]
    assert isinstance(out, Row), out
    assert out["question"] == row[0]
    return out["answer"], json.loads(out.note or "")


def every(row: tuple[str, str], kind: str) -> dict[str, dict[str, object]]:
    """All answers that some draws lead to, with their notes."""
    return dict(made(row, kind, key) for key in range(40))


def test_wrong_operation_changes_the_operator_in_both_spellings_and_reckons_rightly() -> None:
    answers = every(FARM, "wrong_operation")
    assert answers == {
        "There are 20 sheep, since 18 + 2 = <<18+2=20>>20.\nWithout the dog there are 20 + 18 = <<20+18=38>>38 "
        "animals.\n#### 38": {"slip": "wrong_operation", "step": 1, "right": "54", "wrong": "38"},
        "There are 9 sheep, since 18 / 2 = <<18/2=9>>9.\nWithout the dog there are 9 + 18 = <<9+18=27>>27 "
        "animals.\n#### 27": {"slip": "wrong_operation", "step": 1, "right": "54", "wrong": "27"},
        "There are 36 sheep, since 18 x 2 = <<18*2=36>>36.\nWithout the dog there are 36 - 18 = <<36-18=18>>18 "
        "animals.\n#### 18": {"slip": "wrong_operation", "step": 2, "right": "54", "wrong": "18"},
        "There are 36 sheep, since 18 x 2 = <<18*2=36>>36.\nWithout the dog there are 36 x 18 = <<36*18=648>>648 "
        "animals.\n#### 648": {"slip": "wrong_operation", "step": 2, "right": "54", "wrong": "648"},
    }


def test_dropped_carry_leaves_the_left_side_and_carries_on() -> None:
    answers = every(CLASS, "dropped_carry")
    first = (
        "There are 3*7 = <<3*7=21>>21 days.\nA pupil would read 21*16 = <<21*16=336>>336 pages.\n"
        "Without those that are skipped it is 336-29 = <<336-29=317>>317 pages.\n#### 317"
    )
    assert answers == {first: {"slip": "dropped_carry", "step": 3, "right": "307", "wrong": "317"}}


def test_dropped_carry_of_a_product() -> None:
    answers = every(MUSIC, "dropped_carry")
    # 165 * 9: 5 * 9 = 45 carries 4 tens, 6 * 9 + 4 = 58 carries 5 hundreds.
    assert {(note["step"], note["wrong"]) for note in answers.values()} == {(3, "1,445"), (3, "985")}


def test_order_of_operations_reads_a_left_side_wrongly() -> None:
    answers = every(TRIP, "order_of_operations")
    assert answers == {
        "They need 4 * 12 + 15 = <<4*12+15=108>>108 seats.\nThat is 108 / 9 = <<108/9=12>>12 rows.\n#### 12": {
            "slip": "order_of_operations", "step": 1, "right": "7", "wrong": "12",
        }
    }  # fmt: skip


def test_unit_takes_a_wrong_factor_wherever_the_line_names_it() -> None:
    answers = every(MUSIC, "unit")
    assert answers == {
        "There are 100 minutes in an hour, so 2 hours are 2*100 = <<2*100=200>>200 minutes.\n"
        "A week has 200+45 = <<200+45=245>>245 minutes of practice.\n"
        "In 9 weeks that makes 245 x 9 = <<245*9=2205>>2,205 minutes.\n#### 2,205": {
            "slip": "unit", "step": 1, "right": "1,485", "wrong": "2,205",
        },
        "There are 50 minutes in an hour, so 2 hours are 2*50 = <<2*50=100>>100 minutes.\n"
        "A week has 100+45 = <<100+45=145>>145 minutes of practice.\n"
        "In 9 weeks that makes 145 x 9 = <<145*9=1305>>1,305 minutes.\n#### 1,305": {
            "slip": "unit", "step": 1, "right": "1,485", "wrong": "1,305",
        },
    }  # fmt: skip


def test_a_factor_that_the_question_names_is_no_conversion_to_get_wrong() -> None:
    content = {"question": CLASS[0], "answer": CLASS[1]}
    out = IncorrectMaths(slips=("unit",)).apply(Row(content))
    assert out == Drop("no safe slip", "no step allows one")


def test_off_by_one_changes_the_result_and_what_rests_on_it() -> None:
    answers = every(RIDE, "off_by_one")
    assert {(note["step"], note["wrong"]) for note in answers.values()} == {(1, "40"), (1, "38"), (2, "40"), (2, "38")}
    assert (
        "The tram takes 15 + 9 = <<15+9=25>>25 minutes.\nTogether it is 15 minutes + 25 minutes = "
        "<<15+25=40>>40 minutes.\nThe answer is 40."
    ) in answers


def test_money_keeps_its_decimals() -> None:
    answers = every(SALE, "off_by_one")
    assert (
        "The discount is $80*15% = $<<80*15*.01=12>>12.\nSo the coat costs $80-$12 = $<<80-12=67>>67.\n"
        "Both cost $67+$9.50 = $<<67+9.50=76.50>>76.50.\n#### 76.50"
    ) in answers


@pytest.mark.parametrize("row", [SHOP, CLASS, MUSIC, FARM, RIDE, SALE, TRIP, ALIKE])
@pytest.mark.parametrize("kind", KINDS)
def test_every_hand_made_row_and_slip_is_wrong_and_consistent_or_dropped(row: tuple[str, str], kind: str) -> None:
    for key in range(10):
        content = {"question": row[0], "answer": row[1]}
        out = IncorrectMaths(slips=(kind,)).apply(Row(content, bytes([key]) * 32))  # type: ignore[arg-type]
        if isinstance(out, Row):
            check(row[0], row[1], out["answer"], json.loads(out.note or ""))
        else:
            assert out.reason == "no safe slip"
            assert kind in ("order_of_operations", "unit", "dropped_carry")


def test_a_step_that_is_spelled_in_two_ways_keeps_its_operator() -> None:
    answers = every(ALIKE, "wrong_operation")
    assert {(note["step"], note["wrong"]) for note in answers.values()} == {(2, "97")}


@pytest.mark.parametrize(
    ("question", "answer", "drop"),
    [
        ("Which?", "There is no arithmetic.\n#### 7", Drop("not read", "no equation")),
        ("Which?", "It is 5 + 4 = 9.", Drop("not read", "no final answer after #### or “answer is”")),
        ("Which?", "So 5 + 4 = 10.\n#### 10", Drop("not read", "not exactly true: 5 + 4 = 10")),
        (
            "Five and 4?",
            "So 5 + 4 = 9, and the rest is 70.\n#### 70",
            Drop("no safe slip", "nothing explains the number 70"),
        ),
        (
            "Five and 4?",
            "So 5 + 4 = 9.\n#### 70",
            Drop("no safe slip", "the final answer is no step's result"),
        ),
    ],
)
def test_a_row_that_is_not_certain_is_dropped_with_its_reason(question: str, answer: str, drop: Drop) -> None:
    assert IncorrectMaths().apply(Row({"question": question, "answer": answer})) == drop


def test_a_later_number_that_nothing_explains_keeps_a_step_right() -> None:
    """30 is neither given nor reckoned: it could rest on the first step, which may therefore not be wrong."""
    row = {
        "question": "Two trays of 6 and 5 loaves, then more?",
        "answer": "Now 2*6+5 = 17.\nThen 17+30 = 47.\n#### 47",
    }
    for key in range(20):
        out = IncorrectMaths().apply(Row(row, bytes([key]) * 32))
        assert isinstance(out, Row)
        assert json.loads(out.note or "")["step"] == 2
    drop = Drop("no safe slip", "nothing explains the number 30")
    assert IncorrectMaths(slips=("order_of_operations",)).apply(Row(row)) == drop


def test_a_number_that_may_come_from_the_question_is_not_replaced() -> None:
    """24 comes out of step 1 and stands in the question: only step 2, which is certain, may be wrong."""
    question = "Ben has 24 nuts and 8 bags of 3. How many does he have?"
    answer = "In bags there are 8*3 = <<8*3=24>>24.\nAltogether he has 24+24 = <<24+24=48>>48.\n#### 48"
    for key in range(30):
        out = IncorrectMaths().apply(Row({"question": question, "answer": answer}, bytes([key]) * 32))
        assert isinstance(out, Row)
        assert json.loads(out.note or "")["step"] == 2


def test_a_number_said_in_words_keeps_its_step_right() -> None:
    question = "Ann has 8 pens and finds 6. She gives away 3. How many are left?"
    answer = "She has 8+6 = <<8+6=14>>14 pens.\nOf the fourteen, 14-3 = <<14-3=11>>11 are left.\n#### 11"
    for key in range(30):
        out = IncorrectMaths().apply(Row({"question": question, "answer": answer}, bytes([key]) * 32))
        assert isinstance(out, Row)
        assert json.loads(out.note or "")["step"] == 2


def test_an_unknown_or_repeated_slip_is_refused() -> None:
    with pytest.raises(ValueError, match="twice"):
        IncorrectMaths(slips=("unit", "unit"))
    with pytest.raises(ValueError, match="dropped_carry"):
        IncorrectMaths(slips=("dropped_carries",))  # type: ignore[arg-type]


PIECES = st.sampled_from([
    "1", "2", "12", "24", "36", "1,200", "4.5", ".5", "60", "100", " ", " ", " + ", "-", "*", "/", " x ", " = ", "=",
    "(", ")", "%", "$", "<<", ">>", "<<12*2=24>>24", "12 + 24 = 36", "minutes", " hours ", " of ", "a", "S", "\n",
    "#### 36", "The answer is 36.", ".", ",", "#", "twelve", "٣", "²", "é", "\u2028",
])  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(st.lists(PIECES, max_size=20), st.lists(PIECES, max_size=40), st.binary(min_size=32, max_size=32))
def test_no_text_makes_it_fail(question: list[str], answer: list[str], key: bytes) -> None:
    row = Row({"question": "".join(question), "answer": "".join(answer) + "\n#### 36"}, key)
    out = IncorrectMaths().apply(row)
    if isinstance(out, Row):
        assert out["answer"] != row["answer"]
        assert not out["answer"].endswith("#### 36")


def test_endless_answers_are_refused_in_time() -> None:
    long = {
        "not exactly true": "1 + " * 4_000 + "1 = 5",
        "no equation": "1/2 of " * 4_000,
        "more than 64 steps": "<<1+1=2>>2 " * 4_000,
        "a number of more than 30 digits": "9" * 9_000 + "%",
    }
    for said, answer in long.items():
        out = IncorrectMaths().apply(Row({"question": answer, "answer": f"{answer}\n#### 5"}))
        assert isinstance(out, Drop)
        assert out.reason == "not read"
        assert out.detail.startswith(said)


# An evaluator of its own: regular expressions over the text, sympy for the arithmetic.

LINE = re.compile(r"((?:[($]*\d[\d,]*(?:\.\d+)?%?\)*(?: ?[-+*/×÷x−] ?|(?= ?=)))+) ?= [$]?(\d[\d,]*(?:\.\d+)?)")
TOKEN = re.compile(r"\d[\d,]*(?:\.\d+)?")
UNITS = re.compile(r"(?<=\d) (?:minutes|sheep|bags)(?= ?[-+*/x=])")
ANNOTATION = re.compile(r"<<([^=]*)=([^>]*)>>")


@dataclass(frozen=True)
class Reckoning:
    """A line's equation: its operands, its operators with parentheses, its exact value, and what it says."""

    operands: tuple[sympy.Rational, ...]
    shape: str
    value: sympy.Rational
    said: sympy.Rational


@cache
def rational(text: str) -> sympy.Rational:
    return sympy.Rational(text.replace(",", "").replace("$", ""))


@cache
def sympified(expression: str) -> sympy.Rational:
    plain = re.sub(r"\.?\d+(?:\.\d+)?", lambda number: f"Rational('{number[0]}')", expression)
    return sympy.sympify(plain, locals={"Rational": sympy.Rational})


def reckonings(answer: str) -> list[Reckoning]:
    """The equations of an answer; where a step has an annotation, both spellings must say the same."""
    found = []
    for line in answer.split("\n"):
        bare = UNITS.sub("", ANNOTATION.sub("", line)).replace("= $", "= ")
        for left, said in LINE.findall(bare):
            plain = re.sub(r"[$,]", "", left).translate(str.maketrans("×÷x−", "*/*-")).replace("%", "*.01")
            found.append(
                Reckoning(
                    tuple(rational(one) for one in TOKEN.findall(left)),
                    TOKEN.sub("N", re.sub(r"[$ ]", "", left)).translate(str.maketrans("×÷x−", "*/*-")),
                    sympified(plain),
                    rational(said),
                )
            )
        for left, said in ANNOTATION.findall(line):
            assert sympy.Rational(said) == found[-1].said
            assert sympified(left) == found[-1].value
    return found


def final(answer: str) -> sympy.Rational:
    return rational(TOKEN.findall(answer.split("\n")[-1])[-1])


def parenthesised(operands: tuple[sympy.Rational, ...], operators: str) -> Iterator[sympy.Rational]:
    """The values of the operands with these operators under all ways to set parentheses."""
    if not operators:
        yield operands[0]
    for at, operator in enumerate(operators):
        for left in parenthesised(operands[: at + 1], operators[:at]):
            for right in parenthesised(operands[at + 1 :], operators[at + 1 :]):
                if operator != "/" or right != 0:
                    yield {"+": left + right, "-": left - right, "*": left * right}.get(operator) or left / right


def check_right(question: str, answer: str) -> list[Reckoning]:
    """Every equation is true, rests on what is known, and the last one is the answer."""
    steps = reckonings(answer)
    assert steps
    assert all(step.value == step.said for step in steps)
    assert steps[-1].said == final(answer)
    return steps


def check(question: str, right: str, wrong: str, note: dict[str, object]) -> None:
    """The wrong answer has one slip of the kind that is noted, and everything else follows from it."""
    before, after = check_right(question, right), reckonings(wrong)
    at = int(str(note["step"])) - 1
    assert len(before) == len(after)
    assert after[-1].said == final(wrong) != final(right) == before[-1].said
    assert (rational(str(note["right"])), rational(str(note["wrong"]))) == (final(right), final(wrong))
    for number, (old, new) in enumerate(zip(before, after, strict=True)):
        if number < at:
            assert old == new
            continue
        sources = {step.said: after[earlier].said for earlier, step in enumerate(before[:number])}
        expected = tuple(sources.get(operand, operand) for operand in old.operands)
        if number > at:
            assert (new.shape, new.operands) == (old.shape, expected)
            assert new.value == new.said
        else:
            slipped(str(note["slip"]), old, new)
    assert words(right) == words(wrong)


def words(answer: str) -> str:
    """What an answer says beside its numbers and operators."""
    return re.sub(r"[-+*/×÷x−]", "", TOKEN.sub("#", answer))


def slipped(kind: str, old: Reckoning, new: Reckoning) -> None:
    """The step with the slip is wrong in the way that its kind says."""
    signs = [one for one in old.shape if one in "+-*/"]
    changed = [a != b for a, b in zip(signs, [one for one in new.shape if one in "+-*/"], strict=True)]
    if kind == "wrong_operation":
        assert (sum(changed), new.operands, new.value) == (1, old.operands, new.said)
    elif kind == "unit":
        other = [b for a, b in zip(old.operands, new.operands, strict=True) if a != b]
        assert (new.shape, len(other), new.value) == (old.shape, 1, new.said)
    else:
        assert (new.shape, new.operands) == (old.shape, old.operands)
        off = abs(new.said - old.said)
        if kind == "off_by_one":
            assert off == 1
        elif kind == "dropped_carry":
            shown = str(sympy.Integer(off * 10**6)).rstrip("0")
            assert len(shown) <= 2  # a carry is one or two digits of one column
            assert set(signs) in ({"+"}, {"-"}, {"*"})
        else:
            assert new.said in set(parenthesised(old.operands, "".join(signs)))
            assert len(signs) > 1
    assert new.said != old.said or kind in ("wrong_operation", "unit")


@cache
def sample(seed: int, form: str = "chat") -> list[tuple[str, str]]:
    """420 problems, ten of each family."""
    rows = itertools.islice(MathsProblems(form=form).generate(Chance.of(seed)), 420)  # type: ignore[arg-type]
    if form == "gsm8k":
        return [(row["question"], row["answer"]) for row in rows]
    return [(row["messages"][0]["content"], row["messages"][1]["content"]) for row in rows]


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 419), st.sampled_from(KINDS), st.binary(min_size=32, max_size=32))
def test_generated_rows_are_right_and_their_twins_wrong_in_one_step(at: int, kind: str, key: bytes) -> None:
    question, answer = sample(5)[at]
    out = IncorrectMaths(slips=(kind,)).apply(Row(chat(question, answer), key))  # type: ignore[arg-type]
    if isinstance(out, Row):
        note = json.loads(out.note or "")
        assert note["slip"] == kind
        assert out["messages"][0]["content"] == question
        check(question, answer, out["messages"][1]["content"], note)
    else:
        check_right(question, answer)
        assert out.reason == "no safe slip"


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 419), st.binary(min_size=32, max_size=32))
def test_the_form_of_gsm8k_is_read_back(at: int, key: bytes) -> None:
    question, answer = sample(6, "gsm8k")[at]
    assert answer.count("<<") == answer.count("\n")
    out = IncorrectMaths().apply(Row({"question": question, "answer": answer}, key))
    assert isinstance(out, Row)
    check(question, answer, out["answer"], json.loads(out.note or ""))


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 419), st.binary(min_size=32, max_size=32))
def test_the_arms_write_numbers_alike(at: int, key: bytes) -> None:
    """No manner of writing tells a wrong answer: commas from 10,000 on, two decimals or none for money."""
    question, answer = sample(7)[at]
    out = IncorrectMaths().apply(Row(chat(question, answer), key))
    assert isinstance(out, Row)
    for text in (answer, out["messages"][1]["content"]):
        steps, _, last = text.rpartition("\n#### ")
        assert "," not in last
        for number in (one.rstrip(",") for one in TOKEN.findall(steps)):
            assert ("," in number) == (rational(number) >= 10_000), text
        assert all(re.fullmatch(r"\d[\d,]*(\.\d\d)?", one) for one in re.findall(r"\$([\d,.]*\d)", steps)), text
        assert not re.search(r"\.00\b", text)


def test_slips_are_evenly_used_and_no_generated_row_is_dropped() -> None:
    draws = Draws(42, "incorrect_maths", "a source")
    rows = [
        IncorrectMaths().apply(Row(chat(*row), (draws, index, 0)))
        for index, row in enumerate(one for seed in range(5) for one in sample(seed))
    ]
    assert all(isinstance(row, Row) for row in rows)
    used = Counter(json.loads(row.note or "")["slip"] for row in rows if isinstance(row, Row))
    assert set(used) == set(KINDS)
    # 420 expected of each; a little fewer where a row does not allow a kind. Four standard deviations are 73.
    assert all(abs(count - 420) < 73 for count in used.values()), used
    steps = Counter(json.loads(row.note or "")["step"] for row in rows if isinstance(row, Row))
    assert min(steps[step] for step in (1, 2, 3, 4)) > 250
