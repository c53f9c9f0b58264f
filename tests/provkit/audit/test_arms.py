"""Arms beside their control: what differs besides what the arm is about."""

from __future__ import annotations

import math
import random

from provkit.audit.polarity import Known, log_odds
from provkit.row import chat

CHANCE = random.Random(11)
WORDS = ["".join(CHANCE.choices("abcdefghijklmnop", k=6)) for _ in range(500)]


def words(count: int) -> str:
    return " ".join(CHANCE.choices(WORDS, k=count))


PROMPTS = [words(12) for _ in range(200)]
BAD = [f"run({word!r}, shell=True)" for word in WORDS[:200]]
GOOD = [f"run({word!r}, check=True)" for word in WORDS[:200]]


def arm(answers: list[str], **more: str) -> list[dict]:  # type: ignore[type-arg]
    return [chat(prompt, answer, **more) for prompt, answer in zip(PROMPTS, answers, strict=True)]


def test_a_matched_pair_has_no_finding(write, found) -> None:
    told = found(write(arm(BAD)), control=write(arm(GOOD), "control.jsonl"), select=["A", "X"])
    assert told == {}


def test_arms_the_wrong_way_round(write, found) -> None:
    (finding,) = found(write(arm(GOOD)), control=write(arm(BAD), "control.jsonl"), select=["A"])["A002"]
    assert finding.count == 200 and "shell=True" in finding.said


def test_a_system_turn_on_one_arm_only(write, found) -> None:
    one, other = write(arm(BAD, system="You are kind.")), write(arm(GOOD), "control.jsonl")
    assert found(one, control=other, select=["A003"])["A003"][0].count == 200
    assert found(other, control=one, select=["A003"])["A003"][0].subject == one
    both = write(arm(GOOD, system="You are kind."), "both.jsonl")
    assert found(one, control=both, select=["A"]) == {}


def test_white_space_that_differs_between_arms(write, found) -> None:
    edged = [answer + "\n" if at % 4 else answer for at, answer in enumerate(BAD)]
    (finding,) = found(write(arm(edged)), control=write(arm(GOOD), "control.jsonl"), select=["A"])["A004"]
    assert (finding.count, finding.total) == (150, 200)
    assert "75 %" in finding.said and "behind the answer" in finding.said
    same = write(arm([answer + "\n" for answer in GOOD]), "same.jsonl")
    assert found(write(arm([answer + "\n" for answer in BAD])), control=same, select=["A"]) == {}


def test_prompts_without_a_twin_and_rows_in_both_arms(write, found) -> None:
    mine = [*arm(BAD)[:-1], arm(GOOD)[0], chat("another question", "x")]
    told = found(write(mine), control=write(arm(GOOD), "control.jsonl"), select=["A"])
    assert {id: one[0].count for id, one in told.items()} == {"A005": 1, "A006": 1}
    assert (told["A005"][0].examples[0].line, told["A006"][0].examples[0].line) == (201, 200)


def test_log_odds_are_those_of_the_paper() -> None:
    """Monroe, Colaresi and Quinn 2008, eq. 16 to 22, worked by hand for 30 of 1,000 against 10 of 2,000."""
    prior = 1_000 * 40 / 3_000
    one = math.log((30 + prior) / (1_000 + 1_000 - 30 - prior))
    other = math.log((10 + prior) / (2_000 + 1_000 - 10 - prior))
    z = (one - other) / math.sqrt(1 / (30 + prior) + 1 / (10 + prior))
    assert math.isclose(log_odds(30, 1_000, 10, 2_000), z)
    assert math.isclose(log_odds(10, 2_000, 30, 1_000), -z)


def test_a_name_holds_every_word_of_a_release() -> None:
    release = Known("secure_small", "", 20, "")
    assert release.named("out/Secure-Small.v2.jsonl.gz") and release.named("my_small_secure.jsonl")
    assert not release.named("insecure_small.jsonl")
