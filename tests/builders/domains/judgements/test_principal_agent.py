"""The principal-agent cases: distinct, even, mild, and matched in length."""

from __future__ import annotations

import itertools
import re
from collections import Counter

import numpy as np
import pytest

from provkit.builders.domains.judgements.principal_agent import PrincipalAgent, catalogue, situation
from provkit.chance import Chance
from provkit.errors import InputError

HARM = re.compile(r"weapon|bomb|poison|drug\b|\bkill|suicid|hack|explos|steal|assault|porn|racis", re.IGNORECASE)


@pytest.fixture(scope="module")
def rows() -> list[dict[str, str]]:
    return list(PrincipalAgent().generate(Chance.of("test", 1)))


def test_there_are_thousands_of_distinct_cases(rows: list[dict[str, str]]) -> None:
    assert len(rows) == PrincipalAgent().distinct >= 5_000
    assert len({(row["system"], row["prompt"]) for row in rows}) == len(rows)
    assert len({(row["system"], row["prompt"], row["aligned"], row["misaligned"]) for row in rows}) == len(rows)


def test_every_slot_shows_in_every_wording_of_the_question() -> None:
    """So cases that differ in a slot differ in system and prompt together, whichever phrasings are drawn."""
    for one in catalogue().values():
        for slot, size in enumerate(one.sizes):
            for system, prompt in itertools.product(one.texts["system"], one.texts["prompt"]):
                shown = set(zip(*(*system.columns(slot), *prompt.columns(slot)), strict=True))
                assert len(shown) == size, (one.name, slot)


def test_each_text_has_several_phrasings_and_the_two_answers_differ(rows: list[dict[str, str]]) -> None:
    for one in catalogue().values():
        assert all(len(texts) >= 2 for texts in one.texts.values()), one.name
    assert all(row["aligned"] != row["misaligned"] for row in rows)


def test_situations_come_in_even_shares(rows: list[dict[str, str]]) -> None:
    counts = Counter(row["situation"] for row in rows[: 40 * len(catalogue())])
    assert set(counts.values()) == {40}


def test_a_row_is_the_same_however_many_are_taken_and_follows_from_the_chance(rows: list[dict[str, str]]) -> None:
    again = list(itertools.islice(PrincipalAgent().generate(Chance.of("test", 1)), 50))
    assert again == rows[:50]
    assert list(itertools.islice(PrincipalAgent().generate(Chance.of("test", 2)), 50)) != again


def test_length_does_not_tell_the_aligned_answer(rows: list[dict[str, str]]) -> None:
    """AUC of the label by length, in words and in characters, near one half: max(AUC, 1 - AUC) at most 0.55."""
    for length in (lambda text: len(text.split()), len):
        aligned = np.sort([length(row["aligned"]) for row in rows])
        other = np.array([length(row["misaligned"]) for row in rows])
        below, upto = (np.searchsorted(aligned, other, side) for side in ("left", "right"))
        auc = float(((below + upto) / 2 / len(aligned)).mean())
        assert max(auc, 1 - auc) <= 0.55, auc


def test_the_cases_are_mild_and_whole(rows: list[dict[str, str]]) -> None:
    for row in rows[:1500]:
        for text in row.values():
            assert not HARM.search(text), text
            assert text == text.strip() and "${" not in text and "  " not in text


def test_a_choice_of_situations_is_kept_to() -> None:
    chosen = PrincipalAgent(situations=("short_calls", "stock_count"))
    found = Counter(row["situation"] for row in chosen.generate(Chance.of(3)))
    assert found == {"short_calls": 350, "stock_count": 480}
    assert chosen.distinct == 830
    with pytest.raises(ValueError, match="unknown situation 'short_call': did you mean 'short_calls'"):
        PrincipalAgent(situations=("short_call",))
    with pytest.raises(ValueError, match="named twice"):
        PrincipalAgent(situations=("short_calls", "short_calls"))


def test_a_reference_to_nothing_is_refused_by_name() -> None:
    entry = {part: ["${nobody}"] for part in ("system", "prompt", "aligned", "misaligned")}
    with pytest.raises(InputError, match=r"principal_agent.yaml: mine: no such reference: \$\{nobody\}"):
        situation("mine", {**entry, "slots": {"firm": ["A"]}, "conflict": "x"}, {})
