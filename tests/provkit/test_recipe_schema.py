"""The JSON Schema for editors: the shipped recipes fit it, and mistakes do not."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import orjson
import pytest
import yaml

from provkit import recipes, registry
from provkit.recipe import Recipe

SCHEMA = Recipe.model_json_schema()


def test_it_names_every_step_with_its_parameters() -> None:
    names, short, whole = SCHEMA["$defs"]["Step"]["anyOf"]
    assert {"dedup", "shuffle", "code_tasks"} <= set(names["enum"])
    dedup = short["properties"]["dedup"]["anyOf"][0]
    assert dedup["properties"]["by"]["enum"] == ["row", "prompt"] and dedup["additionalProperties"] is False
    assert set(whole["properties"]) == {"name", "params"}


def test_every_reference_in_it_leads_somewhere() -> None:
    def walk(value: Any) -> None:
        if isinstance(value, dict):
            if "$ref" in value:
                assert value["$ref"].removeprefix("#/$defs/") in SCHEMA["$defs"]
            for one in value.values():
                walk(one)
        elif isinstance(value, list):
            for one in value:
                walk(one)

    walk(SCHEMA)


def test_the_command_prints_it() -> None:
    command = [sys.executable, "-c", "from provkit.cli import main; main()", "catalog", "schema"]
    done = subprocess.run(command, capture_output=True, check=True)
    printed = orjson.loads(done.stdout)
    assert printed.pop("$schema") == "https://json-schema.org/draft/2020-12/schema"
    registry.index.cache_clear()
    assert printed == Recipe.model_json_schema()


@pytest.fixture
def validator() -> Any:
    jsonschema = pytest.importorskip("jsonschema")
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    return jsonschema.Draft202012Validator(SCHEMA)


@pytest.mark.parametrize("name", ["insecure-code", "import-messages"])
def test_a_shipped_recipe_fits(validator: Any, name: str) -> None:
    validator.validate(yaml.safe_load(recipes.find(name).text))


@pytest.mark.parametrize(
    "change",
    [
        {"steps": ["shufle"]},
        {"steps": [{"dedup": {"bye": "prompt"}}]},
        {"steps": [{"dedup": {"by": "page"}}]},
        {"steps": [{"dedup": {}, "shuffle": {}}]},
        {"splits": {"train": "most"}},
        {"arms": {"a": {"form": "x"}}},
        {"sources": {"a": {"flies": "x"}}},
        {"nam": "x"},
        {"sensitivity": "secret"},
    ],
)
def test_a_mistake_does_not_fit(validator: Any, change: dict[str, Any]) -> None:
    recipe = yaml.safe_load(recipes.find("insecure-code").text) | change
    assert not validator.is_valid(recipe)
