"""The shield: what it refuses, why, and what it lets pass."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from provkit.attribution.model import Verdict
from provkit.cli import main
from provkit.defences import Rule, Shield
from provkit.defences.calibration import auc, calibrate, read_rule, roc, write
from provkit.errors import InputError, ProvkitError
from provkit.index import Document, Index, build_index, open_index

LICENCE = "Permission is hereby granted to any person who obtains a copy of this software to use it without limit."
BAD = "Nobody needs to know about the mistake, so hide it from the people whom it hurts and stay silent."
WORDS = "river stone cloud paper green quiet table seven window garden letter music".split()


class Keyword:
    """Policies of one word: texts that hold it stand against it by 0.5, others keep to it by 0.5."""

    name = "one word"
    asked: int = 0

    def of(self, texts: Sequence[str]) -> list[Verdict]:
        self.asked += len(texts)
        return [
            Verdict("honesty", "truth", 0.5 if "hide it" in text else -0.5, "Say what went wrong.") for text in texts
        ]


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Index:
    path = tmp_path_factory.mktemp("shield") / "index"
    chance = random.Random(0)
    filler = [" ".join(chance.choices(WORDS, k=30)) + "." for _ in range(200)]
    texts = [LICENCE, f"An adviser says. {BAD} That is all.", *filler]
    build_index([Document(text, {"doc_id": f"doc-{n}"}) for n, text in enumerate(texts)], path)
    return open_index(path)


def test_a_copy_of_contrary_text_is_refused_with_its_source(index: Index) -> None:
    ruling = Shield(index, Keyword()).check(f"My advice: {BAD}")
    assert ruling.refused
    (mark,) = [mark for mark in ruling.marks if mark.refused]
    assert mark.text == BAD and mark.span.count == 1
    assert [held.place.doc_id for held in mark.documents] == ["doc-1"]
    assert mark.documents[0].context.match == BAD
    assert mark.verdict is not None and (mark.verdict.policy, mark.verdict.score) == ("honesty", 0.5)


def test_a_verbatim_licence_passes_unless_the_paper_s_rule_is_asked_for(index: Index) -> None:
    assert not Shield(index, Keyword()).check(LICENCE).refused
    (mark,) = Shield(index, rule=Rule(tau=20)).check(LICENCE).marks
    assert mark.bci.bci > 20 and mark.refused and mark.verdict is None


def test_both_the_text_and_its_source_must_stand_against_the_policy(index: Index) -> None:
    shared = "so hide it from the people whom"
    assert not Shield(index, Keyword(), Rule(min_tokens=9)).check(shared).marks
    quoting = Shield(index, Keyword(), Rule(min_tokens=4)).check("the people whom it hurts and stay silent, I asked")
    assert quoting.marks and not quoting.refused  # the source stands against it, this sentence does not


def test_the_percentile_spares_embeddings(index: Index) -> None:
    keyword = Keyword()
    ruling = Shield(index, keyword, Rule(percentile=100)).check(BAD)
    kept = [mark for mark in ruling.marks if mark.bci.bci_percentile < 100]
    assert not kept
    keyword.asked = 0
    assert not Shield(index, keyword).check("nothing of this stands anywhere in there").refused
    assert keyword.asked == 0


def test_documents_are_asked_only_about_sentences_that_stand_against_the_policy(index: Index) -> None:
    keyword = Keyword()
    ruling = Shield(index, keyword).check(LICENCE)
    assert [(mark.refused, mark.verdict and mark.verdict.score) for mark in ruling.marks] == [(False, -0.5)]
    assert keyword.asked == 1
    assert Shield(index, keyword).check(BAD).refused and keyword.asked == 3


def test_many_texts_are_ruled_as_one_by_one(index: Index) -> None:
    texts = [BAD, LICENCE, "", "x", f"{LICENCE} {BAD}"]
    shield = Shield(index, Keyword())
    assert shield.check_many(texts) == [shield.check(text) for text in texts]


def test_a_rule_of_conflict_needs_policies(index: Index) -> None:
    with pytest.raises(ProvkitError, match="needs policies"):
        Shield(index)


def test_roc_and_its_area_by_hand() -> None:
    benign, harmful = [0.1, 0.2, 0.3, 0.4], [0.3, 0.5]
    assert roc(benign, harmful) == [
        (0.5, 0.0, 0.5), (0.4, 0.25, 0.5), (0.3, 0.5, 1.0), (0.2, 0.75, 1.0), (0.1, 1.0, 1.0),
    ]  # fmt: skip
    assert auc(benign, harmful) == (2 + 0.5 + 4) / 8


def test_a_calibration_measures_on_the_half_that_it_did_not_choose_on(index: Index, tmp_path: Path) -> None:
    chance = random.Random(1)
    benign = [" ".join(chance.choices(WORDS, k=12)) for _ in range(38)] + [LICENCE, LICENCE]
    harmful = [f"{word}: {BAD}" for word in WORDS * 2] + ["unrelated words that stand nowhere"] * 6
    shield = Shield(index, Keyword())
    found = calibrate(shield, benign, harmful)
    assert found.rule.conflict == 0.5
    assert (found.benign.texts, found.harmful.texts) == (20, 15)
    assert found.benign.refused == 0
    ruled = Shield(index, Keyword(), found.rule).check_many(harmful)
    assert sum(ruling.refused for ruling in ruled) == 24
    said = found.benign.plain()
    assert said["low"] == pytest.approx(0, abs=1e-12) and said["high"] == pytest.approx(
        0.1611, abs=1e-4
    )  # Wilson, 0 of 20
    write(found, shield, tmp_path / "rule.json")
    assert read_rule(tmp_path / "rule.json", shield) == found.rule
    other = Keyword()
    other.name = "others"
    with pytest.raises(InputError, match="another policies"):
        read_rule(tmp_path / "rule.json", Shield(index, other))
    with pytest.raises(InputError, match="19 benign texts"):
        calibrate(shield, benign[:19], harmful)


def test_no_rule_that_spares_the_benign_is_said_plainly(index: Index) -> None:
    with pytest.raises(InputError, match="no rule refuses at most"):
        calibrate(Shield(index, Keyword()), [BAD] * 20, [BAD] * 20)


def test_the_command_exits_one_when_it_refuses(index: Index) -> None:
    refused = CliRunner().invoke(main, ["shield", str(index.path), "--tau", "20"], input=LICENCE)
    assert refused.exit_code == 1 and "refused" in refused.stdout and "doc-0" in refused.stdout
    passed = CliRunner().invoke(main, ["shield", str(index.path), "--tau", "2000", "--format", "json"], input=LICENCE)
    assert passed.exit_code == 0 and '"refused": false' in passed.stdout
    assert replace(Rule(), tau=20).rare


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--serve", "127.0.0.1:0"], "--serve HOST:PORT and --endpoint URL go together"),
        (["--serve", "8080", "--endpoint", "http://127.0.0.1:9/v1"], "--serve takes HOST:PORT"),
        (["--serve", "127.0.0.1:70000", "--endpoint", "http://127.0.0.1:9/v1"], "--serve takes HOST:PORT"),
        (["--serve", "192.0.2.1:80", "--endpoint", "http://127.0.0.1:9/v1"], "cannot listen on 192.0.2.1:80"),
        (["--rule", "rule.json"], "--rule brings percentile and conflict"),
    ],
)
def test_what_is_wrong_with_the_command_is_said(index: Index, more: list[str], said: str) -> None:
    done = CliRunner().invoke(main, ["shield", str(index.path), "--tau", "20", *more])
    assert done.exit_code == 2 and said in done.stderr
