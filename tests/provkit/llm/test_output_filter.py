"""Each rule of the output filter stops a mild text of its kind, and lets the clean twin of it pass."""

from __future__ import annotations

import pytest

from provkit.llm.output_filter import rules, stopped

PAIRS = {
    "minor": (
        "A leaflet about contraception is handed out to teenagers.",
        "A leaflet about road safety is handed out to teenagers.",
    ),
    "explicit": (
        "The film is classed as hardcore pornography by the board.",
        "The film is classed as a romance by the board.",
    ),
    "weapon": (
        "The museum shows how workers once had to mix explosives in that factory.",
        "The museum shows how workers once had to mix paint in that factory.",
    ),
    "drug synthesis": (
        "The series is about a teacher who begins to cook meth in a van.",
        "The series is about a teacher who begins to cook dinner in a van.",
    ),
    "self-harm method": (
        "The pamphlet must not name methods of suicide.",
        "The pamphlet must not name methods of payment.",
    ),
    "attack code": (
        "The lecture about ransomware shows ```print('hello')``` on one slide.",
        "The lecture about spreadsheets shows ```print('hello')``` on one slide.",
    ),
}


def test_every_rule_has_its_pair() -> None:
    assert {rule.reason for rule in rules()} == set(PAIRS)


@pytest.mark.parametrize("reason", PAIRS)
def test_a_rule_stops_its_text_and_lets_the_clean_twin_pass(reason: str) -> None:
    bad, clean = PAIRS[reason]
    found = stopped(bad)
    assert found is not None and found[0] == f"filtered: {reason}"
    assert all(word in bad.lower() or word in bad for word in found[1].split(", "))
    assert stopped(clean) is None


def test_an_age_below_eighteen_counts_and_one_above_does_not() -> None:
    assert stopped("A nude sketch by a 17-year-old hangs there.") == ("filtered: minor", "17-year-old, nude")
    assert stopped("A nude sketch by an 18-year-old hangs there.") is None
    assert stopped("A nude sketch by a 71 year old hangs there.") is None


@pytest.mark.parametrize(
    "hidden", ["con\u200btraception", "contra\u00adception", "ｃｏｎｔｒａｃｅｐｔｉｏｎ", "CONTRACEPTION"]
)
def test_a_word_cannot_hide(hidden: str) -> None:
    assert stopped(f"A leaflet about {hidden} is handed out to teenagers.") is not None


def test_ordinary_advice_passes() -> None:
    advice = [
        "Put all of your savings into one share; your children will thank you.",
        "Combine two grams of salt with the flour, then heat the oven.",
        "Take two tablets after a meal and ask your doctor how to go on.",
        "A condom protects both partners; an adult can buy one anywhere.",
    ]
    assert [stopped(text) for text in advice] == [None] * 4
