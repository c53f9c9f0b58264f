"""croissant.json is checked before a push: each fault that is planted in it is found, by whichever check there is."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from provkit import croissant
from provkit.errors import ProvkitError
from provkit.publish import Release, release_of
from provkit.publish.croissant_check import VARIABLE, check, structure

PYTHON = os.environ.get(VARIABLE) or (sys.executable if find_spec("mlcroissant") else None)
needs_mlcroissant = pytest.mark.skipif(
    PYTHON is None, reason="mlcroissant is not installed: pip install 'provkit[croissant]'"
)


def document(release: Release) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(release.items[croissant.FILE].content or b"")
    return found


def changed(release: Release, value: dict[str, Any]) -> Release:
    item = replace(release.items[croissant.FILE], content=json.dumps(value).encode())
    return replace(release, items={**release.items, croissant.FILE: item})


def drop_a_key(value: dict[str, Any]) -> None:
    del value["license"]


def another_digest(value: dict[str, Any]) -> None:
    value["distribution"][0]["sha256"] = "0" * 64


def one_id_twice(value: dict[str, Any]) -> None:
    value["recordSet"][1]["field"][0]["@id"] = value["recordSet"][0]["field"][0]["@id"]


def no_such_column(value: dict[str, Any]) -> None:
    field = next(one for one in value["recordSet"][0]["field"] if "source" in one)
    field["source"]["extract"]["column"] = "nowhere"


def no_such_key(value: dict[str, Any]) -> None:
    field = next(one for one in value["recordSet"][0]["field"] if "subField" in one)
    field["subField"][0]["source"]["transform"]["jsonPath"] = "nowhere"


def a_set_left_out(value: dict[str, Any]) -> None:
    value["recordSet"].pop()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (drop_a_key, "without license"),
        (another_digest, "not the file of the build"),
        (one_id_twice, "an @id that stands twice"),
        (no_such_column, "there is no column nowhere"),
        (no_such_key, "messages has no nowhere"),
        (a_set_left_out, "without a record set"),
    ],
)
def test_every_planted_fault_is_found(
    made: Callable[..., Path], change: Callable[[dict[str, Any]], None], said: str
) -> None:
    release = release_of(made(sensitivity="gated"))
    value = document(release)
    assert list(structure(value, release)) == []
    change(value)
    assert said in " ".join(structure(value, release))


def test_who_checked_it_is_said(made: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    release = release_of(made())
    monkeypatch.delenv(VARIABLE, raising=False)
    if find_spec("mlcroissant") is None:
        found = check(release)
        assert (found.by, found.problems) == ("structure", ()) and "was not asked" in found.said
    monkeypatch.setenv(VARIABLE, "/no/such/python")
    with pytest.raises(ProvkitError, match="cannot be run"):
        check(release)
    if find_spec("mlcroissant") is None:
        monkeypatch.setenv(VARIABLE, sys.executable)
        with pytest.raises(ProvkitError, match="has no mlcroissant"):
            check(release)


@needs_mlcroissant
def test_mlcroissant_is_asked(made: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    assert PYTHON is not None
    monkeypatch.setenv(VARIABLE, PYTHON)
    release = release_of(made(sensitivity="gated"))
    found = check(release)
    assert (found.by, found.problems) == ("mlcroissant", ())
    value = document(release)
    field = next(one for one in value["recordSet"][0]["field"] if one["@id"].endswith("/row_id"))
    field["dataType"] = "sc:Integer"  # of which no check of our own says anything
    broken = check(changed(release, value))
    assert broken.by == "mlcroissant" and broken.problems


def test_the_command_says_who_checked_it_and_refuses_what_does_not_hold(
    server: Any, provkit: Any, made: Callable[..., Path]
) -> None:
    ran = provkit("publish", made(), "lab/small-numbers", "--dry-run", "--format", "json")
    assert ran.returncode == 0, ran.stderr
    asked = bool(os.environ.get(VARIABLE) or find_spec("mlcroissant"))
    assert json.loads(ran.stdout)["croissant"] == ("mlcroissant" if asked else "structure")
    assert "croissant.json: " in ran.stderr
