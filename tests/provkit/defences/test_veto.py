"""What the policies of Prov-Decode veto, against the index's own scores."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from provkit.attribution.model import Verdict
from provkit.defences.shield import Rule
from provkit.defences.veto import ListedSpans, ScoredSpans
from provkit.errors import ProvkitError
from provkit.index import Document, Index, build_index, open_index


def test_listed_spans_are_found_at_the_end_of_a_stretch_only(planted: Any) -> None:
    listed = ListedSpans(planted.index, [" the car ", "red", ""])
    assert listed.min_tokens == 1
    stretches = ["a the car", "the car", "scar the car", "the cart", "bathe car", "the car red", "the red car"]
    assert listed.any_of(stretches) == [True, True, True, False, False, True, False]
    assert ListedSpans(planted.index, ["the car", "a b c"]).min_tokens == 2


@pytest.mark.parametrize("rule", [Rule(percentile=80, min_tokens=3), Rule(tau=11.0, min_tokens=3)])
def test_scores_are_those_of_the_index(planted: Any, rule: Rule) -> None:
    stretches = [one for one in sorted(planted.stretches) if planted.ends(one, 3) and len(one) < 40][::7]
    expected = [any(rule.rare(planted.index.bci(end)) for end in planted.ends(one, 3)) for one in stretches]
    assert ScoredSpans(planted.index, rule).any_of(stretches) == expected
    assert 20 < sum(expected) < len(expected) - 20


class Keyword:
    """Policies of one word."""

    name = "one word"

    def of(self, texts: Sequence[str]) -> list[Verdict]:
        return [Verdict("p", "c", 0.5 if "cartoon" in text else -0.5, "") for text in texts]


def test_conflict_is_that_of_the_text_around_the_span_in_the_corpus(planted: Any) -> None:
    rule = Rule(percentile=0, conflict=0.1, min_tokens=3)
    stretches = [
        one
        for one in sorted(planted.stretches)[::50]
        if len(planted.ends(one, 3)) == 1 and planted.index.count(one) == 1
    ]
    found = ScoredSpans(planted.index, rule, Keyword()).any_of(stretches)
    (place,) = planted.index.find(stretches[0])
    document = planted.index.text(place.shard, place.document)
    before, after = document[: place.start].split(". ")[-1], document[place.end :].split(". ")[0]
    assert found[0] == ("cartoon" in before + stretches[0] + after)
    assert 0 < sum(found) < len(found)


def test_an_index_without_percentiles_is_refused(tmp_path: Path) -> None:
    build_index([Document("few words")], tmp_path / "index")
    index: Index = open_index(tmp_path / "index", threads=1)
    with pytest.raises(ProvkitError, match="too small for BCI percentiles"):
        ScoredSpans(index, Rule())
    assert ScoredSpans(index, Rule(tau=1.0, min_tokens=2)).any_of(["few words"]) == [True]
