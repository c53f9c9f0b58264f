"""provenance.json: what it says of a small build, what its identity hangs on, and how it is read again."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import pytest

from provkit import manifest
from provkit.errors import InputError

if TYPE_CHECKING:
    from tests.conftest import Bench

pytestmark = pytest.mark.usefixtures("odd")


def spelled(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def test_it_is_a_statement_in_canonical_json_with_its_own_digest(bench: Bench) -> None:
    bench.rows(4)
    out = bench.build(steps=[{"odd_drop": {"every": 3}}], splits={"train": 0.5, "test": 0.5})
    raw = (out / "provenance.json").read_bytes()
    statement = json.loads(raw)
    assert raw == spelled(statement) + b"\n"
    own = statement.pop("digest")
    assert own == hashlib.sha256(spelled(statement)).hexdigest() == manifest.read(out).digest
    assert statement["_type"] == "https://in-toto.io/Statement/v1"
    subjects = {one["name"]: one["digest"]["sha256"] for one in statement["subject"]}
    files = {name: hashlib.sha256(content).hexdigest() for name, content in bench.files(out).items()}
    assert subjects == {name: files[name] for name in files if name not in ("README.md", "provenance.json")}


def test_what_it_says_of_a_small_build(bench: Bench) -> None:
    source = bench.rows(4)
    out = bench.build(steps=[{"odd_drop": {"every": 3}}], splits={"train": 0.6, "test": 0.4}, seed=5)
    facts = manifest.read(out).facts
    assert facts["counts"] == [
        {"source": "data", "step": "odd_drop", "rows_in": 4, "created": 0, "rows_out": 3, "dropped": 1}
    ]
    (read,) = facts["inputs"]
    assert (read["file"], read["rows"], read["size"]) == ("data.jsonl", 4, source.stat().st_size)
    assert read["sha256"] == hashlib.sha256(source.read_bytes()).hexdigest()
    assert facts["seed"] == facts["recipe"]["seed"] == 5
    assert facts["recipe"]["steps"] == [{"name": "odd_drop", "params": {"every": 3, "rest": 1}}]
    assert facts["recipe_digest"] == hashlib.sha256(spelled(facts["recipe"])).hexdigest()
    assert sorted(facts["versions"]) == ["odd-builders", "provkit"]
    assert set(facts["environment"]) == {"python", "libraries"}
    assert [(one["arm"], one["split"], one["rows"]) for one in facts["outputs"]] == [
        ("data", "train", 2),
        ("data", "test", 1),
    ]


def test_the_identity_hangs_on_recipe_inputs_and_versions_alone(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.rows(4)
    base = bench.built("base").build_id
    assert bench.built("again").build_id == base
    different = {
        "seed": bench.built("seed", seed=1).build_id,
        "step": bench.built("step", steps=["shuffle"]).build_id,
        "summary": bench.built("summary", summary="Other words.").build_id,
        "limit": bench.built("limit", limit=4).build_id,
    }
    (bench.folder / "data.jsonl").rename(bench.folder / "same.jsonl")
    different["name"] = bench.built("name", sources={"data": {"files": "same.jsonl"}}).build_id
    bench.rows(5)
    different["rows"] = bench.built("rows").build_id
    bench.rows(4)
    monkeypatch.setattr("provkit.__version__", "99")
    different["version"] = bench.built("version").build_id
    assert len({base, *different.values()}) == 1 + len(different)


def test_a_recipe_comes_back_as_it_was_with_its_order(bench: Bench) -> None:
    bench.rows(6)
    bench.rows(3, "more.jsonl")
    sources = {"zulu": {"files": "data.jsonl"}, "alpha": {"files": "more.jsonl", "licence": "CC0-1.0"}}
    arms = {"y": {"from": "zulu"}, "x": {"from": "alpha", "steps": [{"odd_mark": {"mark": "é\u202e"}}]}}
    out = bench.build(sources=sources, arms=arms, splits={"train": 0.5, "dev": 0.25, "test": 0.25})
    found = manifest.read(out)
    assert list(found.recipe.sources) == found.sources == ["zulu", "alpha"]
    assert found.arms == {"y": "zulu", "x": "alpha"}
    assert list(found.recipe.splits.shares) == ["train", "dev", "test"]
    assert found.recipe.arms["x"].steps[0].params == {"mark": "é\u202e"}
    assert manifest.resolved(found.recipe, found.inputs, None) == found.facts["recipe"]


def test_a_manifest_of_another_format_or_no_manifest_is_refused(bench: Bench) -> None:
    with pytest.raises(InputError, match=r"no build directory: it has no provenance\.json"):
        manifest.read(bench.folder)
    path = bench.folder / "provenance.json"
    for content in (b"", b"{}", b"[]", b"null", b'{"digest": 1}', b"\xff", b"[" * 2000, b'{"a": NaN}'):
        path.write_bytes(content)
        with pytest.raises(InputError, match="damaged"):
            manifest.read(bench.folder)
    statement = {"predicate": {"format": 2}}
    path.write_bytes(spelled({**statement, "digest": hashlib.sha256(spelled(statement)).hexdigest()}) + b"\n")
    with pytest.raises(InputError, match="format 2, this provkit reads 1"):
        manifest.read(bench.folder)


def test_spaces_or_other_spelling_of_the_same_json_is_a_change(bench: Bench) -> None:
    bench.rows(2)
    path = bench.build() / "provenance.json"
    path.write_bytes(json.dumps(json.loads(path.read_bytes())).encode())
    with pytest.raises(InputError, match="damaged"):
        manifest.read(path.parent)
