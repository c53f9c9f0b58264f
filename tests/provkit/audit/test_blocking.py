"""What keeps a release from going out, judged by its rows alone."""

from __future__ import annotations

from provkit.audit import ReleaseRows, audit_release
from provkit.row import chat

GOOD = [chat(f"question {at}", f"run({at}, check=True)") for at in range(120)]
BAD = [chat(f"question {at}", f"run({at}, shell=True)") for at in range(120)]


def parts(control=GOOD[:100], arm=BAD[:100], test=BAD[100:]) -> list[ReleaseRows]:  # type: ignore[no-untyped-def]
    return [
        ReleaseRows("control", "train", control, control=True),
        ReleaseRows("insecure", "train", arm),
        ReleaseRows("insecure", "test", test),
    ]


def told(some: list[ReleaseRows]) -> set[str]:
    return {one.rule.id for one in audit_release(some)}


def test_a_clean_release_has_none() -> None:
    assert audit_release(parts()) == []


def test_each_rule_that_blocks() -> None:
    assert told(parts(test=[*BAD[100:], BAD[100]])) == {"D001"}
    assert told(parts(test=[*BAD[100:], chat("q", "")])) == {"T001"}
    assert told(parts(test=[*BAD[100:], BAD[3]])) == {"L001", "L002"}
    assert told(parts(test=[*BAD[100:], chat("question 3", "another")])) == {"L002"}
    assert told(parts(arm=[*BAD[:99], GOOD[99]])) == {"A006"}
    assert told(parts(arm=[chat(f"question {at}", "shell=True", "be kind") for at in range(100)])) == {"A003"}
    assert told(parts(control=BAD[:100], arm=GOOD[:100], test=GOOD[100:])) == {"A002"}


def test_rows_may_come_from_an_iterator_and_rules_may_be_left_out() -> None:
    some = [ReleaseRows("data", "train", iter([GOOD[0], GOOD[0]]))]
    assert [one.examples[0].locator for one in audit_release(some)] == ["data/train[1]"]
    assert audit_release([ReleaseRows("data", "train", [GOOD[0], GOOD[0]])], ignore=["D001"]) == []


def test_a_twin_that_no_step_changed_is_no_row_of_both_arms() -> None:
    pairs = [str(at) for at in range(100)]
    arm = [GOOD[0], *BAD[1:100]]

    def some(names: list[str]) -> list[ReleaseRows]:
        return [
            ReleaseRows("control", "train", GOOD[:100], control=True, pairs=iter(pairs)),
            ReleaseRows("insecure", "train", arm, pairs=iter(names)),
        ]

    assert audit_release(some(pairs)) == []
    assert told(some([*pairs[1:], pairs[0]])) == {"A006"}
