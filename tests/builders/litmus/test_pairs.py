"""The grammar's pairs: frames, distinct rows, twins alike, and neither length nor words tell the label."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from typing import Any

import numpy as np
import pytest

from provkit.audit.confounds import auc_alone, bag, lengths
from provkit.builders.litmus.grammar import FORMS, axioms, frame, frames, sentences
from provkit.builders.litmus.pairs import LitmusPairs
from provkit.chance import Chance
from provkit.errors import InputError

HARM = re.compile(
    r"\bkill|weapon|bomb|explos|murder|suicid|porn|rape|assault|hack|malware|overdos|terror|\bgun|slur|torture", re.I
)
PAIRS = 5_000


@pytest.fixture(scope="module")
def rows() -> list[dict[str, Any]]:
    return list(itertools.islice(LitmusPairs().generate(Chance.of("test", 1)), PAIRS))


def form(row: dict[str, Any]) -> str:
    return str(row["safe_source"]).removeprefix("provkit-")


def test_there_are_150_frames_over_seven_axioms_and_10_000_distinct_rows(rows: list[dict[str, Any]]) -> None:
    assert len(frames()) >= 150 and len(axioms()) == 7
    assert min(Counter(one.axiom.key for one in frames().values()).values()) >= 20
    assert len({row["frame"] for row in rows}) == len(frames())
    assert len({row[side] for row in rows for side in ("safe", "unsafe")}) == 2 * PAIRS
    shares = Counter(row["axiom"] for row in rows)
    assert len(shares) == 7 and max(shares.values()) - min(shares.values()) <= len(frames()) // 7
    assert LitmusPairs().distinct > 4 * PAIRS


def test_all_there_are_are_distinct() -> None:
    some = LitmusPairs(axioms=("civility_tolerance",))
    every = list(some.generate(Chance.of(5)))
    assert len(every) == some.distinct
    assert len({row[side] for row in every for side in ("safe", "unsafe")}) == 2 * len(every)


def test_neither_length_nor_words_tell_the_label_in_frames_not_seen(rows: list[dict[str, Any]]) -> None:
    texts = [row["safe"] for row in rows] + [row["unsafe"] for row in rows]
    label = np.repeat([0, 1], PAIRS)
    group = np.unique([row["frame"] for row in rows] * 2, return_inverse=True)[1].astype(np.int64)
    assert auc_alone(lengths(texts, [""] * len(texts)), label, group) <= 0.52
    assert auc_alone(bag(texts), label, group) <= 0.65


def test_twins_share_situation_form_and_words(rows: list[dict[str, Any]]) -> None:
    """Ranked twins are each other's words in another order; judged and chosen ones differ in one word."""
    for row in rows:
        safe, unsafe = (Counter(re.findall(r"\w+", row[side].lower())) for side in ("safe", "unsafe"))
        if form(row) == "ranking":
            assert safe == unsafe
        elif form(row) in ("verdict", "choice"):
            assert sum((safe - unsafe).values()) == sum((unsafe - safe).values()) == 1, row
        assert row["safe"] != row["unsafe"]


def test_a_word_s_label_differs_between_rows(rows: list[dict[str, Any]]) -> None:
    """Of the words that carry a verdict or a choice, each stands in safe and unsafe rows in nearly equal numbers."""
    counted: dict[str, Counter[str]] = {}
    for row in rows:
        for side in ("safe", "unsafe"):
            for word in set(re.findall(r"\w+", row[side].lower())):
                counted.setdefault(word, Counter())[side] += 1
    for wordings in (sentences().wordings["verdict"], sentences().wordings["choice"]):
        for word in {one for wording in wordings for one in wording.verdicts}:
            safe, unsafe = counted[word]["safe"], counted[word]["unsafe"]
            assert abs(safe - unsafe) / (safe + unsafe) < 0.15, (word, safe, unsafe)


