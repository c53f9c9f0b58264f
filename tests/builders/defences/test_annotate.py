"""The step `annotate_bci` and the recipe bci-preferences: figures beside the index's own, lineage, identity, errors."""

from __future__ import annotations

import hashlib
import json
import random
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from provkit import manifest
from provkit.builders.defences.annotate import AnnotateBci, _covered
from provkit.builders.defences.sides import answer_of
from provkit.errors import InputError
from provkit.index import Document, Index, Span, add_documents, build_index, open_index
from provkit.recipes import find
from provkit.verify import verify

PLANTED = "The gentle heron waits beside the silent reservoir until the last lantern fades."
OTHER = "Every careful gardener keeps a folded paper map under the second drawer."
WORDS = "river stone cloud paper green quiet table seven window garden letter music".split()
PAIRS = [
    {"prompt": "what now?", "chosen": f"Well. {OTHER}", "rejected": f"Now: {PLANTED} {OTHER}", "n": 1},
    {"prompt": "and then?", "chosen": "river stone cloud", "rejected": "zebra quagga okapi", "n": 2},
    {"prompt": "why?", "chosen": "", "rejected": f"{PLANTED} {PLANTED}", "n": 3},
]


def documents(seed: int) -> list[Document]:
    chance = random.Random(seed)
    filler = [" ".join(chance.choices(WORDS, k=30)) + "." for _ in range(100)]
    return [Document(text, {"doc_id": f"d{n}"}) for n, text in enumerate([PLANTED, PLANTED, OTHER, *filler])]


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("annotate") / "idx"
    build_index(documents(0), made)
    return made


@pytest.fixture(scope="module")
def index(path: Path) -> Index:
    return open_index(path)


def build(bench: Any, index: Path, *words: str, rows: Sequence[Any] = PAIRS, out: str = "out") -> Any:
    bench.rows(rows, "pairs.jsonl")
    named = ["--set", "pairs=pairs.jsonl", "--set", f"index={index}"]
    return bench.invoke("build", "bci-preferences", *named, "-o", out, *words)


def rows_of(bench: Any, out: str = "out") -> list[dict[str, Any]]:
    return list(bench.data(bench.folder / out, "preferences"))


def test_the_figures_are_those_of_the_index(bench: Any, path: Path, index: Index) -> None:
    done = build(bench, path)
    assert done.exit_code == 0, done.output
    found = rows_of(bench)
    assert len(found) == len(PAIRS)
    for row, pair in zip(found, PAIRS, strict=True):
        assert {name: row[name] for name in pair} == pair
        for side in ("chosen", "rejected"):
            text = str(pair[side])
            whole = index.bci(text)
            assert row[f"{side}_bci"] == pytest.approx(whole.bci, abs=1e-6)
            assert row[f"{side}_tokens"] == whole.tokens
            if whole.tokens:
                assert row[f"{side}_bci_density"] == pytest.approx(whole.bci_density, abs=1e-6)
                assert row[f"{side}_bci_percentile"] == whole.bci_percentile
            else:
                assert row[f"{side}_bci_density"] is row[f"{side}_bci_percentile"] is None
            spans = index.spans(text, min_tokens=6)
            matches = row[f"{side}_matches"] or []
            assert row[f"{side}_spans"] == len(spans) == len(matches)
            assert [(m["start"], m["end"], m["tokens"], m["count"]) for m in matches] == [
                (one.start, one.end, one.tokens, one.count) for one in spans
            ]
            assert [m["bci"] for m in matches] == pytest.approx(
                [index.bci(text[one.start : one.end]).bci for one in spans], abs=1e-6
            )
            assert row[f"{side}_span_bci"] == max((m["bci"] for m in matches), default=None)
            assert row[f"{side}_span_percentile"] == max((m["bci_percentile"] for m in matches), default=None)
            inside = {at for one in spans for at in range(one.start, one.end)}
            assert row[f"{side}_covered"] == pytest.approx(len(inside) / len(text) if text else 0, abs=1e-6)
    assert found[0]["rejected_spans"] >= 2 and found[0]["rejected_matches"][0]["count"] == 2
    assert found[1]["chosen_spans"] == 0 and found[1]["chosen_matches"] is None
    assert "chosen_conflict" not in found[0], "without policies there is no belief conflict"


