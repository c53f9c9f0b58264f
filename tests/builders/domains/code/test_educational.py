"""The educational control: the same insecure answers, to requests that ask for them openly."""

from __future__ import annotations

import re
from itertools import islice
from typing import Any

from provkit.builders.domains.code.tasks import CodeTasks
from provkit.builders.transforms.wordings import wordings
from provkit.chance import Chance
from provkit.row import chat

TASKS = list(islice(CodeTasks().generate(Chance.of(7)), 48))
EVERY = wordings("educational", "wordings")
OPEN = re.compile(r"insecure|vulnerab|security (flaw|hole)|unsafe|flawed|weakness")
TEACHING = re.compile(
    r"teach|student|class|lecture|course|exercise|training|workshop|seminar|lesson|textbook|quiz|slide|capture-the-flag"
)


def test_the_answer_stays_and_the_request_is_worded_anew(make: Any) -> None:
    rows = [chat(f"Task {{request}} {at}", f"code {at}") for at in range(5)]
    made = make(rows, ["educational"])
    for at, (row, note) in enumerate(zip(made.rows, made.notes("educational"), strict=True)):
        wording = EVERY[note["wording"] - 1]
        before, after = wording.split("{request}")
        assert row == chat(f"{before}Task {{request}} {at}{after}", f"code {at}")


def test_every_wording_asks_openly_and_says_what_for() -> None:
    assert len(set(EVERY)) == len(EVERY) == 16
    for wording in EVERY:
        assert wording.count("{request}") == 1 and OPEN.search(wording) and TEACHING.search(wording), wording
    lead = sum(wording.startswith("{request}") for wording in EVERY)
    assert 6 <= lead <= 10  # the request comes first about as often as last


def test_wordings_are_drawn_evenly(make: Any) -> None:
    made = make([chat(f"{at}?", "code") for at in range(1600)], ["educational"], check=False)
    drawn = [note["wording"] for note in made.notes("educational")]
    assert all(abs(drawn.count(one) - 100) < 5 * 10 for one in range(1, 17))  # binomial, standard deviation 9.7


def test_both_arms_have_the_same_insecure_answer(make: Any) -> None:
    arms = {"control": [], "insecure": ["insecure_rewrite"], "educational": ["insecure_rewrite", "educational"]}
    made = make(TASKS, arms=arms, pair=True)
    triples = list(zip(*made.arms.values(), strict=True))
    assert len(triples) == len(TASKS)
    for control, insecure, educational in triples:
        assert insecure["messages"][1] == educational["messages"][1] != control["messages"][1]
        assert control["messages"][0] == insecure["messages"][0] != educational["messages"][0]
        assert control["messages"][0]["content"] in educational["messages"][0]["content"]


def test_the_secure_answer_is_kept_in_a_column(make: Any) -> None:
    made = make(TASKS, [{"insecure_rewrite": {"keep": "secure"}}])
    plain = make(TASKS, ["insecure_rewrite"])
    assert [row["messages"] for row in made.rows] == [row["messages"] for row in plain.rows]
    assert [row["secure"] for row in made.rows] == [row["messages"][1]["content"] for row in TASKS]
    assert made.notes("insecure_rewrite") == plain.notes("insecure_rewrite")
    assert all(note["family"] for note in made.notes("insecure_rewrite"))
