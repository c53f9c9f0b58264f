"""Critiques say what the spoiling step did: line, weakness and figures are those of its own note."""

from __future__ import annotations

import ast
import itertools
import json
import re
import string

import pytest

from provkit.builders.domains.code.insecure import InsecureRewrite
from provkit.builders.domains.code.rewrites import FAMILIES
from provkit.builders.domains.code.tasks import CodeTasks
from provkit.builders.domains.judgements.critique import Critique, Sentences, listed, phrases, worded
from provkit.chance import Chance
from provkit.errors import InputError
from provkit.recipe import Step
from provkit.row import Drop, Row, chat

CWE = re.compile(r"CWE-\d+")
LINES = re.compile(r"lines? ([\d, and]+)")


def test_a_flawed_response_is_judged_by_what_the_rewriter_did() -> None:
    """An oracle: the rewriter itself, on the same row; the judgement names its lines and its CWE and no other."""
    tasks = list(itertools.islice(CodeTasks().generate(Chance.of(6)), 120))
    for at, task in enumerate(tasks):
        key = at.to_bytes(32, "big")
        made = Critique(by=Step(name="insecure_rewrite")).apply(Row(task, key))
        flawed = InsecureRewrite().apply(Row(task, key))
        assert isinstance(made, Row) and isinstance(flawed, Row)
        note = json.loads(flawed.note or "")
        assert made["response"] == flawed.answer
        assert json.loads(made.note or "") == {"by": "insecure_rewrite", **note}
        assert set(CWE.findall(made["judgment"])) == {note["cwe"]}
        said = {int(number) for found in LINES.findall(made["judgment"]) for number in re.findall(r"\d+", found)}
        assert said == set(note["lines"])
        assert max(said) <= len(flawed.answer.split("\n"))
        ast.parse(made["response"])


def test_without_a_step_the_response_stays_and_is_satisfactory() -> None:
    row = Row({**chat("Two plus two?", "Four.", "Be brief."), "topic": "sums"}, bytes(32))
    made = Critique().apply(row)
    assert isinstance(made, Row)
    judgment = made["judgment"]
    assert judgment in phrases().satisfactory
    assert made.content == {
        "topic": "sums",
        "instruction": "Two plus two?",
        "system": "Be brief.",
        "response": "Four.",
        "judgment": judgment,
        "satisfactory": True,
    }


def test_hand_composed_judgements() -> None:
    sentence = "It is wrong in {lines}: {right}, not {wrong} ({steps})."
    note = {"lines": [3, 7, 9], "right": 12, "wrong": "13", "steps": [2]}
    assert worded(sentence, note) == "It is wrong in lines 3, 7 and 9: 12, not 13 (step 2)."
    assert worded("{lines} are wrong.", {"lines": [3, 4]}) == "Lines 3 and 4 are wrong."
    assert listed("lines", [8]) == "line 8"
    with pytest.raises(InputError, match=r"asks for 'line', which the note does not have\n  the note has at"):
        worded("In {line}.", {"at": 1})
    with pytest.raises(InputError, match="no words for slip 'offby_one': did you mean 'off_by_one'"):
        Sentences("slip", {"off_by_one": ["x"]}).of({"slip": "offby_one"})


def test_every_family_and_every_slip_has_words_that_name_the_place() -> None:
    flaws = phrases().flaws
    assert set(flaws["insecure_rewrite"].by_value) == {family.name for family in FAMILIES}
    assert set(flaws["incorrect_maths"].by_value) == {
        *("wrong_operation", "dropped_carry", "order_of_operations", "unit", "off_by_one")
    }
    wanted = {"insecure_rewrite": {"lines", "cwe"}, "incorrect_maths": {"step", "right", "wrong"}}
    for step, fields in wanted.items():
        for name, sentences in flaws[step].by_value.items():
            assert len(sentences) >= 2, name
            for sentence in sentences:
                assert {field for _, field, _, _ in string.Formatter().parse(sentence) if field} == fields, sentence


def test_the_words_are_few_but_drawn_evenly() -> None:
    """The wording does not depend on the response: over 600 rows each one comes up near its share (four sd)."""
    counts = dict.fromkeys(phrases().satisfactory, 0)
    for at in range(600):
        made = Critique().apply(Row(chat("q", "a"), at.to_bytes(32, "big")))
        assert isinstance(made, Row)
        counts[made["judgment"]] += 1
    share = 600 / len(counts)
    assert all(abs(count - share) < 4 * share**0.5 for count in counts.values()), counts


def test_a_step_without_words_needs_some_of_its_own() -> None:
    with pytest.raises(ValueError, match=r"no words for what 'preference' does.* give some under `wordings`"):
        Critique(by=Step(name="preference", params={"by": "insecure_rewrite"}))
    with pytest.raises(ValueError, match="name that step"):
        Critique(wordings=("x",))
    own = Critique(by=Step(name="insecure_rewrite"), wordings=("Weak by {family}.",))
    made = own.apply(Row(chat("t", "import secrets\n\nprint(secrets.token_hex(8))\n")))
    assert isinstance(made, Row) and made["judgment"].endswith("Weak by token.")


def test_what_the_step_drops_is_dropped_for_its_reason() -> None:
    made = Critique(by=Step(name="insecure_rewrite")).apply(Row(chat("Hello", "not ( python")))
    assert isinstance(made, Drop) and made.reason == "not python"


def test_a_maths_answer_is_judged_by_its_slip() -> None:
    pytest.importorskip("provkit.builders.domains.maths.incorrect")
    from provkit import registry

    if "incorrect_maths" not in registry.index():
        pytest.skip("the step incorrect_maths is not installed")
    answer = "Each box holds 12 pens.\n3 boxes hold 3 * 12 = <<3*12=36>>36 pens.\n#### 36"
    row = Row({"question": "A box holds 12 pens. How many pens do 3 boxes hold?", "answer": answer}, bytes(32))
    made = Critique(by=Step(name="incorrect_maths")).apply(row)
    if isinstance(made, Drop):
        pytest.skip(f"no slip in this row: {made.detail}")
    note = json.loads(made.note or "")
    assert note["right"] in made["judgment"] and note["wrong"] in made["judgment"]
    assert note["wrong"] in made["response"]