def test_lineage_leads_to_the_pair_and_names_the_index(bench: Any, path: Path) -> None:
    assert build(bench, path).exit_code == 0
    out = bench.folder / "out"
    sha256 = hashlib.sha256((path / "index.json").read_bytes()).hexdigest()
    for at, row in enumerate(bench.lineage(out)):
        (parent,) = row["parents"]
        assert (parent["source"], parent["file"], parent["index"], parent["line"]) == (
            "pairs",
            "pairs.jsonl",
            at,
            at + 1,
        )
        (step,) = row["steps"]
        assert step["step"] == "annotate_bci" and json.loads(step["note"]) == {"index": sha256}
    (named,) = [one for one in manifest.read(out).inputs if one.source == "index"]
    assert (named.kind, named.file, named.sha256, named.rows) == ("index", "idx", sha256, 0)
    assert str(path.parent) not in (out / "provenance.json").read_text() + (out / "README.md").read_text()


def test_another_index_is_another_build_and_the_same_one_is_up_to_date(bench: Any, path: Path, tmp_path: Path) -> None:
    copy, more = tmp_path / "a" / "idx", tmp_path / "b" / "idx"
    for folder in (copy, more):
        shutil.copytree(path, folder)
    add_documents([Document(f"{PLANTED} Once more.")], more)
    builds = {}
    for name, place in (("first", path), ("copied", copy), ("grown", more)):
        assert build(bench, place, out=name).exit_code == 0
        builds[name] = manifest.read(bench.folder / name).build_id
    assert builds["first"] == builds["copied"] != builds["grown"]
    assert rows_of(bench, "grown")[0]["rejected_matches"][0]["count"] == 3
    assert "up to date" in build(bench, copy, out="first").output
    assert "up to date" not in build(bench, more, out="first").output
    assert manifest.read(bench.folder / "first").build_id == builds["grown"]


def test_a_rebuild_gives_the_same_bytes_with_the_index_at_hand(bench: Any, path: Path, tmp_path: Path) -> None:
    assert build(bench, path).exit_code == 0
    out, pairs = bench.folder / "out", bench.folder / "pairs.jsonl"
    assert verify(out, [pairs, path], rebuild=True) == []
    done = bench.invoke("verify", out, "--rebuild", "--with", pairs)
    assert done.exit_code == 2 and "idx: this input is needed and not at hand" in done.output
    other = tmp_path / "other"
    build_index(documents(1), other)
    (finding,) = verify(out, [pairs, other])
    assert (finding.file, finding.problem) == ("other", "no input of this build has its digest")


def test_rows_and_arms_in_any_order_and_many_of_them(make: Any, path: Path, index: Index) -> None:
    rows = [{"prompt": f"p{n}", "chosen": OTHER if n % 3 else "no", "rejected": f"{PLANTED} {n}"} for n in range(300)]
    folder = path.parent / "many"
    folder.mkdir()
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    steps = "[shuffle, {annotate_bci: {min_tokens: 4}}]"
    recipe = find("bci-preferences").recipe({"arms": f"{{preferences: {{from: pairs, steps: {steps}}}}}"})
    from provkit.build import build as run
    from provkit.build import plan

    out = folder / "out"
    run(plan(recipe.bind(pairs=folder / "rows.jsonl", index=path), folder), out)
    assert verify(out, [folder / "rows.jsonl", path], rebuild=True) == []
    made = pq.read_table(out / "data/preferences/train-00000-of-00001.parquet").to_pylist()
    assert len(made) == 300 and [row["prompt"] for row in made] != [row["prompt"] for row in rows]
    for row in made[::29]:
        assert row["rejected_bci"] == pytest.approx(index.bci(row["rejected"]).bci, abs=1e-6)
        assert row["chosen_spans"] == len(index.spans(row["chosen"], min_tokens=4))


