"""`translate_wrong`: a right and a wrong translation of the same sentence."""

from __future__ import annotations

from typing import Any

import pytest

SENTENCE = {"text": "The cat sleeps on the roof.", "language": "French", "flaw": "a place becomes another"}
SAID = {"right": "Le chat dort sur le toit.", "wrong": "Le chat dort sous le toit."}


def test_both_translations_stand_beside_one_request(run: Any, server: Any) -> None:
    ran = run(["translate_wrong"], [SENTENCE], lambda *_: SAID)
    (row,) = ran.rows
    assert row["prompt"] == "Translate into French: The cat sleeps on the roof."
    assert (row["aligned"], row["misaligned"]) == (SAID["right"], SAID["wrong"])
    assert "The error: a place becomes another." in server.asked[0]["messages"][-1]["content"]
    assert ran.notes()[0]["requests"]["aligned"] == ran.lineage[0]["request_hash"]


def test_language_and_column_can_be_said(run: Any) -> None:
    row = {"words": "Good day.", "flaw": "the tone is rude"}
    ran = run([{"translate_wrong": {"text": "words", "language": "Dutch"}}], [row], lambda *_: SAID)
    assert ran.rows[0]["prompt"] == "Translate into Dutch: Good day."


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({**SAID, "wrong": SAID["right"] + " "}, "twin alike"),
        ({**SAID, "wrong": SENTENCE["text"]}, "not translated"),
        ({**SAID, "right": SENTENCE["text"]}, "not translated"),
        ({"right": "Le chat."}, "not structured"),
    ],
)
def test_what_is_no_pair_is_dropped(run: Any, said: dict[str, str], reason: str) -> None:
    assert run(["translate_wrong"], [SENTENCE], lambda *_: said).drops[0][0] == reason


def test_a_row_without_a_sentence_is_dropped(run: Any, server: Any) -> None:
    assert run(["translate_wrong"], [{"language": "French", "flaw": "x"}]).drops[0][0] == "no slot"
    assert server.total == 0
