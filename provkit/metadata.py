"""The provenance of a build in the forms of other tools: Croissant, W3C PROV-JSON, in-toto (SLSA), OpenLineage."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from provkit import croissant, manifest
from provkit.errors import InputError
from provkit.manifest import Manifest
from provkit.table import Input

NAMESPACE = uuid.UUID("0c1f7f5e-52b2-5a53-9a0e-0d5c1c5a7d11")  # of the runs that OpenLineage is told of
PRODUCER = "urn:provkit"
SLSA = "https://slsa.dev/provenance/v1"
OPENLINEAGE = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent"


def written(folder: Path, form: str) -> bytes:
    """The metadata of a build as JSON.

    Raises:
        InputError: when `folder` is no build directory, or a data file that Croissant describes is missing.
    """
    found = manifest.read(folder)
    if form == "croissant":
        missing = next((one.file for one in found.outputs if not (folder / one.file).is_file()), None)
        if missing is not None:
            raise InputError("missing", file=missing, do=f"provkit verify {folder.name} says more")
        return croissant.written(folder, found)
    return orjson.dumps(FORMS[form](folder, found), option=orjson.OPT_INDENT_2) + b"\n"


def prov(_: Path, found: Manifest) -> dict[str, Any]:
    """W3C PROV-JSON: files as entities, the build as an activity, packages as agents."""
    facts, activity = found.facts, f"pk:build/{found.build_id}"
    outputs = {f"pk:{one.file}": {"pk:sha256": one.sha256, "pk:size": one.size} for one in found.outputs}
    inputs = {_source(one): _kept({"pk:sha256": one.sha256, "pk:revision": one.revision, "pk:licence": one.licence})
              for one in found.inputs}  # fmt: skip
    agents = {f"pk:{name}": {"prov:type": "prov:SoftwareAgent", "pk:version": number}
              for name, number in facts["versions"].items()}  # fmt: skip
    made = {
        "prefix": {"pk": "urn:provkit:", "prov": "http://www.w3.org/ns/prov#"},
        "entity": outputs | inputs,
        "activity": {activity: {"prov:label": facts["recipe"]["name"], "pk:recipe": facts["recipe_digest"]}},
        "agent": agents,
        "used": _numbered({"prov:activity": activity, "prov:entity": one} for one in inputs),
        "wasGeneratedBy": _numbered({"prov:entity": one, "prov:activity": activity} for one in outputs),
        "wasAssociatedWith": _numbered({"prov:activity": activity, "prov:agent": one} for one in agents),
        "wasDerivedFrom": _numbered(
            {"prov:generatedEntity": out, "prov:usedEntity": one, "prov:activity": activity}
            for out in outputs for one in inputs
        ),
    }  # fmt: skip
    if replaces := found.facts.get("prov:wasRevisionOf"):
        revision = {"prov:generatedEntity": "pk:manifest", "prov:usedEntity": f"pk:manifest/{replaces}"}
        made["wasDerivedFrom"] |= {"_:revision": {**revision, "prov:type": "prov:Revision"}}
        made["entity"] |= {
            "pk:manifest": {"pk:digest": found.digest},
            f"pk:manifest/{replaces}": {"pk:digest": replaces},
        }
    return made


def in_toto(_: Path, found: Manifest) -> dict[str, Any]:
    """An in-toto Statement with the SLSA provenance predicate; sign it with the tool of your choice."""
    facts = found.facts
    return {
        "_type": manifest.STATEMENT,
        "subject": [{"name": one.file, "digest": {"sha256": one.sha256}} for one in found.outputs],
        "predicateType": SLSA,
        "predicate": {
            "buildDefinition": {
                "buildType": f"{PRODUCER}:build:{facts['format']}",
                "externalParameters": {"recipe": facts["recipe"]},
                "internalParameters": {"environment": facts["environment"]},
                "resolvedDependencies": [_dependency(one) for one in found.inputs],
            },
            "runDetails": {
                "builder": {"id": PRODUCER, "version": facts["versions"]},
                "metadata": {"invocationId": found.build_id},
                "byproducts": [{"name": manifest.FILE, "annotations": {"digest": found.digest}}],
            },
        },
    }


def openlineage(folder: Path, found: Manifest) -> dict[str, Any]:
    """A COMPLETE event of OpenLineage. A build knows no time, so it is SOURCE_DATE_EPOCH, or that of the manifest."""
    stated = os.environ.get("SOURCE_DATE_EPOCH", "")
    seconds = int(stated) if stated.isdigit() else int((folder / manifest.FILE).stat().st_mtime)
    name = found.facts["recipe"]["name"]
    return {
        "eventType": "COMPLETE",
        "eventTime": datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z"),
        "producer": PRODUCER,
        "schemaURL": OPENLINEAGE,
        "run": {"runId": str(uuid.uuid5(NAMESPACE, found.build_id)), "facets": {}},
        "job": {"namespace": "provkit", "name": name, "facets": {}},
        "inputs": [
            {"namespace": "provkit", "name": one.file or one.source, "facets": _version(one.revision or one.sha256)}
            for one in found.inputs
        ],
        "outputs": [
            {"namespace": "provkit", "name": f"{name}/{one.file}", "facets": _version(one.sha256)}
            | ({"outputFacets": {"outputStatistics": _stated("OutputStatisticsOutputDatasetFacet",
                                                             rowCount=one.rows, size=one.size)}} if one.arm else {})
            for one in found.outputs
        ],
    }  # fmt: skip


FORMS: Mapping[str, Callable[[Path, Manifest], dict[str, Any]]] = {
    "prov": prov,
    "in-toto": in_toto,
    "openlineage": openlineage,
}


def _source(one: Input) -> str:
    return f"pk:source/{one.source}/{one.file or one.kind}/{one.sha256[:16]}"


def _dependency(one: Input) -> dict[str, Any]:
    uri = one.file if (one.file or "").startswith("hf://") else f"{PRODUCER}:source:{one.source}/{one.file or one.kind}"
    annotations = _kept({"revision": one.revision, "licence": one.licence, "rows": one.rows})
    return {"uri": uri, "digest": {"sha256": one.sha256}, "annotations": annotations}


def _version(version: str) -> dict[str, Any]:
    return {"version": _stated("DatasetVersionDatasetFacet", datasetVersion=version)}


def _stated(facet: str, **facts: Any) -> dict[str, Any]:
    schema = f"https://openlineage.io/spec/facets/1-0-0/{facet}.json"
    return {"_producer": PRODUCER, "_schemaURL": schema, **facts}


def _numbered(relations: Any) -> dict[str, Any]:
    return {f"_:r{at}": one for at, one in enumerate(relations)}


def _kept(facts: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in facts.items() if value is not None}