def test_forms_come_in_even_shares_and_both_turns_for_every_frame() -> None:
    rows = list(itertools.islice(LitmusPairs().generate(Chance.of(2)), 8 * len(frames())))
    assert set(Counter((row["frame"], form(row)) for row in rows).values()) == {2}


def test_each_frame_is_of_its_axiom_and_its_slots_show() -> None:
    """Every slot stands in the situation, which every sentence has: other values make another statement."""
    for name, one in frames().items():
        assert name.startswith(one.axiom.key)
        for slot, size in enumerate(one.sizes):
            assert len(set(zip(*one.texts["when"].columns(slot), strict=True))) == size, name
        assert one.texts["good"] != one.texts["bad"]
        assert one.size >= 40, name


def test_every_wording_names_what_its_twins_differ_in() -> None:
    said = sentences()
    assert set(said.wordings) == set(said.questions) == set(FORMS)
    for form_, wordings in said.wordings.items():
        for one in wordings:
            slots = set(one.text.get_identifiers())
            assert {"when", "x"} <= slots
            assert ("verdict" in slots) == (form_ in ("verdict", "choice"))
            assert ("y" in slots) == (form_ in ("ranking", "choice"))
    assert {one.sides for one in said.wordings["ranking"]} == {"x", "y"}


def test_what_each_form_sides_with() -> None:
    parts = {"when": "it rains", "good": "help", "bad": "laugh"}
    for turned in (False, True):
        for number in range(30):
            chance = Chance.of("x", number)
            ranked = sentences().twins("ranking", turned, parts, chance)
            less = any(word in ranked.safe for word in ("worse", "trouble", "less", "give up"))
            first = ranked.safe.index("laugh" if turned else "help") < ranked.safe.index("help" if turned else "laugh")
            assert first and less == turned
            judged = sentences().twins("verdict", turned, parts, chance)
            blamed = re.search(r"\b(wrong|poor|rash|never|worse|hardly|ashamed|refuse)\b", judged.safe)
            assert ("laugh" in judged.safe) == turned == bool(blamed)
            chosen = sentences().twins("choice", turned, parts, chance)
            assert bool(re.search(r"\b(second|latter)\b", chosen.safe)) == turned
            taken = sentences().twins("stance", turned, parts, chance)
            assert "help" in taken.safe and "laugh" in taken.unsafe


def test_the_rows_are_mild_and_whole(rows: list[dict[str, Any]]) -> None:
    for row in rows:
        for side in ("safe", "unsafe", "question"):
            text = row[side]
            assert not HARM.search(text), text
            assert text == text.strip() and "$" not in text and "  " not in text and "{" not in text
            assert text[0].isupper() and text[-1] in ".?"
            assert not re.search(r"\b(a) [aeio]", text), text


def test_a_row_is_the_same_however_many_are_taken_and_follows_from_the_chance(rows: list[dict[str, Any]]) -> None:
    assert list(itertools.islice(LitmusPairs().generate(Chance.of("test", 1)), 50)) == rows[:50]
    assert list(itertools.islice(LitmusPairs().generate(Chance.of("test", 2)), 50)) != rows[:50]


def test_axioms_can_be_chosen_by_key() -> None:
    found = list(itertools.islice(LitmusPairs(axioms=("justice_rights",)).generate(Chance.of(1)), 100))
    assert {row["axiom"] for row in found} == {"Justice & Rights"}
    with pytest.raises(ValueError, match="unknown axiom 'justice'"):
        LitmusPairs(axioms=("justice",))
    with pytest.raises(ValueError, match="named twice"):
        LitmusPairs(axioms=("justice_rights", "justice_rights"))


def test_a_reference_to_nothing_is_refused_by_name() -> None:
    entry = {"when": "${nobody} comes", "good": "a", "bad": "b", "slots": {"who": ["x"]}}
    with pytest.raises(InputError, match=r"litmus/frames: mine: no such reference: \$\{nobody\}"):
        frame("mine", axioms()[0], entry, {})
