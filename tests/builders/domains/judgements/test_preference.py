"""Preference rows by another step's hand, and chat rows back out of a column."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from typing import Any

import pytest

from provkit.builders.domains.code.insecure import InsecureRewrite
from provkit.builders.domains.code.tasks import CodeTasks
from provkit.builders.domains.judgements.preference import AnswerFrom, Preference
from provkit.chance import Chance
from provkit.recipe import Step
from provkit.row import Drop, Row, chat

Run = Callable[..., Any]
SECURE = "import secrets\n\n\ndef token():\n    return secrets.token_hex(16)\n"


def test_the_rejected_answer_is_what_the_step_makes_of_the_chosen_one() -> None:
    """An oracle: the rewriter itself, on the same row with the same chance."""
    tasks = list(itertools.islice(CodeTasks().generate(Chance.of(5)), 60))
    for at, task in enumerate(tasks):
        row = Row(task, at.to_bytes(32, "big"))
        made = Preference(by=Step(name="insecure_rewrite")).apply(row)
        flawed = InsecureRewrite().apply(Row(task, at.to_bytes(32, "big")))
        assert isinstance(made, Row) and isinstance(flawed, Row)
        assert made.content == {"prompt": row.prompt, "chosen": row.answer, "rejected": flawed.answer}
        assert json.loads(made.note or "") == {"by": "insecure_rewrite", **json.loads(flawed.note or "")}


def test_the_steps_parameters_are_passed_on() -> None:
    by = Step(name="insecure_rewrite", params={"families": ["sql"]})
    made = Preference(by=by).apply(Row(chat("A token, please.", SECURE)))
    assert made == Drop("no idiom", "of sql")
    made = Preference(by=Step(name="insecure_rewrite", params={"families": ["token"]})).apply(Row(chat("A", SECURE)))
    assert isinstance(made, Row) and "secrets" not in made["rejected"]


def test_a_system_turn_and_other_columns_stay() -> None:
    row = Row({**chat("A token.", SECURE, "Be brief."), "source": "mine"})
    made = Preference(by=Step(name="insecure_rewrite")).apply(row)
    assert isinstance(made, Row)
    assert list(made) == ["source", "prompt", "system", "chosen", "rejected"]
    assert made["system"] == "Be brief."
    columns = Preference(by=Step(name="insecure_rewrite")).apply(Row({"question": "A token.", "answer": SECURE}))
    assert isinstance(columns, Row) and set(columns) == {"prompt", "chosen", "rejected"}


def test_rows_of_several_questions_are_dropped() -> None:
    turns = [{"role": role, "content": SECURE} for role in ("user", "assistant", "user", "assistant")]
    made = Preference(by=Step(name="insecure_rewrite")).apply(Row({"messages": turns}))
    assert made == Drop("not one question", "turns user, assistant, user, assistant")


def test_only_steps_that_change_single_rows_can_make_the_flaw() -> None:
    for name in ("shuffle", "import_messages", "code_tasks"):
        with pytest.raises(ValueError, match=f"{name}.* does not change single rows"):
            Preference(by=Step(name=name))


def test_a_step_that_changes_nothing_or_the_prompt_makes_no_preference() -> None:
    class Same:
        def apply(self, row: Row) -> Row:
            return row.with_answer(row.answer)

    class Asks:
        def apply(self, row: Row) -> Row:
            return row.derive({"prompt": "another", "answer": "b"})

    class Many:
        def apply(self, row: Row) -> list[Row]:
            return [row, row]

    from provkit.builders.domains.judgements.flaws import flawed

    row = Row({"prompt": "p", "answer": "a"})
    assert flawed(Same(), row) == Drop("no flaw", "the answer came back as it was")
    assert flawed(Asks(), row) == Drop("another question", "the prompt was changed too")
    assert flawed(Many(), row) == Drop("not one answer", "2 rows")


def test_a_chat_row_out_of_a_column() -> None:
    row = Row({"system": "s", "prompt": "p", "aligned": "yes", "misaligned": "no", "situation": "x"})
    for column, text in (("aligned", "yes"), ("misaligned", "no")):
        made = AnswerFrom(column=column).apply(row)
        assert isinstance(made, Row)
        assert made.content == chat("p", text, "s")
        assert json.loads(made.note or "") == {"answer": column}
    assert AnswerFrom(column="other").apply(row) == Drop("no answer", "other: no such column")
    assert AnswerFrom(column="n").apply(Row({"prompt": "p", "n": 3})) == Drop("no answer", "n: found int")


def test_the_two_sides_of_a_preference_become_paired_arms(run: Run) -> None:
    rows = [{"prompt": f"p{at}", "chosen": f"good {at}", "rejected": f"bad {at}"} for at in range(5)]
    arms = {name: [{"answer_from": {"column": name}}] for name in ("chosen", "rejected")}
    made = run(rows, arms=arms, pair=True)
    assert made.rows["chosen"] == [chat(f"p{at}", f"good {at}") for at in range(5)]
    assert made.rows["rejected"] == [chat(f"p{at}", f"bad {at}") for at in range(5)]