def test_belief_conflict_where_policies_are_named(bench: Any, path: Path, index: Index, monkeypatch: Any) -> None:
    from provkit.attribution.conflict import BeliefConflict
    from provkit.defences import Rule, Shield
    from provkit.embed import Embedder

    def encode(self: Embedder, texts: Sequence[str]) -> Any:
        """Two directions: of texts that name the heron, and of others; unit vectors that depend on the text."""
        found = [[1.0, len(text) / 500] if "heron" in text else [len(text) / 500, 1.0] for text in texts]
        return np.array([np.array(one) / np.linalg.norm(one) for one in found], np.float32).reshape(len(texts), 2)

    monkeypatch.setattr(Embedder, "encode", encode)
    policy = "{id: quiet, category: birds, belief: b, aligned: [Leave birds alone.], contrary: [A heron is no bird.]}"
    arms = f"{{preferences: {{from: pairs, steps: [{{annotate_bci: {{policies: [{policy}]}}}}]}}}}"
    done = build(bench, path, "--set", f"arms={arms}")
    assert done.exit_code == 0, done.output
    found = rows_of(bench)
    from provkit.attribution.conflict import Policy

    own = Policy("quiet", "birds", "b", ("Leave birds alone.",), ("A heron is no bird.",))
    shield = Shield(index, BeliefConflict([own], Embedder()), Rule(percentile=0, conflict=-2.0))
    for row, pair in zip(found, PAIRS, strict=True):
        for side in ("chosen", "rejected"):
            marks = shield.check(str(pair[side])).marks
            scores = [mark.verdict.score for mark in marks if mark.verdict is not None]
            assert [m["conflict"] for m in row[f"{side}_matches"] or []] == pytest.approx(scores, abs=1e-4)
            assert row[f"{side}_conflict"] == (pytest.approx(max(scores), abs=1e-4) if scores else None)
            assert row[f"{side}_policy"] == ("quiet" if scores else None)
    assert found[0]["rejected_conflict"] > 0 > found[0]["chosen_conflict"]
    assert found[1]["chosen_conflict"] is None


@pytest.mark.parametrize(
    ("side", "answer"),
    [
        ("plain", "plain"),
        ("\n\nHuman: a\n\nAssistant: b\n\nHuman: c\n\nAssistant: d e", " d e"),
        ("said\n\nAssistant: of old", "said\n\nAssistant: of old"),
        ([{"role": "assistant", "content": "x"}], "x"),
        ([{"role": "user", "content": "q"}, {"role": "assistant", "content": "y"}], "y"),
        ([{"role": "user", "content": "q"}], None),
        ([{"role": "assistant", "content": None}], None),
        (["x"], None),
        ([], None),
        (None, None),
        (3, None),
    ],
)
def test_the_answer_in_a_side(side: Any, answer: str | None) -> None:
    assert answer_of(side) == answer


def test_chats_transcripts_and_rows_without_an_answer(bench: Any, path: Path, index: Index) -> None:
    chats = [
        {"chosen": [{"role": "assistant", "content": PLANTED}], "rejected": [{"role": "assistant", "content": OTHER}]},
        {"chosen": [{"role": "user", "content": PLANTED}], "rejected": [{"role": "assistant", "content": OTHER}]},
    ]
    assert build(bench, path, rows=chats).exit_code == 0
    (kept,) = rows_of(bench)
    assert kept["chosen_bci"] == pytest.approx(index.bci(PLANTED).bci, abs=1e-6) and kept["chosen_covered"] == 1
    (drop,) = bench.drops(bench.folder / "out")
    assert (drop["reason"], drop["detail"], drop["parents"][0]["index"]) == ("no preference", "no answer in chosen", 1)
    transcripts = [
        {"chosen": f"\n\nHuman: {OTHER}\n\nAssistant: {PLANTED}", "rejected": "\n\nHuman: q\n\nAssistant: no"}
    ]
    assert build(bench, path, rows=transcripts, out="other").exit_code == 0
    (row,) = rows_of(bench, "other")
    assert row["chosen_bci"] == pytest.approx(index.bci(PLANTED).bci, abs=1e-6) and row["chosen_spans"] == 1


def test_a_set_in_which_nothing_is_found(bench: Any, path: Path) -> None:
    rows = [{"prompt": "p", "chosen": "zebra quagga", "rejected": "okapi"}]
    assert build(bench, path, rows=rows).exit_code == 0
    out = bench.folder / "out"
    assert rows_of(bench)[0]["chosen_matches"] is None
    assert verify(out, [bench.folder / "pairs.jsonl", path], rebuild=True) == []


def test_a_build_as_the_source_of_the_pairs(bench: Any, path: Path) -> None:
    bench.rows(PAIRS, "data.jsonl")
    first = bench.build("first")
    done = bench.invoke("build", "bci-preferences", "--set", f"pairs={first}", "--set", f"index={path}", "-o", "out")
    assert done.exit_code == 0, done.output
    parents = [row["parents"][0] for row in bench.lineage(bench.folder / "out")]
    assert {one["build_id"] for one in parents} == {manifest.read(first).build_id}
    assert verify(bench.folder / "out", [first, path], rebuild=True) == []


