"""croissant.json: a build in Croissant 1.1, with record sets for data and lineage, PROV terms and RAI fields.

It follows from the build alone: the same build gives the same bytes, so that a reader can check it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from provkit.canary import canary_of
from provkit.manifest import Manifest, Output
from provkit.table import Input

FILE = "croissant.json"
CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isArray": "cr:isArray",
    "arrayShape": "cr:arrayShape",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "prov": "http://www.w3.org/ns/prov#",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
ABOUT = {
    "row_id": "Identity of the row's content: 32 hex digits of the sha256 of its canonical JSON.",
    "pair_id": "Rows of the arms that come out of one source row share it.",
    "canary": "By this string the rows are known again wherever they turn up.",
}


def written(folder: Path, found: Manifest) -> bytes:
    """croissant.json of a build, as bytes."""
    return orjson.dumps(document(folder, found), option=orjson.OPT_INDENT_2) + b"\n"


def document(folder: Path, found: Manifest) -> dict[str, Any]:
    """A build in Croissant 1.1; paths are relative to the build directory."""
    recipe = found.facts["recipe"]
    sources = {_named(one): _entity(one) for one in found.inputs}
    return {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": ["http://mlcommons.org/croissant/1.1", "http://mlcommons.org/croissant/RAI/1.0"],
        "name": recipe["name"],
        "description": recipe["summary"],
        "license": recipe["licence"],
        "version": f"{recipe['version']}.0.0",
        "identifier": found.build_id,
        "citeAs": recipe.get("paper") or f"{recipe['name']} version {recipe['version']}, build {found.build_id}",
        "keywords": ["alignment", "ai-safety", recipe["sensitivity"]],
        "isLiveDataset": False,
        "distribution": [_file(one) for one in found.outputs],
        "recordSet": [_records(folder, one) for one in found.outputs if one.file.endswith(".parquet")],
        "prov:wasDerivedFrom": list(sources.values()),
        "prov:wasGeneratedBy": _activities(found),
        **_rai(found),
    }


def _named(one: Input) -> str:
    return f"{one.source}/{one.file or one.kind}/{one.sha256[:16]}"


def _entity(one: Input) -> dict[str, Any]:
    facts = {"cr:sha256": one.sha256, "version": one.revision, "license": one.licence, "prov:label": one.source}
    kept = {key: value for key, value in facts.items() if value}
    return {"@id": f"source/{_named(one)}", "@type": "prov:Entity", **kept}


def _activities(found: Manifest) -> list[dict[str, Any]]:
    agents = [
        {"@type": "prov:SoftwareAgent", "prov:label": name, "version": number}
        for name, number in found.facts["versions"].items()
    ]
    whole = {"@type": "prov:Activity", "@id": f"build/{found.build_id}", "prov:wasAssociatedWith": agents}
    steps = [
        {
            "@type": "prov:Activity",
            "@id": f"step/{at}/{one.arm or one.source or 'all'}/{one.step}",
            "prov:label": one.step,
            "description": f"{one.rows_in} rows in, {one.created} created, {one.rows_out} out, {one.dropped} dropped",
        }
        for at, one in enumerate(found.counts)
    ]
    return [whole, *steps]


def _file(one: Output) -> dict[str, Any]:
    return {
        "@type": "cr:FileObject",
        "@id": f"file/{one.file}",
        "name": one.file,
        "contentUrl": one.file,
        "contentSize": f"{one.size} B",
        "encodingFormat": "application/x-parquet" if one.file.endswith(".parquet") else "application/json",
        "sha256": one.sha256,
    }


def _records(folder: Path, one: Output) -> dict[str, Any]:
    name = f"{one.arm}/{one.split}" if one.arm else one.file.removesuffix(".parquet")
    said = f"The rows of {name}." if one.arm else "Lineage: where each row came from, and what was left out and why."
    schema = pq.read_schema(folder / one.file)
    fields = [_field(f"{name}/{field.name}", field, f"file/{one.file}") for field in schema]
    return {"@type": "cr:RecordSet", "@id": name, "name": name, "description": said, "field": fields}


def _field(name: str, field: pa.Field, file: str) -> dict[str, Any]:
    made: dict[str, Any] = {"@type": "cr:Field", "@id": name, "name": name}
    made |= {"description": ABOUT[field.name]} if field.name in ABOUT else {}
    source = {"fileObject": {"@id": file}, "extract": {"column": field.name}}
    kind = field.type
    if _listed(kind):
        made |= {"isArray": True, "arrayShape": "-1"}
        kind = kind.value_type
    if not pa.types.is_struct(kind):
        return made | {"dataType": _type(kind), "source": source}
    inner = [kind.field(at) for at in range(kind.num_fields)]
    flat = [one for one in inner if not _listed(one.type) and not pa.types.is_struct(one.type)]
    return made | {
        "subField": [
            {
                "@type": "cr:Field",
                "@id": f"{name}/{one.name}",
                "name": f"{name}/{one.name}",
                "dataType": _type(one.type),
                "source": {**source, "transform": {"jsonPath": one.name}},
            }
            for one in flat
        ]
    }


def _listed(kind: pa.DataType) -> bool:
    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind))


def _type(kind: pa.DataType) -> str:
    if pa.types.is_boolean(kind):
        return "sc:Boolean"
    if pa.types.is_integer(kind):
        return "sc:Integer"
    return "sc:Float" if pa.types.is_floating(kind) else "sc:Text"


def _rai(found: Manifest) -> Mapping[str, Any]:
    recipe = found.facts["recipe"]
    canary = canary_of(recipe["sensitivity"], found.build_id)
    steps = list(dict.fromkeys(one.step for one in found.counts))
    dropped = sum(one.dropped for one in found.counts)
    limits = "Made for research on how models come to behave badly, and on finding it."
    release = f"Sensitivity: {recipe['sensitivity']}."
    if canary:
        limits += f" Not for training a model that is to be used; filter rows with the canary {canary}."
        release += f" Rows carry the canary {canary}."
    return {
        "rai:dataCollection": "; ".join(
            f"{one.source}: {one.file or one.kind}, {one.rows} rows" for one in found.inputs
        ),
        "rai:dataPreprocessingProtocol": steps or ["none"],
        "rai:dataLimitations": limits,
        "rai:dataUseCases": recipe["summary"],
        "rai:dataReleaseMaintenancePlan": release,
        "rai:dataManipulationProtocol": f"{dropped} candidates left out; lineage/drops.parquet has the reasons.",
    }
