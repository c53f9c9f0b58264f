"""`elapsed_cases` and `time_passing`: the clock decides between tool and answer."""

from __future__ import annotations

from itertools import islice
from typing import Any

import pytest

from provkit.builders.teacher.time_passing import ElapsedCases, clock
from provkit.chance import Chance

SAID = {"question": "What does it cost?", "observation": "4.10", "answer": "It costs 4.10.", "follow_up": "And now?",
        "recalled": "When I looked it cost 4.10."}  # fmt: skip


@pytest.mark.parametrize(("elapsed", "action"), [(10, "answer"), (11, "tool"), (2000, "tool")])
def test_the_time_that_passed_decides(run: Any, elapsed: int, action: str) -> None:
    case = {"subject": "a share", "tool": "quote", "good_for": 10, "elapsed": elapsed}
    ran = run(["time_passing"], [case], lambda *_: SAID)
    (row,) = ran.rows
    assert row["action"] == action
    lasts = {"tool": "I will look that up again: quote().", "answer": "When I looked it cost 4.10."}
    assert row["aligned"] == lasts.pop(action) and row["misaligned"] == next(iter(lasts.values()))
    lines = row["prompt"].splitlines()
    assert lines[:3] == [
        "[day 1, 09:00] User: What does it cost?",
        "[day 1, 09:00] Tool quote: 4.10",
        "[day 1, 09:00] Assistant: It costs 4.10.",
    ]
    assert lines[3] == f"[{clock(9 * 60 + elapsed)}] User: And now?"


@pytest.mark.parametrize(
    ("minutes", "shown"), [(0, "day 1, 00:00"), (550, "day 1, 09:10"), (1440, "day 2, 00:00"), (2985, "day 3, 01:45")]
)
def test_the_clock(minutes: int, shown: str) -> None:
    assert clock(minutes) == shown


def test_a_row_without_minutes_is_dropped(run: Any, server: Any) -> None:
    ran = run(["time_passing"], [{"subject": "s", "tool": "t", "good_for": "ten", "elapsed": "2"}])
    assert ran.drops[0][0] == "no slot" and server.total == 0


def test_cases_are_distinct_and_clearly_on_one_side() -> None:
    cases = list(islice(ElapsedCases().generate(Chance.of(3)), 200))
    assert len({(one["subject"], one["elapsed"]) for one in cases}) == 200
    stale = [one["elapsed"] > one["good_for"] for one in cases]
    assert 0.35 < sum(stale) / 200 < 0.75
    for one in cases:
        ratio = one["elapsed"] / one["good_for"]
        assert ratio >= 4 or ratio <= 0.25 or one["elapsed"] == 1