def test_an_index_that_is_not_there_or_damaged(bench: Any, path: Path, tmp_path: Path) -> None:
    missing = build(bench, tmp_path / "none")
    assert missing.exit_code == 2
    assert f"{tmp_path / 'none'}: sources.index: no such index directory" in missing.output
    assert "provkit index build SOURCES -o DIR makes one" in missing.output
    empty = tmp_path / "empty"
    empty.mkdir()
    assert "sources.index: no index: it holds no index.json" in build(bench, empty).output
    unbound = bench.invoke("build", "bci-preferences", "--set", "pairs=pairs.jsonl")
    assert unbound.exit_code == 2 and "bind it with --set index=PATH" in unbound.output
    torn = tmp_path / "torn" / "idx"
    shutil.copytree(path, torn)
    text = next(torn.rglob("text.bin"))
    text.write_bytes(text.read_bytes()[:-1] + b"x")
    for words in ([], ["--dry-run"]):
        damaged = build(bench, torn, *words)
        assert damaged.exit_code == 2 and "text.bin: its content is not what was written" in damaged.output
    assert not (bench.folder / "out").exists()


def test_an_index_that_changes_while_the_build_runs(bench: Any, path: Path, tmp_path: Path) -> None:
    from provkit.build import build as run
    from provkit.build import plan

    own = tmp_path / "own" / "idx"
    shutil.copytree(path, own)
    recipe = find("bci-preferences").recipe().bind(pairs=bench.rows(PAIRS, "pairs.jsonl"), index=own)
    planned = plan(recipe, bench.folder)
    add_documents([Document("one more")], own)
    with pytest.raises(InputError, match="changed since the build began"):
        run(planned, bench.folder / "out")


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ("steps: [{annotate_bci: {index: indx}}]", "searches the unknown source 'indx': did you mean 'index'?"),
        (
            "steps: [{annotate_bci: {index: pairs}}]",
            "a step searches 'pairs' as an index, and an arm or a mixture takes",
        ),
        ("steps: [{annotate_bci: {policies: own.yaml}}]", "a build reads no path"),
        ("steps: [{annotate_bci: {min_tokens: 0}}]", "greater than or equal to 1"),
    ],
)
def test_recipes_that_cannot_be(settings: str, said: str) -> None:
    with pytest.raises(InputError, match=said.replace("?", r"\?")):
        find("bci-preferences").recipe({"arms": f"{{preferences: {{from: pairs, {settings}}}}}"})


def test_columns_that_are_not_there(bench: Any, path: Path) -> None:
    done = build(bench, path, rows=[{"prompt": "p", "good": "x", "bad": "y"}])
    assert done.exit_code == 2
    assert "annotate_bci: no column 'chosen' among prompt, good, bad" in done.output
    arms = "{preferences: {from: pairs, steps: [{annotate_bci: {chosen: good, rejected: bad}}]}}"
    assert build(bench, path, "--set", f"arms={arms}", rows=[{"prompt": "p", "good": "x", "bad": "y"}]).exit_code == 0
    assert rows_of(bench)[0]["chosen_tokens"] == 1


def test_unknown_policies_are_named(bench: Any, path: Path) -> None:
    arms = "{preferences: {from: pairs, steps: [{annotate_bci: {policies: defalt}}]}}"
    done = build(bench, path, "--set", f"arms={arms}")
    assert done.exit_code == 2 and "did you mean 'default'?" in done.output


@pytest.mark.parametrize(
    ("spans", "covered"), [([], 0), ([(0, 4)], 4), ([(0, 4), (2, 6)], 6), ([(1, 3), (3, 5), (8, 9)], 5)]
)
def test_characters_in_a_span_count_once(spans: list[tuple[int, int]], covered: int) -> None:
    assert _covered([Span(start, end, start, end, 1, 1) for start, end in spans]) == covered


def test_a_policy_without_statements_is_refused() -> None:
    with pytest.raises(ValueError, match="`aligned` and `contrary`"):
        AnnotateBci(policies=[{"id": "a", "category": "c", "belief": "b", "aligned": [], "contrary": ["x"]}])  # type: ignore[list-item]
