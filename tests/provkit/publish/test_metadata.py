"""The metadata of a build in the forms of others; Croissant is read back by mlcroissant where it is installed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from provkit import croissant, manifest
from provkit.metadata import written
from provkit.verify import verify

PYTHON = os.environ.get("MLCROISSANT_PYTHON") or (sys.executable if find_spec("mlcroissant") else None)
READ = """
import json, itertools, sys, mlcroissant
dataset = mlcroissant.Dataset(jsonld=sys.argv[1])
assert not dataset.metadata.ctx.issues.errors, dataset.metadata.ctx.issues.errors
first = {one.id: next(iter(dataset.records(one.id)), None) for one in dataset.metadata.record_sets}
print(json.dumps(first, default=lambda value: value.decode() if isinstance(value, bytes) else str(value)))
"""


@pytest.mark.skipif(PYTHON is None, reason="mlcroissant is not installed: pip install 'provkit[croissant]'")
def test_mlcroissant_reads_a_record_of_every_set(built: Callable[..., Path]) -> None:
    folder = built(sensitivity="gated")
    (folder / "croissant.json").write_bytes(written(folder, "croissant"))
    assert PYTHON is not None
    command = [PYTHON, "-c", READ, str(folder / "croissant.json")]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=folder)
    assert ran.returncode == 0, ran.stderr
    first = json.loads(ran.stdout.splitlines()[-1])
    outputs = [one for one in manifest.read(folder).outputs if one.file.endswith(".parquet")]
    assert len(first) == len(outputs)
    for one in outputs:
        name = f"{one.arm}/{one.split}" if one.arm else one.file.removesuffix(".parquet")
        rows = pq.read_table(folder / one.file).slice(0, 1).to_pylist()
        if rows and "row_id" in rows[0]:
            assert first[name][f"{name}/row_id"] == rows[0]["row_id"]
        else:
            assert (first[name] is None) is (not rows)


def test_croissant_names_what_it_was_made_from_and_by(made: Callable[..., Path]) -> None:
    folder = made(sensitivity="gated")
    found = manifest.read(folder)
    document = json.loads(written(folder, "croissant"))
    assert document["conformsTo"][0] == "http://mlcommons.org/croissant/1.1"
    assert [one["sha256"] for one in document["distribution"]] == [one.sha256 for one in found.outputs]
    assert [one["cr:sha256"] for one in document["prov:wasDerivedFrom"]] == [one.sha256 for one in found.inputs]
    assert [one["prov:label"] for one in document["prov:wasGeneratedBy"][1:]] == [one.step for one in found.counts]
    assert "canary" in document["rai:dataReleaseMaintenancePlan"]


def test_a_croissant_file_that_does_not_fit_is_a_finding(built: Callable[..., Path]) -> None:
    folder = built()
    right = written(folder, "croissant")
    (folder / croissant.FILE).write_bytes(right)
    assert verify(folder) == []
    (folder / croissant.FILE).write_bytes(right.replace(b"CC-BY-4.0", b"CC0-1.0"))
    assert [one.file for one in verify(folder)] == ["croissant.json"]


def test_prov_names_only_what_it_declares(made: Callable[..., Path]) -> None:
    document = json.loads(written(made(), "prov"))
    declared = set(document["entity"]) | set(document["activity"]) | set(document["agent"])
    relations = ("used", "wasGeneratedBy", "wasAssociatedWith", "wasDerivedFrom")
    named = {value for one in relations for relation in document[one].values() for value in relation.values()}
    assert named <= declared
    generated = {one["prov:entity"] for one in document["wasGeneratedBy"].values()}
    assert generated == {f"pk:{one.file}" for one in manifest.read(made()).outputs}


def test_in_toto_has_the_subjects_of_the_manifest(made: Callable[..., Path]) -> None:
    statement = json.loads(written(made(), "in-toto"))
    found = manifest.read(made())
    assert statement["_type"] == "https://in-toto.io/Statement/v1"
    assert {one["name"]: one["digest"]["sha256"] for one in statement["subject"]} == {
        one.file: one.sha256 for one in found.outputs
    }
    definition = statement["predicate"]["buildDefinition"]
    assert definition["externalParameters"]["recipe"] == found.facts["recipe"]
    assert [one["digest"]["sha256"] for one in definition["resolvedDependencies"]] == [
        one.sha256 for one in found.inputs
    ]


def test_openlineage_is_the_same_for_the_same_build(made: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "86400")
    event = json.loads(written(made(), "openlineage"))
    assert event["eventTime"] == "1970-01-02T00:00:00Z" and event["eventType"] == "COMPLETE"
    assert written(made(), "openlineage") == written(made(), "openlineage")
    assert len(event["outputs"]) == len(manifest.read(made()).outputs)
